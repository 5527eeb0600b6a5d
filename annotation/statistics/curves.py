"""Where the marks of one person's pictures stand, in a picture of WIDTH x HEIGHT that stretches with the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annotation.statistics.columns import Figure
from annotation.statistics.over_time import Block
from annotation.statistics.words import Cell, cell

WIDTH, HEIGHT = 480.0, 96.0


@dataclass(frozen=True)
class Mark:
    x: float
    y: float | None
    y_low: float | None
    y_high: float | None
    said: str
    first: int
    last: int
    start: datetime
    cell: Cell


@dataclass(frozen=True)
class Curve:
    title: str
    unit: str
    marks: list[Mark]
    # Ends of the upright axis, and a line at the neutral value.
    least: str
    most: str
    neutral_y: float | None
    last: int
    n: int


def curves_of(blocks: list[Block], *, has_order: bool = True) -> list[Curve]:
    """Nothing to draw of a single block."""
    if len(blocks) < 2:
        return []
    slowest = max((block.seconds.high or 0.0 for block in blocks), default=0.0)
    top = next(step for step in (10, 20, 30, 60, 120, 300, 600, 1800, 7200, 10**9) if step >= slowest)
    found = [
        _curve("Does this person agree with most others?", "share", [(b, b.agreement) for b in blocks], 1.0, None),
        _curve("How often is the first shown taken?", "took_first", [(b, b.took_first) for b in blocks], 1.0, 0.5),
        _curve("How long does one answer take?", "seconds", [(b, b.seconds) for b in blocks], float(top), None),
    ]
    told = found if has_order else [found[0], found[2]]
    return [curve for curve in told if any(mark.y is not None for mark in curve.marks)]


def _curve(title: str, name: str, told: list[tuple[Block, Figure]], most: float, neutral: float | None) -> Curve:
    last = told[-1][0].last

    def y(number: float | None) -> float | None:
        return None if number is None else round(HEIGHT * (1 - number / most), 2)

    marks = [
        Mark(
            x=round(WIDTH * (block.first + block.last - 1) / 2 / last, 2),
            y=y(figure.value),
            y_low=y(figure.low),
            y_high=y(figure.high),
            said=f"answers {block.first:,} to {block.last:,}: {cell(name, '', figure).said}",
            first=block.first,
            last=block.last,
            start=block.start,
            cell=cell(name, "", figure),
        )
        for block, figure in told
    ]
    unit = "seconds" if name == "seconds" else "share, 0 to 1"
    top = f"{most:,.0f} s" if name == "seconds" else "1"
    return Curve(title, unit, marks, "0", top, y(neutral), last, sum(figure.n for _, figure in told))
