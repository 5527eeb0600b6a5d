"""One figure of every person at once: values, intervals and counts as columns, turned into words one row at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotation.statistics.biases import sigma
from annotation.statistics.estimates import Floats, Ints
from ledger.shares import Z_95


@dataclass(frozen=True)
class Figure:
    """A figure of one person, or the reason why there is none."""

    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def side_of(self, neutral: float) -> int:
        """-1 or 1 where the whole interval lies below or above, else 0."""
        if self.low is None or self.high is None:
            return 0
        return 1 if self.low > neutral else -1 if self.high < neutral else 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Column:
    """nan where there is nothing to say; `reason` then says why, and may name {n}."""

    value: Floats
    low: Floats
    high: Floats
    n: Ints
    reason: str

    def figure(self, place: int) -> Figure:
        n = int(self.n[place])
        if np.isnan(self.value[place]):
            return Figure(n, reason=self.reason.format(n=n))
        return Figure(n, float(self.value[place]), float(self.low[place]), float(self.high[place]))


def shares(hits: NDArray[Any], n: Ints, *, least: int, reason: str) -> Column:
    """`hits` of `n` with Wilson's interval; nothing below `least`."""
    known = n >= least
    safe = np.where(known, np.maximum(n, 1), 1).astype(np.float64)
    share, spread = hits / safe, Z_95**2 / safe
    half = Z_95 * np.sqrt(np.maximum(share * (1 - share), 0) / safe + spread / (4 * safe))
    low = np.maximum(0.0, (share + spread / 2 - half) / (1 + spread))
    high = np.minimum(1.0, (share + spread / 2 + half) / (1 + spread))
    value, low, high = (np.where(known, part, np.nan) for part in (share, low, high))
    return Column(value, low, high, n, reason)


def shares_of_odds(odds: Floats, error: Floats, known: Any, n: Ints, reason: str) -> Column:
    """Log odds with their standard errors, told as shares."""
    known = known & np.isfinite(error)
    safe = np.where(known, error, 0.0)
    value, low, high = (np.where(known, sigma(odds + z * safe), np.nan) for z in (0.0, -Z_95, Z_95))
    return Column(value, low, high, n, reason)


def nothing(n: Ints, reason: str) -> Column:
    empty = np.full(len(n), np.nan)
    return Column(empty, empty, empty, n, reason)
