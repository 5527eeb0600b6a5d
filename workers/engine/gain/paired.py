"""Accuracies on the same rows, and their differences, with intervals that draw whole groups of rows.

A bootstrap: groups (prompts) are drawn with replacement, all columns from the same draws, so that a difference of two
columns is paired. Each draw is the mean over the rows of the groups drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints

DRAWS = 2000
CHUNK = 100


def bootstrap_means(rows: Floats, groups: Ints, *, seed: Sequence[int], draws: int = DRAWS) -> Floats:
    """rows [n, k], groups [n] -> means of the columns in each draw [draws, k]."""
    names, inverse = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1] + 1))
    np.add.at(sums, inverse, np.hstack([rows, np.ones((len(rows), 1))]))
    rng = np.random.default_rng(seed)
    found = []
    for start in range(0, draws, CHUNK):
        n = min(CHUNK, draws - start)
        drawn = rng.integers(0, len(names), size=(n, len(names))) + len(names) * np.arange(n)[:, None]
        times = np.bincount(drawn.ravel(), minlength=n * len(names)).reshape(n, len(names))
        found.append(times @ sums)
    together = np.vstack(found)
    return np.asarray(together[:, :-1] / together[:, -1:])


def interval(drawn: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
