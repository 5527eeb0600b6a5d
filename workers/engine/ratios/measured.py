"""Comparisons measured by the ratio of two models: every response of a prompt once, in one row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workers.engine.bench import Bench
from workers.engine.heads.bradley_terry import Floats
from workers.engine.likelihood.compared import Compared, Sides, both_sides
from workers.engine.ratios.ratio import Ratio, Scale, ratios, unit_of

if TYPE_CHECKING:
    from workers.engine.likelihood.tokens import Messages

# What is put before a prompt, as the conversation that is then asked about.
Dress = Callable[["Messages"], "Messages"]


@dataclass(frozen=True)
class Measured(Compared):
    """Of each comparison the ratios of both responses, and the unit in which all of them are told."""

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
    def is_clean(self) -> NDArray[np.bool_]:
        return np.array([a.is_clean and b.is_clean for a, b in self.sides], dtype=np.bool_)

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
    """The responses of a prompt stand in one row, so that they have one boundary."""
    sides = both_sides(pairs, lambda rows: ratios([(dress(given), texts) for given, texts in rows], scale, bench))
    return Measured(pairs, sides, unit_of((one for both in sides for one in both), scale.form))
