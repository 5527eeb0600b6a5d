"""Categorical votes as arrays, and the two sums over them that every EM step consists of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Votes:
    """Who gave which answer to which item: three arrays [votes], each counting from 0.

    Items and annotators without a vote are allowed. A person who voted twice on an item counts twice.
    """

    item: Ints
    annotator: Ints
    answer: Ints
    n_items: int
    n_annotators: int
    n_answers: int

    def __post_init__(self) -> None:
        if self.n_answers < 2:
            raise ValueError("There must be two answers to choose from, even if nobody chose one of them.")
        for name, indexes, n in (
            ("item", self.item, self.n_items),
            ("annotator", self.annotator, self.n_annotators),
            ("answer", self.answer, self.n_answers),
        ):
            if len(indexes) != len(self.item):
                raise ValueError(f"There are {len(indexes)} values of {name} for {len(self.item)} votes.")
            if len(indexes) and not 0 <= int(indexes.min()) <= int(indexes.max()) < n:
                raise ValueError(f"Every {name} must lie in 0..{n - 1}.")

    def __len__(self) -> int:
        return len(self.item)

    @cached_property
    def _table(self) -> Any:
        """Sparse [items, annotators * answers]: how often this person gave this answer to this item."""
        shape = (self.n_items, self.n_annotators * self.n_answers)
        column = self.annotator * self.n_answers + self.answer
        return sparse.coo_matrix((np.ones(len(self)), (self.item, column)), shape=shape).tocsr()

    def evidence(self, log_table: Floats) -> Floats:
        """sum over an item's votes of log_table[annotator, answer given, truth]: [items, truths]."""
        return np.asarray(self._table @ log_table.reshape(self.n_annotators * self.n_answers, -1))

    def tallies(self, posterior: Floats) -> Floats:
        """sum over the votes of posterior[item, truth]: [annotators, answer given, truths]."""
        summed = self._table.T @ posterior
        return np.asarray(summed).reshape(self.n_annotators, self.n_answers, posterior.shape[1])

    @cached_property
    def counts(self) -> Floats:
        """[items, answers]: how often each answer was given."""
        cells = np.bincount(self.item * self.n_answers + self.answer, minlength=self.n_items * self.n_answers)
        return cells.reshape(self.n_items, self.n_answers).astype(np.float64)

    @property
    def shares(self) -> Floats:
        """[items, answers]: the share of each answer among an item's votes; even where there is none."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.where(total > 0, self.counts / np.maximum(total, 1.0), 1.0 / self.n_answers)

    @cached_property
    def per_annotator(self) -> Ints:
        return np.asarray(np.bincount(self.annotator, minlength=self.n_annotators), dtype=np.int64)

    def per_item(self, weights: Floats) -> Floats:
        """Sum of one number per vote over the votes of each item."""
        return summed(self.item, weights, self.n_items)

    def per_person(self, weights: Floats) -> Floats:
        """The same over the votes of each annotator."""
        return summed(self.annotator, weights, self.n_annotators)


def summed(group: Ints, weights: Floats, n: int) -> Floats:
    """Sum of the weights of each group 0..n-1."""
    return np.asarray(np.bincount(group, weights=weights, minlength=n), dtype=np.float64)
