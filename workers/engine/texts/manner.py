"""How a response is written, apart from what it says: numbers of its form, and how often it uses the common words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PIECES = re.compile(r"\w+|[^\w\s]")
SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)")
SMALL_WORDS = frozenset({
    "the", "a", "an", "of", "to", "in", "and", "or", "is", "are", "was", "were", "be", "it", "that", "this", "for",
    "on", "with", "as", "at", "by", "from",
})  # fmt: skip
ME = ("i", "me", "my")
YOU = ("you", "your")
NO = ("not", "no", "never", "don", "can", "won", "isn", "doesn")
PERHAPS = ("could", "would", "might", "may", "maybe", "perhaps")
OUGHT = ("should", "must", "need")
SORRY = re.compile(r"\b(?:sorry|apologi[sz]e)")
DECLINES = re.compile(r"\bi(?: can['’]?t| cannot| don['’]?t| am not| won['’]?t|['’]m not)")
YES = ("yes", "sure", "ok", "of course")
OPENS_WITH_NO = ("no", "i don", "i can")
COMMON = 300


def pieces(text: str) -> list[str]:
    """Words and marks in lower case, in order."""
    return PIECES.findall(text.lower())


def manner(text: str, turn: str) -> list[float]:
    """25 numbers of one response: lengths of sentences and words, variety, marks, nearness of its words to the person's
    turn, who is spoken of, apologies, refusals, how it opens and ends. The word lists are English; in another language
    those few stay zero."""
    low, end = text.lower(), text.rstrip()[-1:]
    said = [piece for piece in pieces(text) if piece[0].isalnum()]
    count = Counter(said)
    own = count.keys() - SMALL_WORDS
    asked = set(pieces(turn)) - SMALL_WORDS
    shared = len(own & asked)
    n, sentences = max(len(said), 1), max(len(SENTENCE_END.findall(text)), 1)

    def times(words: Sequence[str]) -> float:
        return float(np.log1p(sum(count[word] for word in words)))

    return [
        len(said) / sentences,
        sum(map(len, said)) / n,
        len(count) / n,
        sum(count[word] for word in SMALL_WORDS) / n,
        float(np.log1p(sentences)),
        *(float(np.log1p(text.count(mark))) for mark in ',!":('),
        float(np.log1p(sum(map(str.isupper, text)))),
        shared / max(len(own), 1),
        shared / max(len(asked), 1),
        *(times(words) for words in (ME, YOU, NO, PERHAPS, OUGHT)),
        *(float(pattern.search(low) is not None) for pattern in (SORRY, DECLINES)),
        float(end in ".!?" and end != ""),
        float(end == "?"),
        float("http" in low),
        float(low.startswith(YES)),
        float(low.startswith(OPENS_WITH_NO)),
    ]


def common_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """[texts, up to COMMON]: square roots of the shares of the words and marks that most of the texts use."""
    counted = [Counter(pieces(text)) for text in texts]
    used: Counter[str] = Counter()
    for count in counted:
        used.update(count.keys())
    # Ties by name, so that the order of the texts does not matter.
    top = sorted(used, key=lambda word: (-used[word], word))[:COMMON]
    column = {word: number for number, word in enumerate(top)}
    found = np.zeros((len(texts), len(top)), np.float32)
    for row, count in enumerate(counted):
        total = max(count.total(), 1)
        for word, times in count.items():
            if word in column:
                found[row, column[word]] = np.sqrt(times / total)
    return found
