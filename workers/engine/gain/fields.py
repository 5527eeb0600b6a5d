"""Fields of recipes from signals that were fitted again, as the database derives them from signals that are kept.

A table of the signed numbers, in the orientation of the signal (positive = response b better), and of what a recipe
reads: toward the label. NaN is a missing value throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workers.engine.gain.recipes import Column, column, numbers

Floats = NDArray[np.float64]
# Of the bands, with the slack that keeps a share such as 1 - 0.8 on its own side; written out, since the database
# adds in decimals.
LOW_SHARE, HIGH_SHARE, ALL_SHARE = 0.200000001, 0.799999999, 0.999999999


class HasFields(Protocol):
    @property
    def value(self) -> float | None: ...
    @property
    def fields(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Said:
    """What a method says of rows of one source; `direction` is 1 or -1 toward the label, NaN without one."""

    signals: Sequence[HasFields | None]
    direction: Floats
    # What it found out about the source.
    result: Mapping[str, Any]

    @property
    def value(self) -> Floats:
        return _floats([signal.value if signal else None for signal in self.signals])

    def field(self, name: str) -> Floats:
        return _floats([signal.fields.get(name) if signal else None for signal in self.signals])

    @property
    def strength(self) -> Floats:
        return self.direction * self.value

    @property
    def share(self) -> Floats:
        share_b = self.field("share_b")
        return np.where(self.direction > 0, share_b, np.where(self.direction < 0, 1 - share_b, np.nan))

    def found(self, name: str) -> float:
        value = self.result.get(name)
        return np.nan if value is None else float(value)


def _floats(values: Sequence[Any]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _z(said: Said) -> Floats:
    floor = 0.05 * said.found("rms_margin")
    # As GREATEST does, a missing one gives way to the other.
    spread = np.fmax(said.field("spread"), floor)
    return said.strength / np.where(spread == 0, np.nan, spread)


def _band(said: Said) -> Column:
    strength, share, z, cut = said.strength, said.share, _z(said), said.found("strong_cut")
    says = np.full(len(strength), "normal", np.object_)
    says[(share > ALL_SHARE) & (strength >= cut)] = "strong"
    is_between = (share > LOW_SHARE) & (share < HIGH_SHARE)
    says[(np.abs(z) < 1) | is_between | (strength * (share - 0.5) < 0)] = "ambiguous"
    says[(strength < 0) & (share <= LOW_SHARE)] = "incorrect"
    return Column(says, ~np.isnan(strength))


def _paper_band(said: Said) -> Column:
    strength, cuts = said.strength, said.result.get("paper_cuts")
    if not cuts:
        return column([None] * len(strength), "text")
    says = np.where(strength < cuts["normal_from"], "ambiguous", "normal").astype(np.object_)
    says[strength < cuts["ambiguous_from"]] = "incorrect"
    says[(strength >= cuts["strong_from"]) & (says == "normal")] = "strong"
    return Column(says, ~np.isnan(strength))


def _lowest(said: Said, *, toward: int) -> Floats:
    """The lowest margin of a voter toward the label, or, with -1, away from it."""
    direction = toward * said.direction
    by_side = np.where(direction > 0, said.field("lowest_b"), said.field("lowest_a"))
    return np.where(np.isnan(direction), np.nan, by_side)


Derive = Callable[[Said], Column]


def _plain(name: str) -> Derive:
    return lambda said: numbers(said.field(name))


DERIVED: dict[str, Derive] = {
    "model_vote.mean": lambda said: numbers(said.value),
    "model_vote.spread": _plain("spread"),
    "model_vote.strength": lambda said: numbers(said.strength),
    "model_vote.share": lambda said: numbers(said.share),
    "model_vote.z": lambda said: numbers(_z(said)),
    "model_vote.band": _band,
    "model_vote.n": _plain("n"),
    "model_vote.lowest": lambda said: numbers(_lowest(said, toward=1)),
    "model_vote.highest": lambda said: numbers(-_lowest(said, toward=-1)),
    "model_vote.cautious": lambda said: numbers(said.strength - said.field("penalty")),
    "model_vote.paper_band": _paper_band,
    "item_strength.mean": lambda said: numbers(said.value),
    "item_strength.strength": lambda said: numbers(said.strength),
    "item_strength.spread": _plain("spread"),
    "item_strength.share": lambda said: numbers(said.share),
    "item_strength.others": _plain("others"),
    "peer_review.keep_frequency": lambda said: numbers(said.value),
    "peer_review.margin": _plain("margin"),
    "peer_review.n_epochs": _plain("n_epochs"),
    "bias_audit.mean": lambda said: numbers(said.value),
    "bias_audit.strength": lambda said: numbers(said.strength),
    "bias_audit.length_strength": lambda said: numbers(said.direction * said.field("length_mean")),
}


def direction_of(labels: Sequence[int | None]) -> Floats:
    """1 or -1 toward the label, NaN for a tie or no label."""
    signs = _floats([None if not label else np.sign(label) for label in labels])
    return np.asarray(signs)
