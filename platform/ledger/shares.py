"""Shares with what chance alone would do to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959964


@dataclass(frozen=True)
class Share:
    """`hits` of `n`, with the Wilson interval at 95 %; without rows there is nothing to say."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.n:
            return None
        share, spread = self.hits / self.n, Z_95**2 / self.n
        centre = share + spread / 2
        half = Z_95 * math.sqrt(share * (1 - share) / self.n + spread / (4 * self.n))
        return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))

    def __str__(self) -> str:
        if self.interval is None:
            return "no rows yet"
        low, high = self.interval
        return f"{self.value:.2f}, {low:.2f} to {high:.2f}, n = {self.n:,}"
