"""Pictures of scores that have parts: how far each part agrees with labels, and how the parts go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

from ledger.templatetags.ledger_runs import spans

register = template.Library()

CELL, LABELS, STRONGEST = 44, 150, 0.45
# Beyond this many parts a number does not fit into its cell; the table has it.
MOST_WITH_NUMBERS = 10


@register.filter
def spoken(name: str) -> str:
    """instruction_following -> "instruction following"."""
    return name.replace("_", " ")


@register.simple_tag
def aspect_bars(source: dict[str, Any]) -> dict[str, Any]:
    """Agreement with the labels around one half: the whole, each aspect, and length; without an interval, no bar."""
    whole = [{"name": "all aspects together", "kind": "whole"} | _agreement(source.get("accuracy"))]
    parts = [{"name": spoken(one["aspect"]), "kind": "part"} | _agreement(one) for one in source.get("aspects", [])]
    length = [{"name": "the longer response", "kind": "length"} | _agreement(source.get("length_accuracy"))]
    rows = [row for row in (*whole, *parts, *length) if row["beyond"]]
    drawn = spans(rows, "beyond")
    for row in drawn["rows"]:
        row["left"], row["width"] = min(row["x"], 50.0), abs(row["x"] - 50.0)
    return drawn


def _agreement(found: dict[str, Any] | None) -> dict[str, Any]:
    if not found or not found.get("interval"):
        return {"agreement": found, "beyond": None}
    ends = [end - 0.5 for end in found["interval"]]
    return {"agreement": found, "beyond": {"value": found["share"] - 0.5, "interval": ends}}


@dataclass(frozen=True)
class Cell:
    x: int
    y: int
    value: float
    low: float | None
    high: float | None
    # How strong its colour is; never so strong that its number could not be read.
    strength: float
    say: str

    @property
    def is_against(self) -> bool:
        return self.value < 0


@dataclass(frozen=True)
class HeatRow:
    number: int
    name: str
    y: int
    cells: list[Cell]


@register.simple_tag
def heatmap(factors: dict[str, Any]) -> dict[str, Any] | None:
    """A square of correlations, its rows named and its columns numbered; None where there are none."""
    values = factors.get("correlations")
    if not values:
        return None
    low, high = factors.get("low"), factors.get("high")
    names = [spoken(name) for name in factors["names"]]
    rows = []
    for row, name in enumerate(names):
        cells = []
        for column, other in enumerate(names):
            value = values[row][column]
            say = f"{name} with {other}: {value:.2f}"
            least, most = (low[row][column], high[row][column]) if low and high else (None, None)
            if least is not None:
                say += f", {least:.2f} to {most:.2f}"
            x, y = LABELS + CELL * column, CELL * (row + 1)
            cells.append(Cell(x, y, value, least, most, round(STRONGEST * abs(value), 3), say))
        rows.append(HeatRow(row + 1, name, CELL * (row + 1), cells))
    size = CELL * (len(names) + 1)
    return {"rows": rows, "width": LABELS + CELL * len(names), "height": size, "cell": CELL,
            "has_numbers": len(names) <= MOST_WITH_NUMBERS, "middle": CELL // 2}  # fmt: skip
