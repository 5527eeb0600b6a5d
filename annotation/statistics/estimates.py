"""A figure with what it rests on: its n and its interval, or the reason why there is none.

Intervals of agreement are percentile bootstraps over items (B. Efron, R. Tibshirani, "An Introduction to the
Bootstrap", 1993, chapter 13): the items are drawn again with replacement, since it is other items that a reader wants
to speak of. All random numbers come from a seed, so that the same votes give the same figure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BOOTSTRAP_ROUNDS = 2000
# Below this a bootstrap over items tells nothing about other items.
MIN_ITEMS_FOR_INTERVAL = 10
SEED = 20_240_229


@dataclass(frozen=True)
class Estimate:
    """A statistic, or the reason why there is none."""

    # Items with at least two answers, and the answers on them.
    n_items: int
    n_answers: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n_items,
            "n_answers": self.n_answers,
            "reason": self.reason or None,
        }


def bootstrapped(
    value: float,
    statistic: Callable[[Floats], Floats],
    multiplicity: Floats,
    *,
    n_answers: int,
    seed: int = SEED,
    rounds: int = BOOTSTRAP_ROUNDS,
) -> Estimate:
    """`statistic` takes rows of weights, one weight per kind of item, of which there are `multiplicity`."""
    n_items = int(multiplicity.sum())
    if n_items < MIN_ITEMS_FOR_INTERVAL:
        reason = f"No interval: it takes {MIN_ITEMS_FOR_INTERVAL} comparisons with two answers."
        return Estimate(n_items, n_answers, float(value), reason=reason)
    rng = np.random.default_rng(seed)
    drawn = statistic(rng.multinomial(n_items, multiplicity / n_items, size=rounds).astype(np.float64))
    if np.isnan(drawn).all():
        return Estimate(n_items, n_answers, float(value), reason="No interval: it is undefined in every sample.")
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(n_items, n_answers, float(value), float(low), float(high))
