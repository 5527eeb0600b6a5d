"""Exact bounds of a share (Clopper and Pearson 1934), without tables.

`hits` of `n` were drawn. The lower bound is the share p at which so many hits or more have the chance `alpha`:
P(X >= hits | n, p) = alpha for X binomial; 0 without a hit. The upper bound is 1 minus that of the misses. It holds at
least at 1 - alpha, also for a sample without replacement and for one drawn in proportion from bands with different
shares (Hoeffding 1956: their sum is less spread than a binomial).
"""

from __future__ import annotations

import math

ONE_SIDED = 0.05
HALVINGS = 60


def lower_bound(hits: int, n: int, alpha: float = ONE_SIDED) -> float | None:
    """None without rows."""
    if n == 0:
        return None
    if hits == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _at_least(hits, n, middle) > alpha else (middle, high)
    return low


def upper_bound(hits: int, n: int, alpha: float = ONE_SIDED) -> float | None:
    low = lower_bound(n - hits, n, alpha)
    return None if low is None else 1 - low


def interval(hits: int, n: int) -> tuple[float, float] | None:
    """Two-sided, 95 %."""
    low, high = lower_bound(hits, n, ONE_SIDED / 2), upper_bound(hits, n, ONE_SIDED / 2)
    return None if low is None or high is None else (low, high)


def _at_least(hits: int, n: int, p: float) -> float:
    if p in {0.0, 1.0}:
        return p
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p))
        for k in range(hits, n + 1)
    )
