"""Shares and slopes of rows that come in groups, such as the comparisons of one prompt, with 95 % intervals.

Rows of a group are alike, so they count for less than their number. Share: Wilson's interval at the effective number
n / deff, where deff (1 at least) is the variance of the share between groups over that of independent rows; with the
quantile of Student's t at groups - 1 degrees of freedom. Slopes: logistic, without intercept, with the sandwich of
Liang and Zeger over groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import Floats, Ints, fit_heads, wilson

Flags = NDArray[np.bool_] | Floats
# A little shrinkage, so that a column that separates the labels has a slope at all.
RIDGE = 1.0


def clustered_share(hits: Flags, groups: Ints) -> dict[str, Any]:
    """A hit is 1, a miss 0, what is neither one half.

    `interval` is null below two groups: then nothing tells how far one group may differ from the next.
    """
    n = len(hits)
    if not n:
        return {"share": None, "interval": None, "n": 0, "groups": 0}
    share = float(hits.mean())
    _, inverse = np.unique(groups, return_inverse=True)
    n_groups = int(inverse.max()) + 1
    found: dict[str, Any] = {"share": share, "interval": None, "n": n, "groups": n_groups}
    if n_groups > 1:
        effective = _effective(hits, inverse, share, n_groups)
        found["interval"] = wilson(share * effective, effective, _quantile(n_groups - 1))  # type: ignore[arg-type]  # any number above 0 will do
    return found


def _effective(hits: Flags, inverse: NDArray[np.intp], share: float, n_groups: int) -> float:
    n = len(hits)
    if share in (0.0, 1.0):
        return float(n_groups)
    between = np.bincount(inverse, weights=hits - share)
    variance = n_groups / (n_groups - 1) * float((between**2).sum()) / n**2
    return n / max(1.0, variance / (share * (1 - share) / n))


def _quantile(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))


def clustered_slopes(x: Floats, sign: Ints, groups: Ints) -> list[dict[str, Any]]:
    """Log-odds of preferring b per unit of each column, given the others, each with its interval."""
    beta = fit_heads(x, sign.astype(np.float64), np.ones((len(x), 1)), np.array([RIDGE]))[:, 0]
    p = 0.5 * (1 + np.tanh(0.5 * (x @ beta)))
    curvature = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(x.shape[1])
    _, inverse = np.unique(groups, return_inverse=True)
    n_groups = int(inverse.max()) + 1
    scores = np.zeros((n_groups, x.shape[1]))
    np.add.at(scores, inverse, x * ((sign > 0) - p)[:, None])
    bread = np.linalg.inv(curvature)
    spread = np.sqrt(np.diag(bread @ (scores.T @ scores) @ bread) * n_groups / max(n_groups - 1, 1))
    reach = _quantile(n_groups - 1) * spread
    return [{"log_odds": float(b), "interval": [float(b - r), float(b + r)]} for b, r in zip(beta, reach, strict=True)]
