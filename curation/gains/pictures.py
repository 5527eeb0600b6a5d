"""Where the marks of a gain report stand: dots with intervals, all panels of one page on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.gains.words import ARMS, signed, source_judged

WIDTH, ROW = 720.0, 28.0
DIFFERENCES = {"raw": "Curated − raw", "random": "Curated − random rows", "length": "Curated − by length"}
ACTIONS = ("kept", "flipped", "softened", "left out", "added")
# The trained arms; raw keeps all.
TRAINED = ("raw", "curated", "random", "length")


@dataclass(frozen=True)
class Dot:
    """One figure: its dot, its interval, a point per seed."""

    key: str
    label: str
    value: str
    interval: str
    say: str
    x: float
    x_low: float
    x_high: float
    y: float
    seeds: Sequence[float]


@dataclass(frozen=True)
class Picture:
    title: str
    dots: Sequence[Dot]
    ticks: Sequence[tuple[str, float]]
    # Where no difference lies; null for accuracies.
    zero: float | None

    @property
    def height(self) -> float:
        return ROW * len(self.dots)


@dataclass(frozen=True)
class Panel:
    """A source, or all of them; `problem` in place of pictures."""

    name: str
    n: int
    groups: int
    basis: str
    verdict: str
    pictures: Sequence[Picture]
    problem: str = ""
    notes: Sequence[str] = ()
    # Rows read of how many there are, and what each arm trained on.
    rows: int = 0
    total: int = 0
    trained: Sequence[tuple[str, Sequence[float]]] = ()


def panels_of(report: Mapping[str, Any]) -> list[Panel]:
    """All sources together first, where several could be measured."""
    overall, sources = report["overall"], report["sources"]
    if overall is None:
        return [_panel(source, None, None) for source in sources]
    judged = {id(source): source_judged(source, overall["basis"]) for source in sources}
    scales = _scales([overall, *(one for _, one in judged.values() if one)])
    found = [_panel(source, judged[id(source)], scales) for source in sources]
    if overall["sources"] > 1:
        found.insert(0, _whole(f"{overall['sources']} sources together", overall, scales))
    return found


Scales = Mapping[str, tuple[float, float, float]]


def _scales(judged: Sequence[Mapping[str, Any]]) -> Scales:
    """Per picture: where the axis begins and ends, and its step. That of differences holds the zero."""
    arms = [figure for one in judged for figure in one["arms"].values()]
    differences = [figure for one in judged for figure in one["differences"].values()]
    return {"arms": _scale(_numbers(arms)), "differences": _scale([0.0, *_numbers(differences)])}


def _numbers(figures: Sequence[Mapping[str, Any]]) -> list[float]:
    return [number for one in figures for number in (one["low"], one["high"], one["value"], *one["seeds"])]


def _scale(numbers: Sequence[float]) -> tuple[float, float, float]:
    low, high = min(numbers), max(numbers)
    step = next((step for step in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if high - low <= 4 * step), 0.5)
    first, last = step * math.floor(low / step + 1e-9), step * math.ceil(high / step - 1e-9)
    return (first, last, step) if last > first else (first - step, last + step, step)


def _panel(source: Mapping[str, Any], judged: tuple[str, Any] | None, scales: Scales | None) -> Panel:
    facts: dict[str, Any] = {"notes": source.get("notes", ()), "rows": source["n"], "total": source["total"]}
    if "problem" in source or judged is None or judged[1] is None or scales is None:
        return Panel(source["name"], 0, 0, "", "", (), problem=source.get("problem", ""), **facts)
    basis, one = judged
    trained = [(ARMS[arm], [source["trained"][arm].get(name, 0.0) for name in ACTIONS]) for arm in TRAINED]
    pictures = _pictures(one, scales)
    return Panel(source["name"], one["n"], one["groups"], basis, one["verdict"], pictures, trained=trained, **facts)


def _whole(title: str, overall: Mapping[str, Any], scales: Scales) -> Panel:
    pictures = _pictures(overall, scales)
    return Panel(title, overall["n"], overall["groups"], overall["basis"], overall["verdict"], pictures)


def _pictures(judged: Mapping[str, Any], scales: Scales) -> list[Picture]:
    arms = _dots(judged["arms"], ARMS, scales["arms"], lambda value: f"{value:.3f}")
    differences = _dots(judged["differences"], DIFFERENCES, scales["differences"], signed)
    zero = _at(0.0, scales["differences"])
    return [
        Picture("Held-out accuracy", arms, _ticks(scales["arms"], lambda value: f"{value:g}"), None),
        Picture("Difference in accuracy", differences, _ticks(scales["differences"], _short), zero),
    ]


def _short(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+g}".replace("-", "−")


def _at(value: float, scale: tuple[float, float, float]) -> float:
    first, last, _ = scale
    return round(WIDTH * (value - first) / (last - first), 2)


def _dots(
    figures: Mapping[str, Any], names: Mapping[str, str], scale: tuple[float, float, float], say: Any
) -> list[Dot]:
    found = []
    for row, (key, label) in enumerate(names.items()):
        one = figures[key]
        interval = f"{say(one['low'])} to {say(one['high'])}"
        seeds = ", ".join(say(value) for value in one["seeds"])
        found.append(
            Dot(
                key=key,
                label=label,
                value=say(one["value"]),
                interval=interval,
                say=f"{label}: {say(one['value'])}, {interval}; by seed {seeds}",
                x=_at(one["value"], scale),
                x_low=_at(one["low"], scale),
                x_high=_at(one["high"], scale),
                y=ROW * (row + 0.5),
                seeds=[_at(value, scale) for value in one["seeds"]],
            )
        )
    return found


def _ticks(scale: tuple[float, float, float], say: Any) -> list[tuple[str, float]]:
    first, last, step = scale
    values = [round(first + step * number, 6) for number in range(round((last - first) / step) + 1)]
    return [(say(value), _at(value, scale)) for value in values]
