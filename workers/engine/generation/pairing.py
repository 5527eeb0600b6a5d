"""Which two of several scored texts are compared: the best one, and another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from workers.engine.generation.written import seed_of
from workers.engine.likelihood.tokens import Messages

RANDOM, WORST = "random", "worst"
# Why there is no pair.
ALONE, FLAGGED, EQUAL = "alone", "flagged", "equal"


@dataclass(frozen=True, slots=True)
class Scored:
    """`value` NaN or a flag: it is not compared."""

    text: str
    value: float
    is_flagged: bool = False


@dataclass(frozen=True, slots=True)
class Paired:
    chosen: str
    rejected: str


def paired(messages: Messages, scored: Sequence[Scored], *, rejected: str, seed: int) -> Paired | str:
    """The text with the largest value and, of those with a smaller one, the smallest or one drawn by the seed; or why
    there is none. Neither the order of the texts nor a text that comes twice changes anything."""
    texts = {one.text: one for one in scored}
    if len(texts) < 2:
        return ALONE
    sound = [one for one in texts.values() if isfinite(one.value) and not one.is_flagged]
    if len(sound) < 2:
        return FLAGGED
    ordered = sorted(sound, key=lambda one: hashlib.sha256(one.text.encode()).digest())
    best = max(ordered, key=lambda one: one.value)
    others = [one for one in ordered if one.value < best.value]
    if not others:
        return EQUAL
    if rejected == WORST:
        return Paired(best.text, min(others, key=lambda one: one.value).text)
    return Paired(best.text, others[seed_of(seed, messages, 0) % len(others)].text)
