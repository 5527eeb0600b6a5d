"""What the margins of several voters say together: mean, spread and share per comparison, accuracy over all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.heads import Floats, Ints, wilson


class Panel:
    """The margins of the voters [n, voters], positive = response b better, NaN where a voter said nothing."""

    def __init__(self, margins: Floats, length: Floats, truncated: NDArray[np.bool_]) -> None:
        self.n = (~np.isnan(margins)).sum(axis=1)
        voters = np.maximum(self.n, 1)
        votes = np.nan_to_num(margins)
        self.mean = votes.sum(axis=1) / voters
        apart = np.where(np.isnan(margins), 0.0, votes - self.mean[:, None])
        self.spread = np.sqrt((apart**2).sum(axis=1) / voters)
        preferred = (margins > 0).sum(axis=1) + 0.5 * (margins == 0).sum(axis=1)
        self.share_b = np.where(self.n > 0, preferred / voters, 0.5)
        self.length = length
        self.truncated = truncated

    def fields(self, index: int) -> dict[str, Any]:
        if not self.n[index]:
            return nobody_voted() | {"truncated": bool(self.truncated[index])}
        return {
            "mean": float(self.mean[index]),
            "spread": float(self.spread[index]),
            "share_b": float(self.share_b[index]),
            "n": int(self.n[index]),
            "length_mean": float(self.length[index]),
            "truncated": bool(self.truncated[index]),
        }

    def summary(self, sign: Ints) -> dict[str, Any]:
        rms = float(np.sqrt(np.mean(self.mean**2)))
        unanimous = (self.n > 0) & ((self.share_b == 0) | (self.share_b == 1))
        cut = float(np.quantile(np.abs(self.mean[unanimous]), 0.9)) if unanimous.any() else None
        labelled = sign != 0
        strength = (sign * self.mean)[labelled]
        counts, edges = np.histogram(np.clip(strength, -4, 4), bins=32, range=(-4.0, 4.0))
        return {
            "n": len(sign),
            "labelled": int(labelled.sum()),
            "accuracy": accuracy(strength),
            "length_accuracy": accuracy((sign * self.length)[labelled]),
            "below_zero": float(np.mean(strength < 0)),
            "rms_margin": rms,
            "strong_cut": cut,
            "truncated_share": float(np.mean(self.truncated)),
            "histogram": {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]},
        }


def nobody_voted() -> dict[str, Any]:
    """The fields of a comparison without a vote."""
    return {"mean": None, "spread": None, "share_b": None, "n": 0, "length_mean": None, "truncated": False}


def accuracy(strength: Floats) -> dict[str, Any]:
    """Share of labels that the sign of the margin matches (a zero counts one half), with its 95 % Wilson interval."""
    right = float((strength > 0).sum() + 0.5 * (strength == 0).sum())
    return {"share": right / len(strength), "interval": wilson(right, len(strength)), "n": len(strength)}
