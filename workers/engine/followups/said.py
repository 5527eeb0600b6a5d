"""What a model makes of responses by the remarks behind them: each response once, whoever compares it with what."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.engine.bench import Bench
from workers.engine.followups.remarks import FollowUps
from workers.engine.heads.bradley_terry import Floats
from workers.engine.likelihood.compared import Compared, Sides, both_sides

if TYPE_CHECKING:
    from workers.engine.likelihood.cached import Likely
    from workers.engine.likelihood.tokens import Messages

# Characters of conversations, each remark's with what stands before it: some 50 MB of token ids.
PORTION = 4_000_000
# Shorter words stand in any response.
LEAST_LETTERS = 4


@dataclass(frozen=True)
class Scale:
    """`mean`: s_f per token of the remark; `sum`: over its tokens. Calibrated: less the same of a neutral response."""

    model: str
    form: str = "mean"
    is_calibrated: bool = False


@dataclass(frozen=True)
class Said:
    """Of one response."""

    # [aspects], NaN where a remark has no finite number.
    aspects: Floats
    # Why not to trust it.
    flags: tuple[str, ...]
    # Share of the remarks' words that stand in the response, and the same of praise less that of complaint.
    echo: float
    echo_tilt: float

    @property
    def total(self) -> float:
        total = float(self.aspects.mean()) if len(self.aspects) else nan
        return total if isfinite(total) else nan


def said_of(
    asked: Sequence[tuple[Messages, Sequence[str]]], follow_ups: FollowUps, scale: Scale, bench: Bench
) -> list[list[Said]]:
    """Of each conversation with its responses, in the order asked."""
    words = echoes(follow_ups)
    told: list[list[Said]] = []
    for some in _portions(asked, follow_ups):
        told += _said_of_some(some, follow_ups, words, scale, _part_of(bench, len(told), len(some), len(asked)))
    return told


def _portions(
    asked: Sequence[tuple[Messages, Sequence[str]]], follow_ups: FollowUps
) -> Iterator[list[tuple[Messages, Sequence[str]]]]:
    """Every remark is a conversation of its own until it is scored, so not too many are asked about at once."""
    portion: list[tuple[Messages, Sequence[str]]] = []
    characters = 0
    for messages, texts in asked:
        portion.append((messages, texts))
        given = sum(len(str(turn.get("content") or "")) for turn in messages)
        characters += len(follow_ups.texts) * sum(given + len(text) for text in (*texts, follow_ups.neutral))
        if characters >= PORTION:
            yield portion
            portion, characters = [], 0
    if portion:
        yield portion


def _part_of(bench: Bench, before: int, some: int, every: int) -> Bench:
    """The same bench, whose progress counts from all that is asked."""

    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        bench.progress(1000 * before + (1000 * some * done // total if total else 0), 1000 * every, stage)

    return replace(bench, progress=progress)


def _said_of_some(
    asked: Sequence[tuple[Messages, Sequence[str]]], follow_ups: FollowUps, words: Echoes, scale: Scale, bench: Bench
) -> list[list[Said]]:
    rows = [(messages, text, follow_ups.texts) for messages, texts in asked for text in texts]
    neutral = [(messages, follow_ups.neutral, follow_ups.texts) for messages, _ in asked] if scale.is_calibrated else []
    found = bench.remarks([*rows, *neutral], model=scale.model)
    told, at = [], 0
    for number, (_, texts) in enumerate(asked):
        from_zero = found[len(rows) + number] if scale.is_calibrated else None
        told.append(
            [_said(found[at + nth], from_zero, text, follow_ups, words, scale) for nth, text in enumerate(texts)]
        )
        at += len(texts)
    return told


def _said(
    found: Sequence[Likely],
    neutral: Sequence[Likely] | None,
    text: str,
    follow_ups: FollowUps,
    words: Echoes,
    scale: Scale,
) -> Said:
    s = _values(found, scale)
    if neutral is not None:
        s = s - _values(neutral, scale)
    flags = {flag for one in (*found, *(neutral or ())) for flag in one.doubts}
    if not text.strip():
        flags.add("empty")
    share, tilt = words.of(text)
    return Said(s @ follow_ups.weights, tuple(sorted(flags)), share, tilt)


def _values(found: Sequence[Likely], scale: Scale) -> Floats:
    return np.array([one.mean if scale.form == "mean" else one.total for one in found], dtype=np.float64)


@dataclass(frozen=True)
class Echoes:
    """The words of the remarks."""

    praise: frozenset[str]
    complaint: frozenset[str]

    def of(self, text: str) -> tuple[float, float]:
        said = _words(text)
        every = self.praise | self.complaint
        share = len(every & said) / len(every) if every else 0.0
        parts = [len(words & said) / len(words) if words else 0.0 for words in (self.praise, self.complaint)]
        return share, parts[0] - parts[1]


def echoes(follow_ups: FollowUps) -> Echoes:
    praise = (text for aspect in follow_ups.aspects for text in aspect.positive)
    complaint = (text for aspect in follow_ups.aspects for text in aspect.negative)
    return Echoes(_words(" ".join(praise)), _words(" ".join(complaint)))


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.casefold()) if len(word) >= LEAST_LETTERS)


@dataclass(frozen=True)
class Measured(Compared):
    """Comparisons with what was said of both responses."""

    sides: Sequence[tuple[Said, Said]]

    @cached_property
    def mean(self) -> Floats:
        """Total of b less total of a; NaN where one has none."""
        return np.array([b.total - a.total for a, b in self.sides], dtype=np.float64)

    @cached_property
    def aspects(self) -> Floats:
        """[comparisons, aspects]: the same by aspect."""
        width = len(self.sides[0][0].aspects) if self.sides else 0
        return np.array([b.aspects - a.aspects for a, b in self.sides], dtype=np.float64).reshape(
            len(self.sides), width
        )

    @cached_property
    def is_clean(self) -> NDArray[np.bool_]:
        return np.array([not (a.flags or b.flags) for a, b in self.sides], dtype=np.bool_)

    def responses(self) -> dict[int, tuple[int, str, Said]]:
        """By response its prompt, its text and what was said of it."""
        found = {}
        for pair, (a, b) in zip(self.pairs, self.sides, strict=True):
            found[pair.a_id] = (pair.prompt_id, pair.a, a)
            found[pair.b_id] = (pair.prompt_id, pair.b, b)
        return dict(sorted(found.items()))


class Recalled:
    """Asks about what was not measured yet: reading a remark's conversation takes a while, even where it is kept."""

    def __init__(self, found: Measured, follow_ups: FollowUps, scale: Scale, bench: Bench) -> None:
        self.follow_ups, self.scale, self.bench = follow_ups, scale, bench
        self.known: dict[tuple[bytes, str], Said] = {}
        for pair, (a, b) in zip(found.pairs, found.sides, strict=True):
            key = _digest(pair.messages)
            self.known[key, pair.a], self.known[key, pair.b] = a, b

    def __call__(self, asked: Sequence[tuple[Messages, Sequence[str]]]) -> list[list[Said]]:
        rows = [(_digest(messages), messages, texts) for messages, texts in asked]
        fresh = [
            (key, messages, [text for text in texts if (key, text) not in self.known]) for key, messages, texts in rows
        ]
        fresh = [row for row in fresh if row[2]]
        told = said_of([(messages, texts) for _, messages, texts in fresh], self.follow_ups, self.scale, self.bench)
        new = {
            (key, text): one
            for (key, _, texts), row in zip(fresh, told, strict=True)
            for text, one in zip(texts, row, strict=True)
        }
        return [[new.get((key, text)) or self.known[key, text] for text in texts] for key, _, texts in rows]


def _digest(messages: Messages) -> bytes:
    return hashlib.sha256(str(messages).encode()).digest()


def measure(pairs: Sequence[Sides], follow_ups: FollowUps, scale: Scale, bench: Bench) -> Measured:
    return Measured(pairs, both_sides(pairs, lambda rows: said_of(rows, follow_ups, scale, bench)))
