"""Comparisons measured by the ratio of two models: every response of a prompt once, in one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.engine.bench import Bench
from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.ratios.ratio import Ratio, Scale, ratios, unit_of

if TYPE_CHECKING:
    from workers.engine.likelihood.tokens import Messages

# What is put before a prompt, as the conversation that is then asked about.
Dress = Callable[["Messages"], "Messages"]


class Sides(Protocol):
    """A comparison; `workers.methods._base.Pair` says what is in it."""

    @property
    def prompt_id(self) -> int: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def a_id(self) -> int: ...
    @property
    def a(self) -> str: ...
    @property
    def b_id(self) -> int: ...
    @property
    def b(self) -> str: ...
    @property
    def sign(self) -> int: ...


@dataclass(frozen=True)
class Measured:
    """Of each comparison the ratios of both responses, and the unit in which all of them are told."""

    pairs: Sequence[Sides]
    sides: Sequence[tuple[Ratio, Ratio]]
    unit: str

    @cached_property
    def mean(self) -> Floats:
        """Score of b minus score of a; NaN where one has none."""
        return self._difference(lambda one: one.value(self.unit))

    @cached_property
    def of_strong(self) -> Floats:
        return self._difference(lambda one: one.of_strong(self.unit))

    @cached_property
    def tokens(self) -> Floats:
        """By how many of the strong model's tokens b is longer."""
        return self._difference(lambda one: float(one.strong.tokens))

    @cached_property
    def length(self) -> Floats:
        """By how many characters b is longer."""
        return np.array([float(len(pair.b) - len(pair.a)) for pair in self.pairs])

    @cached_property
    def is_clean(self) -> NDArray[np.bool_]:
        return np.array([a.is_clean and b.is_clean for a, b in self.sides], dtype=np.bool_)

    @cached_property
    def sign(self) -> Ints:
        return np.array([pair.sign for pair in self.pairs], dtype=np.int64)

    @cached_property
    def prompts(self) -> Ints:
        return np.array([pair.prompt_id for pair in self.pairs], dtype=np.int64)

    def responses(self) -> dict[int, tuple[int, Ratio]]:
        """By response its prompt and its ratio."""
        found = {}
        for pair, (a, b) in zip(self.pairs, self.sides, strict=True):
            found[pair.a_id] = (pair.prompt_id, a)
            found[pair.b_id] = (pair.prompt_id, b)
        return found

    def _difference(self, of: Callable[[Ratio], float]) -> Floats:
        return np.array([of(b) - of(a) for a, b in self.sides], dtype=np.float64)


def measure(pairs: Sequence[Sides], scale: Scale, bench: Bench, dress: Dress) -> Measured:
    """Responses of one prompt stand in one row, each text once, whatever the order of the comparisons."""
    texts: dict[int, set[str]] = {}
    messages: dict[int, Messages] = {}
    for pair in pairs:
        messages.setdefault(pair.prompt_id, pair.messages)
        texts.setdefault(pair.prompt_id, set()).update((pair.a, pair.b))
    asked = [(dress(messages[prompt]), sorted(texts[prompt])) for prompt in sorted(texts)]
    found = {
        (prompt, text): ratio
        for prompt, row, (_, said) in zip(sorted(texts), ratios(asked, scale, bench), asked, strict=True)
        for text, ratio in zip(said, row, strict=True)
    }
    sides = [(found[pair.prompt_id, pair.a], found[pair.prompt_id, pair.b]) for pair in pairs]
    return Measured(pairs, sides, unit_of(found.values(), scale.form))
