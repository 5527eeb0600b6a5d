"""Durations, intervals and small pictures of what a run found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template

from ledger.shares import Share

register = template.Library()

WIDTH, HEIGHT, SCATTER = 720, 98, 220
# Times, digits and unit of the probes that are not told in per cent.
PROBE_UNITS = {"beyond_length": (100, 1, " points"), "ece": (1, 2, ""), "contrast": (1, 2, ""), "agreement": (1, 2, "")}


@register.filter
def duration(seconds: float | None) -> str:
    """3.4 -> "3 s", 200 -> "3 min 20 s"."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


@register.filter
def rate(per_second: float | None) -> str:
    if not per_second:
        return ""
    return f"{per_second:,.0f} a second" if per_second >= 10 else f"{per_second:.1f} a second"


@register.filter
def share(found: Any) -> str:
    """{"share": .61, "interval": [.59, .63], "n": 2345} -> "0.61, 0.59 to 0.63, n = 2,345"."""
    return _measured(found, times=1, digits=2, unit="")


@register.filter
def percent(found: Any) -> str:
    """The same for shares that may be small: "0.7 %, 0.3 to 1.5 %, n = 866"."""
    return _measured(found, times=100, digits=1, unit=" %")


def _measured(found: Any, *, times: int, digits: int, unit: str) -> str:
    if not isinstance(found, dict) or found.get("share") is None:
        return "not measured"
    text = f"{times * found['share']:.{digits}f}{unit}"
    if found.get("interval"):
        low, high = found["interval"]
        text += f", {times * low:.{digits}f} to {times * high:.{digits}f}{unit}"
    return f"{text}, n = {found['n']:,}"


@register.filter
def of_rows(part: float | None, n: int) -> str:
    """A share of n rows, as it is kept in a result, with its interval."""
    return "not measured" if part is None else str(Share(round(part * n), n))


@register.filter
def points(share: float | None) -> str:
    """A difference of shares in percentage points, with its sign: -0.0312 -> "−3.1"."""
    if share is None:
        return "not measured"
    text = f"{100 * share:+.1f}"
    return "0.0" if text in {"+0.0", "-0.0"} else text.replace("-", "−")


@register.simple_tag
def spans(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Dots with intervals around zero on one axis, 0 to 100 across, from {key: {"value": .., "interval": [.., ..]}}."""
    ends = [abs(end) for row in rows for end in (row[key]["value"], *row[key]["interval"])]
    reach = max(*ends, 0.01) if ends else 0.01

    def at(value: float) -> float:
        return round(50 + 48 * value / reach, 2)

    found = []
    for row in rows:
        value, (low, high) = row[key]["value"], row[key]["interval"]
        found.append(
            {"of": row, "value": value, "low": low, "high": high, "x": at(value), "x_low": at(low), "x_high": at(high)}
        )
    return {"rows": found, "first": -reach * 50 / 48, "last": reach * 50 / 48}


@register.filter
def probed(found: dict[str, Any]) -> str:
    """The figure of a probe with its interval and n, in its own unit."""
    value, low, high = found.get("value"), found.get("low"), found.get("high")
    n = f"n = {found.get('n') or 0:,}"
    if value is None:
        return n
    times, digits, unit = PROBE_UNITS.get(str(found.get("name")), (100, 1, " %"))
    sign = "+" if unit == " points" else ""
    text = f"{times * value:{sign}.{digits}f}{unit}"
    if low is not None and high is not None:
        text += f", {times * low:{sign}.{digits}f} to {times * high:{sign}.{digits}f}{unit}"
    return f"{text}, {n}".replace("-", "−")


@register.simple_tag
def beyond_half(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Shares of {key: {"share": .., "interval": [.., ..]}} as dots around one half; without an interval, no dot."""
    known = [row for row in rows if (row.get(key) or {}).get("interval")]
    shifted = [
        row | {"beyond": {"value": row[key]["share"] - 0.5, "interval": [end - 0.5 for end in row[key]["interval"]]}}
        for row in known
    ]
    return spans(shifted, "beyond")


@dataclass(frozen=True)
class Scatter:
    """Dots as one path in a box of WIDTH x SCATTER, with the places of both zeros, and the ends of both axes."""

    path: str
    zero_x: float
    zero_y: float
    reach_x: float
    reach_y: float
    width: int = WIDTH
    height: int = SCATTER


@register.simple_tag
def scatter(points: list[list[float]]) -> Scatter | None:
    """Zero in the middle of both axes, which reach to the 98th percentile; what lies beyond stands at the edge."""
    if not points:
        return None
    x, y = (_reach([abs(point[axis]) for point in points]) for axis in (0, 1))

    def at(value: float, reach: float, size: int) -> float:
        return round(size * (0.5 + 0.48 * max(-1.0, min(1.0, value / reach))), 1)

    dots = (f"M{at(px, x, WIDTH)} {at(-py, y, SCATTER)}h0" for px, py in points)
    return Scatter("".join(dots), WIDTH / 2, SCATTER / 2, x * 0.5 / 0.48, y * 0.5 / 0.48)


def _reach(sizes: list[float]) -> float:
    ordered = sorted(sizes)
    return ordered[min(len(ordered) - 1, int(0.98 * len(ordered)))] or 1.0


@register.filter
def errors_of(between: Any, family: str) -> str:
    """Of one family of voters in {"families": [...], "rows": [[...]]}: "0.81 with each other, 0.22 with tiny"."""
    families = between["families"] if isinstance(between, dict) else []
    if family not in families:
        return "not counted: no errors to compare"
    row = zip(families, between["rows"][families.index(family)], strict=True)
    told = [f"{value:.2f} with {'each other' if name == family else name}" for name, value in row if value is not None]
    return ", ".join(told) or "no other voter"


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    count: int

    @property
    def is_against(self) -> bool:
        return self.high <= 0


@register.inclusion_tag("ledger/_histogram.html")
def histogram(found: Any, title: str) -> dict[str, Any]:
    """Bars from {"edges": [...], "counts": [...]}; the outermost also hold what lies beyond."""
    if not isinstance(found, dict) or not found.get("counts"):
        return {"bars": []}
    counts, edges = found["counts"], found["edges"]
    first, last, tallest = edges[0], edges[-1], max(counts) or 1
    plot = HEIGHT

    def at(value: float) -> float:
        return float(round((value - first) / (last - first) * WIDTH, 2))

    bars = [
        Bar(at(low) + 0.5, round(plot * (1 - count / tallest), 2), round(at(high) - at(low) - 1, 2),
            round(plot * count / tallest, 2), low, high, count)
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]  # fmt: skip
    ticks = [f"{value:+d}".replace("-", "−") if value else "0" for value in range(round(first), round(last) + 1)]
    return {
        "bars": bars,
        "ticks": ticks,
        "zero": at(0.0),
        "plot": plot,
        "width": WIDTH,
        "title": title,
        "n": sum(counts),
        "against": sum(bar.count for bar in bars if bar.is_against),
    }
