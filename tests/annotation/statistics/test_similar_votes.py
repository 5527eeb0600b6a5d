from __future__ import annotations

import random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotation.statistics.read import Votes
from annotation.statistics.similar_votes import filtered_kappa_of


def _votes(rows: list[list[int]]) -> Votes:
    cells = [(item + 1, answer) for item, row in enumerate(rows) for answer in row]
    n = len(cells)
    return Votes(
        id=np.arange(n), comparison=np.array([item for item, _ in cells]), annotator=np.arange(n) % 7,
        purpose=np.zeros(n, dtype=np.int64), choice=np.array([answer for _, answer in cells], dtype=float),
        is_both_bad=np.zeros(n, dtype=bool), is_b_first=np.zeros(n, dtype=bool), log2_lengths=np.zeros(n),
        seconds=np.zeros(n), at=np.zeros(n),
    )  # fmt: skip


def test_dropping_what_differs_raises_kappa_and_both_figures_are_told() -> None:
    rng = random.Random(2)
    rows = []
    for _ in range(300):
        truth = rng.choice([-2, -1, 1, 2])
        rows.append([max(-3, min(3, round(rng.gauss(truth, 1.2)))) for _ in range(5)])
    found = filtered_kappa_of(_votes(rows))
    assert found.before.value is not None and found.after.value is not None
    assert found.after.value > found.before.value + 0.1
    assert found.n_asked == 300 and 250 < found.n_kept <= 300


def test_three_answers_that_are_all_kept_have_the_kappa_of_their_columns() -> None:
    rows = [[1, 1, 2], [-1, 0, -1], [3, 2, 2], [-2, -3, -3], [0, 1, 0]] * 6
    found = filtered_kappa_of(_votes(rows))
    columns = list(zip(*rows, strict=True))
    theirs = [
        cohen_kappa_score(columns[x], columns[y], weights="quadratic", labels=range(-3, 4))
        for x, y in ((0, 1), (0, 2), (1, 2))
    ]
    assert found.before.value == pytest.approx(np.mean(theirs)) == found.after.value


def test_without_three_answers_anywhere_it_says_why() -> None:
    found = filtered_kappa_of(_votes([[1, 2], [3]]))
    assert (found.n_asked, found.before.value) == (0, None) and found.before.reason
