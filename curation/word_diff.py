"""Two texts word by word: what only the one says, and what only the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Beyond this the comparison of words takes longer than a page may.
MAX_WORDS = 1500
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    text: str
    is_own: bool


@dataclass(frozen=True)
class Diff:
    a: list[Piece]
    b: list[Piece]


def marked(a: str, b: str) -> Diff | None:
    """Both texts in pieces, or None when they are too long to compare."""
    words_a, words_b = _WORD.findall(a[: 20 * MAX_WORDS]), _WORD.findall(b[: 20 * MAX_WORDS])
    if max(len(a), len(b)) > 20 * MAX_WORDS or max(len(words_a), len(words_b)) > 2 * MAX_WORDS:
        return None
    matcher = SequenceMatcher(None, words_a, words_b, autojunk=False)
    diff = Diff([], [])
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        is_own = tag != "equal"
        for pieces, part in ((diff.a, words_a[a_from:a_to]), (diff.b, words_b[b_from:b_to])):
            if part:
                pieces.append(Piece("".join(part), is_own))
    return diff
