"""Crowds whose truth is known, because we planted it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.aggregation.votes import Votes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Crowd:
    votes: Votes
    truth: Ints
    # Share of right answers, per annotator.
    accuracy: Floats

    def share_right(self, label: Ints) -> float:
        return float(np.mean(label == self.truth))


Plant = Callable[..., Crowd]


@pytest.fixture
def plant() -> Plant:
    def plant(
        *, seed: int = 0, items: int = 400, annotators: int = 30, each: int = 5, answers: int = 3, best: float = 0.95
    ) -> Crowd:
        """Every item is judged by `each` different people, who err toward any other answer alike."""
        rng = np.random.default_rng(seed)
        truth = rng.integers(answers, size=items)
        accuracy = rng.uniform(0.45, best, size=annotators)
        item = np.repeat(np.arange(items), each)
        annotator = np.concatenate([rng.choice(annotators, each, replace=False) for _ in range(items)])
        is_right = rng.random(len(item)) < accuracy[annotator]
        wrong = (truth[item] + rng.integers(1, answers, size=len(item))) % answers
        answer = np.where(is_right, truth[item], wrong)
        return Crowd(Votes(item, annotator, answer, items, annotators, answers), truth, accuracy)

    return plant
