"""Follow-up scores that are made up, so that the answer is known."""

from __future__ import annotations

import numpy as np

from workers.engine.followups.said import Measured, Said
from workers.methods._base import Pair

NAMES = ["tone", "truth", "wit"]


def measured(
    n: int = 120, *, noise: float = 0.5, seed: int = 0, flags: tuple[str, ...] = (), width: int = len(NAMES)
) -> Measured:
    """Two comparisons a prompt; a label says which response has more of a quality, which aspects see with noise."""
    rng = np.random.default_rng(seed)
    pairs, sides = [], []
    for row in range(n):
        quality = rng.normal(size=2)
        told = [
            Said(value + noise * rng.normal(size=width), flags, float(rng.uniform(0, 0.2)), float(rng.normal()))
            for value in quality
        ]
        a, b = ("x" * int(rng.integers(5, 50)) for _ in range(2))
        label = 1 if quality[1] > quality[0] else -1
        pairs.append(Pair(row, 1, row // 2, [], 2 * row, a, 2 * row + 1, b, label))
        sides.append((told[0], told[1]))
    return Measured(pairs, sides)
