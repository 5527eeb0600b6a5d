"""Findings as bars on one line from 0 to 1, each with its bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.audits.claims import STRENGTH, claim_of_audit, method_of
from curation.audits.findings import hits_of
from curation.models import Audit, Question

# Pixels of the whole line.
WIDTH = 100


@dataclass(frozen=True)
class Bar:
    """`bound` is one-sided; `low` to `high` is the two-sided interval, drawn in percent of the line."""

    name: str
    n: int
    hits: int
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
    bands = [(_band_name(audit, number), band) for number, band in enumerate(found["bands"])]
    sources = [(source["source"], source) for source in found["sources"]]
    parts = [part for group in (bands, sources) if len(group) > 1 for part in group]
    return [_bar(audit, name, share) for name, share in [("The whole sample", found), *parts]]


def measure_of(audit: Audit) -> str:
    """What the bands are cut by."""
    if audit.question == Question.GIVEN:
        return "difference"
    if audit.question != Question.CLAIM:
        return "strength"
    return STRENGTH.get(method_of(claim_of_audit(audit)), ("", "strength"))[1]


def _bar(audit: Audit, name: str, share: dict[str, Any]) -> Bar:
    hits = hits_of(share, audit.question)
    return Bar(name, share["n"], hits, share["rate"], share["bound"], share["low"], share["high"])


def _band_name(audit: Audit, number: int) -> str:
    low, high, measure = audit.bands[number]["low"], audit.bands[number]["high"], measure_of(audit)
    if low is None:
        return f"Band {number + 1}: rows without a strength"
    if measure == "flags":
        count = f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
        return f"Band {number + 1}: {count} flag{'' if high == 1 else 's'}"
    if audit.question != Question.LABEL:
        return f"Band {number + 1}: {measure} {low:.2f} to {high:.2f}"
    return f"Band {number + 1}: {measure} {low:+.2f} to {high:+.2f}".replace("-", "−")
