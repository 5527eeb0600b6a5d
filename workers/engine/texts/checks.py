"""What a text shows of itself that makes it a poor answer, whatever it says: one function per check."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from functools import lru_cache
from typing import Any

# METHODS section 8.1: what made judges say "correct" with nothing behind it. A blank is empty.
KEYS = frozenset({
    ".", ",", ":", "thought process:", "let's solve this problem step by step.", "solution", "解", "かいせつ",
    "respuesta",
})  # fmt: skip
# Below these, a text is too short to be judged.
MIN_ECHO_WORDS = 3
MIN_SENTENCE_WORDS = 20
MIN_REPETITION_BYTES = 200
MIN_REPETITION_WORDS = 40
MIN_LETTERS = 40
GRAM = 4

TOKENS = re.compile(r"[぀-ヿ㐀-鿿가-힯]|\w+")
FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)
CODE = re.compile(r"```.*?(```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
LIST_ITEM = re.compile(r"^\s*([-*+•|#>]|\d+[.)]|[A-Za-z][.)]\s)")
ENDINGS = frozenset(".!?…。！？｡؟۔।॥)]}\"'»”’*_`~|>/=$%€£❯」』）】")
DANGLING = frozenset(",;:-–—([{&+、，；：")
OPEN_WORDS = frozenset({
    "a", "an", "the", "and", "or", "but", "of", "to", "in", "on", "at", "for", "with", "from", "by", "as", "if", "that",
    "which", "who", "because", "so", "is", "are", "was", "were", "be",
})  # fmt: skip
# Thai, Lao, Khmer, Burmese: sentences end without a mark.
MARKLESS = ("THAI", "LAO", "KHMER", "MYANMAR")
REFUSAL = re.compile(
    r"\b(i['’]?m|i am) (very |really |so |truly )?sorry,? (but )?(i|that|this|we)\b"
    r".{0,40}(can['’]?t|cannot|can not|unable|not able|won['’]?t)"
    r"|\bi (can['’]?t|cannot|can not|won['’]?t|will not|am unable to|['’]m unable to|am not able to)"
    r" (help|assist|comply|provide|do that|answer|fulfill|support|engage|participate|discuss|share|give you|tell you)"
    r"|\bi['’]m (unable|not able) to (help|assist|comply|provide|answer|fulfill|support|discuss|share)"
    r"|\bas an ai\b.{0,60}(can['’]?t|cannot|unable|not able|don['’]?t)"
    r"|\bi (must|have to) (decline|refuse)|\bi['’]m not (comfortable|going to) (help|answer|tell|provid|do)",
    re.IGNORECASE | re.DOTALL,
)
NAMES_A_LANGUAGE = re.compile(
    r"translat|übersetz|traduc|traduz|traduis|\b(english|german|french|spanish|italian|portuguese|russian|chinese|"
    r"mandarin|japanese|korean|arabic|hindi|dutch|polish|turkish|latin|greek|hebrew|swedish|danish|norwegian|finnish|"
    r"deutsch|englisch|français|anglais|español|inglés)\b|翻译|翻訳",
    re.IGNORECASE,
)
# Neighbours that a few sentences do not tell apart.
KIN = ("no nb nn da sv", "hr sr bs sl", "id ms jv", "es gl ca pt oc an", "cs sk", "ru uk be bg mk", "hi mr ne")
FAMILY = {code: codes.split()[0] for codes in KIN for code in codes.split()}
SURE = 0.97


def is_empty(text: str) -> bool:
    """Nothing that can be seen: white space, control and format characters."""
    return all(character.isspace() or unicodedata.category(character) in {"Cc", "Cf"} for character in text)


def is_key(text: str) -> bool:
    """One of KEYS, or punctuation alone."""
    bare = text.strip().casefold().replace("’", "'")
    if not bare:
        return False
    return bare in KEYS or bare.rstrip(".:") in KEYS or all(unicodedata.category(mark)[0] == "P" for mark in bare)


def is_echo(text: str, prompt: str) -> bool:
    """The words of the prompt, in their order, are four fifths of the text or more."""
    asked, said = _words(prompt), _words(text)
    if len(asked) < MIN_ECHO_WORDS or len(said) < len(asked) or len(asked) < 0.8 * len(said):
        return False
    return any(said[start : start + len(asked)] == asked for start in range(len(said) - len(asked) + 1))


def is_refusal(text: str) -> bool:
    """An English refusal within the first 250 characters."""
    return REFUSAL.search(text[:250]) is not None


def is_truncated(text: str) -> bool:
    """A code block is open at the end, or the last sentence is."""
    if len(FENCE.findall(text)) % 2:
        return True
    stripped = text.rstrip()
    if len(_words(stripped)) < MIN_SENTENCE_WORDS or stripped[-1] in ENDINGS:
        return False
    last_line = stripped.splitlines()[-1]
    words = last_line.split()
    if stripped[-1] in DANGLING or words[-1].casefold() in OPEN_WORDS:
        return True
    is_prose = not LIST_ITEM.match(last_line) and len(_words(last_line)) >= 8 and "://" not in words[-1]
    return is_prose and stripped[-1].isalpha() and not unicodedata.name(stripped[-1], "").startswith(MARKLESS)


def compression(text: str) -> float | None:
    """Bytes over bytes packed by zlib: prose has 1.5 to 3, a loop far more; None for a short text."""
    raw = text.encode(errors="replace")
    return len(raw) / len(zlib.compress(raw, 6)) if len(raw) >= MIN_REPETITION_BYTES else None


def repeated(text: str) -> float | None:
    """Share of the runs of four words that came before in the text, 0..1; None for a short text."""
    words = _words(text)
    if len(words) < MIN_REPETITION_WORDS:
        return None
    grams = [tuple(words[start : start + GRAM]) for start in range(len(words) - GRAM + 1)]
    return 1.0 - len(set(grams)) / len(grams)


def is_other_language(text: str, prompt: str) -> bool:
    """Another script than most of the prompt's, or with certainty another language; code and addresses left out.

    A prompt that names a language or asks to translate is not held against any answer.
    """
    if NAMES_A_LANGUAGE.search(prompt):
        return False
    said, asked = CODE.sub(" ", text), CODE.sub(" ", prompt)
    if min(_letters(said), _letters(asked)) < MIN_LETTERS:
        return False
    scripts = {_script(said), _script(asked)}
    if len(scripts) == 2:
        return None not in scripts
    (one, sure_of_one), (other, sure_of_other) = _language(said), _language(asked)
    return min(sure_of_one, sure_of_other) >= SURE and FAMILY.get(one, one) != FAMILY.get(other, other)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in TOKENS.findall(text)]


def _letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _script(text: str) -> str | None:
    """The script of four fifths of the letters, by the first word of their Unicode names; kana and Han are one."""
    seen = Counter(_script_of(character) for character in text[:2000] if character.isalpha())
    name, count = seen.most_common(1)[0]
    return name if count >= 0.8 * seen.total() else None


@lru_cache(maxsize=8192)
def _script_of(character: str) -> str:
    name = unicodedata.name(character, "UNKNOWN").split()[0]
    return "CJK" if name in {"CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH", "FULLWIDTH"} else name


@lru_cache(maxsize=4096)
def _language(text: str) -> tuple[str, float]:
    code, probability = _identifier().classify(text[:1000])
    return str(code), float(probability)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
