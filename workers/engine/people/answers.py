"""What people have said of comparisons, over all ways in which they say it, as arrays beside the pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.people.worth import openness

if TYPE_CHECKING:
    from workers.engine.bench import Bench

A, TIE, B, BOTH_BAD = range(4)


class Labelled(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def sign(self) -> int: ...


@dataclass(frozen=True)
class Said:
    """Arrays [n] in the order of the pairs."""

    ids: Ints
    # What to hold true: decided by hand, else what most people say, else the label; 0 where none, or even.
    sign: Ints
    # How often each of a, tie, b, both bad was said [n, 4].
    counts: Ints
    # People have said or decided which is better.
    is_answered: NDArray[np.bool_]
    # A label came with the data, and is no tie.
    is_labelled: NDArray[np.bool_]
    # ... and what people say is its opposite.
    is_overruled: NDArray[np.bool_]
    # Runner-up over leader among the answers; NaN below two answers.
    split: Floats
    # How much a further answer can change, 0..1; 0 where a curator has decided.
    open: Floats


def gathered(pairs: Sequence[Labelled], bench: Bench) -> Said:
    """`pairs` by id."""
    ids = np.array([pair.id for pair in pairs], dtype=np.int64)
    label = np.array([pair.sign for pair in pairs], dtype=np.int64)
    counts = np.zeros((len(ids), 4), dtype=np.int64)
    votes = bench.votes()
    if votes is not None:
        answer = np.where(votes.is_both_bad, BOTH_BAD, np.sign(votes.choice) + 1)
        _count(counts, ids, votes.comparison, answer)
    checks = bench.checks()
    audited = [check for check in checks if not check.is_final]
    _count(
        counts, ids, [check.comparison_id for check in audited], [np.sign(check.label or 0) + 1 for check in audited]
    )
    people = np.sign(counts[:, B] - counts[:, A]) * (np.maximum(counts[:, A], counts[:, B]) >= counts.max(axis=1))
    is_final, imported = np.zeros(len(ids), np.bool_), np.where(np.isin(ids, bench.came_unlabelled()), 0, label)
    row = {int(number): place for place, number in enumerate(ids)}
    for check in checks:
        place = row.get(check.comparison_id)
        if place is None:
            continue
        imported[place] = np.sign(check.imported or 0)
        if check.is_final:
            is_final[place], people[place] = True, np.sign(check.label or 0)
    answered = people != 0
    top = np.sort(counts, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        split = np.where(counts.sum(axis=1) >= 2, top[:, -2] / top[:, -1], np.nan)
    return Said(
        ids=ids,
        sign=np.where(answered, people, np.where(counts.sum(axis=1) + is_final > 0, 0, label)),
        counts=counts,
        is_answered=(counts.sum(axis=1) > 0) | is_final,
        is_labelled=imported != 0,
        is_overruled=answered & (people == -imported),
        split=split,
        open=np.where(is_final, 0.0, openness(counts)),
    )


def _count(counts: Ints, ids: Ints, comparison: Ints | Sequence[int], answer: Ints | Sequence[int]) -> None:
    if not len(comparison) or not len(ids):
        return
    place = np.minimum(np.searchsorted(ids, comparison), len(ids) - 1)
    here = ids[place] == np.asarray(comparison)
    np.add.at(counts, (place[here], np.asarray(answer, dtype=np.int64)[here]), 1)
