"""What was answered on the items, as distinct patterns of counts.

Items with the same counts of answers are interchangeable, so a statistic of them is computed on the distinct patterns
with their multiplicities: exact, the bootstrap over items included, and as cheap for a million items as for ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.statistics.estimates import Floats

Row = tuple[int, ...]


@dataclass(frozen=True)
class Patterns:
    """Distinct rows of answer counts (pattern x value) and how many items have each."""

    values: tuple[Any, ...]
    counts: Floats
    multiplicity: Floats

    @property
    def n_items(self) -> int:
        return int(self.multiplicity.sum())

    @property
    def n_answers(self) -> int:
        return int((self.counts.sum(axis=1) * self.multiplicity).sum())

    @property
    def problem(self) -> str:
        """Why nothing can be said of them; empty when something can."""
        return "" if self.n_items else "No comparison has two answers yet, so nothing can be compared."


def patterns_of(items: Iterable[Sequence[Any]]) -> Patterns:
    """From each item's answers; None stands for a missing one."""
    answered = [[answer for answer in answers if answer is not None] for answers in items]
    values = tuple(sorted({answer for answers in answered for answer in answers}))
    place = {value: column for column, value in enumerate(values)}
    rows: dict[Row, int] = {}
    for answers in answered:
        row = [0] * len(values)
        for answer in answers:
            row[place[answer]] += 1
        rows[tuple(row)] = rows.get(tuple(row), 0) + 1
    return pairable(values, rows)


def pairable(values: tuple[Any, ...], rows: Mapping[Row, int]) -> Patterns:
    """An item with one answer pairs with nothing, and counts in no statistic."""
    kept = {row: times for row, times in rows.items() if sum(row) >= 2}
    counts = np.array(list(kept), dtype=np.float64).reshape(len(kept), len(values))
    return Patterns(values, counts, np.array(list(kept.values()), dtype=np.float64))


def merged(rows: Mapping[Row, int], merge: Callable[[Row], Row]) -> dict[Row, int]:
    """The same items, their answers counted more coarsely."""
    found: dict[Row, int] = {}
    for row, times in rows.items():
        key = merge(row)
        found[key] = found.get(key, 0) + times
    return found
