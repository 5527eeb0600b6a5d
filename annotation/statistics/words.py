"""Figures of people as they stand on a page: value, interval and n, and a word where it is out of the ordinary."""

from __future__ import annotations

from dataclasses import dataclass

from annotation.statistics.columns import Figure

# Where the interval lies above, and where it lies below, the neutral value.
FLAGS = {
    "first": (0.5, "prefers the first shown", "prefers the second shown"),
    "longer": (0.5, "prefers the longer", "prefers the shorter"),
    "stuck_to_side": (0.5, "the side decides", ""),
    "accuracy": (0.5, "", "worse than guessing"),
}
UNITS = {"seconds": " s", "per_hour": " an hour"}
SHARES_HAVE = 2


@dataclass(frozen=True)
class Bar:
    """An interval on a line from 0 to 100."""

    low: float
    width: float
    value: float
    neutral: float | None


@dataclass(frozen=True)
class Cell:
    name: str
    label: str
    value: str
    # "0.55 to 0.67", or nothing.
    interval: str
    n: int
    reason: str
    flag: str = ""
    bar: Bar | None = None

    @property
    def said(self) -> str:
        """In one line, as it is read out."""
        if self.reason:
            return self.reason
        parts = [self.value, self.interval, f"n = {self.n:,}"]
        return ", ".join(part for part in parts if part)


def cell(name: str, label: str, figure: Figure, *, is_share: bool = True) -> Cell:
    if figure.value is None:
        return Cell(name, label, "–", "", figure.n, figure.reason)
    neutral, above, below = FLAGS.get(name, (0.5, "", ""))
    way = figure.side_of(neutral)
    flag = above if way > 0 else below if way < 0 else ""
    has_interval = figure.low is not None and figure.high is not None
    return Cell(
        name=name,
        label=label,
        value=_number(name, figure.value),
        interval=f"{_bare(name, figure.low)} to {_bare(name, figure.high)}" if has_interval else "",
        n=figure.n,
        reason="",
        flag=flag,
        bar=_bar(name, figure) if is_share and has_interval else None,
    )


def count_cell(name: str, label: str, figure: Figure) -> Cell:
    return Cell(name, label, f"{figure.n:,}", "", figure.n, "")


def _bar(name: str, figure: Figure) -> Bar | None:
    value, low, high = figure.value or 0.0, figure.low or 0.0, figure.high or 0.0
    if name in UNITS or not 0 <= low <= high <= 1:
        return None
    neutral = 50.0 if name in {"first", "longer", "stuck_to_side", "took_first", "took_longer", "accuracy"} else None
    return Bar(round(100 * low, 1), round(max(100 * (high - low), 0.5), 1), round(100 * value, 1), neutral)


def _number(name: str, value: float) -> str:
    return _bare(name, value) + UNITS.get(name, "")


def _bare(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in UNITS:
        return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
    return f"{value:.{SHARES_HAVE}f}"
