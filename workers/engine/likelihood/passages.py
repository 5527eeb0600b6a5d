"""What a likelihood is asked of, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Passage:
    """Token ids as the model reads them; those from `begin` (at least 1) on are scored, the others are given."""

    ids: tuple[int, ...]
    begin: int

    def __post_init__(self) -> None:
        if not 1 <= self.begin <= len(self.ids):
            raise ValueError(f"begin is 1 to {len(self.ids)}, not {self.begin}: the first token has nothing before it.")


@dataclass(frozen=True)
class Scored:
    """Natural-log probabilities of the scored tokens, in nats, float32."""

    logprobs: Floats

    @property
    def count(self) -> int:
        return len(self.logprobs)

    @property
    def sum(self) -> float:
        return float(self.logprobs.sum(dtype=np.float64))

    @property
    def mean(self) -> float:
        """Per token; NaN where nothing is scored."""
        return self.sum / self.count if self.count else float("nan")

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.logprobs).all())


def alike(one: Sequence[int], other: Sequence[int], depth: int = 0) -> int:
    """How many ids both begin with, of which `depth` are known."""
    end = min(len(one), len(other))
    while depth < end and one[depth] == other[depth]:
        depth += 1
    return depth
