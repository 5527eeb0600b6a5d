"""Findings as bars on one line from 0 to 1, each with its bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.models import Audit

# Pixels of the whole line.
WIDTH = 100


@dataclass(frozen=True)
class Bar:
    """`bound` is one-sided; `low` to `high` is the two-sided interval, drawn in percent of the line."""

    name: str
    n: int
    wrong: int
    rate: float
    bound: float
    low: float
    high: float

    @property
    def at(self) -> float:
        return round(WIDTH * self.rate, 2)

    @property
    def x(self) -> float:
        return round(WIDTH * self.low, 2)

    @property
    def width(self) -> float:
        return round(WIDTH * (self.high - self.low), 2)

    @property
    def bound_at(self) -> float:
        return round(WIDTH * self.bound, 2)


def bars_of(audit: Audit) -> list[Bar]:
    """The whole sample, then its bands, then its sources if there are several; none before it is finished."""
    found = audit.findings
    if not found:
        return []
    bands = [_bar(_band_name(number, band, audit.bands), band) for number, band in enumerate(found["bands"])]
    sources = [_bar(source["source"], source) for source in found["sources"]]
    parts = [part for group in (bands, sources) if len(group) > 1 for part in group]
    return [_bar("The whole sample", found), *parts]


def _bar(name: str, share: dict[str, Any]) -> Bar:
    return Bar(name, share["n"], share["wrong"], share["rate"], share["bound"], share["low"], share["high"])


def _band_name(number: int, share: dict[str, Any], bands: list[dict[str, Any]]) -> str:
    low, high = bands[number]["low"], bands[number]["high"]
    if low is None:
        return f"Band {number + 1}: rows without a strength"
    return f"Band {number + 1}: strength {low:+.2f} to {high:+.2f}".replace("-", "−")
