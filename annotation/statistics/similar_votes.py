"""How much agreement the rule of the three most similar votes makes by dropping votes: kappa before it and after.

Quadratically weighted Cohen's kappa (cohen.py), mean over pairs of columns: the answers to a comparison in the order
in which they came are its columns, as in published tables without names. Before: all answers to comparisons with three
numbers or more. After: the three kept answers, of the comparisons that the rule decides. The second figure is higher
by construction, so neither is told without the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.consensus.three_most_similar import closest
from annotation.models import Campaign
from annotation.statistics.cohen import cohen_kappas
from annotation.statistics.estimates import Estimate
from annotation.statistics.read import Votes, votes_of


@dataclass(frozen=True)
class FilteredKappa:
    before: Estimate
    after: Estimate
    # Comparisons with three numbers or more, and those the rule decides.
    n_asked: int
    n_kept: int

    def as_dict(self) -> dict[str, Any]:
        figures = {"before": self.before.as_dict(), "after": self.after.as_dict()}
        return {**figures, "n_asked": self.n_asked, "n_kept": self.n_kept}


def filtered_kappa(campaign: Campaign) -> FilteredKappa:
    return filtered_kappa_of(votes_of(campaign).counting)


def filtered_kappa_of(votes: Votes) -> FilteredKappa:
    numbers = votes.where(~np.isnan(votes.choice))
    order = np.lexsort((numbers.id, numbers.comparison))
    _, starts = np.unique(numbers.comparison[order], return_index=True)
    answers = [list(map(int, one)) for one in np.split(numbers.choice[order], starts[1:])] if len(order) else []
    asked = [one for one in answers if len(one) >= 3]
    decided = [one for one in map(_kept, asked) if one]
    return FilteredKappa(before=_kappa(asked), after=_kappa(decided), n_asked=len(asked), n_kept=len(decided))


def _kept(answers: list[int]) -> list[int]:
    """The three answers in the order in which they came; none where the rule decides nothing."""
    left = list(closest(tuple(sorted(answers))) or ())
    found = []
    for answer in answers:
        if answer in left:
            left.remove(answer)
            found.append(answer)
    return found


def _kappa(rows: list[list[int]]) -> Estimate:
    items = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    columns = np.array([place for row in rows for place in range(len(row))], dtype=np.int64)
    return cohen_kappas(items, columns, np.array([n for row in rows for n in row], dtype=float), "quadratic").mean
