"""Where the marks of a campaign's pictures stand, in a picture of WIDTH x HEIGHT that stretches with the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from annotation.campaigns.progress import Pace
from annotation.statistics.agreement import AgreementOverTime

WIDTH, HEIGHT = 720.0, 120.0
# At most so many words under the picture.
TICKS = 6


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    start: date
    count: int


@dataclass(frozen=True)
class Bars:
    unit: str
    n: int
    bars: Sequence[Bar]
    # Of the upright axis, which begins at 0.
    most: int
    ticks: Sequence[str]

    @property
    def first(self) -> date:
        return self.bars[0].start

    @property
    def last(self) -> date:
        return self.bars[-1].start


def bars_of(pace: Pace) -> Bars:
    most = _round_up(max((period.judgments for period in pace.periods), default=1))
    width = WIDTH / max(1, len(pace.periods))
    bars = []
    for place, period in enumerate(pace.periods):
        height = HEIGHT * period.judgments / most
        gap = min(2.0, width / 4)
        bars.append(
            Bar(
                x=round(place * width + gap / 2, 2),
                y=round(HEIGHT - height, 2),
                width=round(width - gap, 2),
                height=round(height, 2),
                start=period.start,
                count=period.judgments,
            )
        )
    return Bars(pace.unit, pace.n, bars, most, _ticks([period.start for period in pace.periods]))


@dataclass(frozen=True)
class Point:
    """An estimate of one period; without a value there is only its place, and the reason."""

    x: float
    start: date
    n_items: int
    value: float | None
    low: float | None
    high: float | None
    reason: str
    y: float | None = None
    y_low: float | None = None
    y_high: float | None = None


@dataclass(frozen=True)
class Curve:
    period: str
    n_items: int
    points: Sequence[Point]
    # Paths of the line and of the band; a period without a value interrupts both.
    line: str
    band: str
    # Ends of the upright axis.
    least: float
    most: float
    zero_y: float | None
    ticks: Sequence[str]

    @property
    def first(self) -> date:
        return self.points[0].start

    @property
    def last(self) -> date:
        return self.points[-1].start


def curve_of(found: AgreementOverTime) -> Curve:
    """Alpha by period, with its band."""
    estimates = [(point.start, point.alpha) for point in found.points]
    numbers = [number for _, one in estimates for number in (one.value, one.low, one.high) if number is not None]
    least = min(0.0, math.floor(5 * min(numbers, default=0.0)) / 5)
    most = 1.0

    def y(number: float | None) -> float | None:
        return None if number is None else round(HEIGHT * (most - number) / (most - least), 2)

    first = estimates[0][0] if estimates else date.min
    span = max(1, (estimates[-1][0] - first).days) if estimates else 1
    points = [
        Point(
            x=round(WIDTH * ((start - first).days / span if len(estimates) > 1 else 0.5), 2),
            start=start,
            n_items=one.n_items,
            value=one.value,
            low=one.low,
            high=one.high,
            reason=one.reason,
            y=y(one.value),
            y_low=y(one.low),
            y_high=y(one.high),
        )
        for start, one in estimates
    ]
    return Curve(
        period=found.period,
        n_items=sum(point.n_items for point in points),
        points=points,
        line=" ".join(_line(run) for run in _runs(points)),
        band=" ".join(_band(run) for run in _runs(points)),
        least=least,
        most=most,
        zero_y=y(0.0) if least < 0 else None,
        ticks=_ticks([start for start, _ in estimates]),
    )


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Neighbours that all have a value."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _line(run: Sequence[Point]) -> str:
    return "M" + " L".join(f"{point.x} {point.y}" for point in run)


def _band(run: Sequence[Point]) -> str:
    """A band needs two neighbours with an interval; a single one is drawn as a whisker."""
    known = [point for point in run if point.y_low is not None and point.y_high is not None]
    if len(known) < 2 or len(known) < len(run):
        return " ".join(f"M{point.x} {point.y_high} V{point.y_low}" for point in known)
    upper = " L".join(f"{point.x} {point.y_high}" for point in known)
    lower = " L".join(f"{point.x} {point.y_low}" for point in reversed(known))
    return f"M{upper} L{lower} Z"


def _round_up(number: int) -> int:
    """To the next 1, 2 or 5 times a power of ten, and at least 1."""
    if number <= 1:
        return 1
    power = 10 ** math.floor(math.log10(number))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= number))


def _ticks(days: Sequence[date]) -> list[str]:
    """The first and the last day, and some between at equal distances."""
    if not days:
        return []
    if len(days) == 1:
        return [_said(days[0])]
    count = min(TICKS, len(days))
    span = (days[-1] - days[0]) / (count - 1)
    return [_said(days[0] + number * span) for number in range(count)]


def _said(day: date) -> str:
    return f"{day.day} {day:%b}"
