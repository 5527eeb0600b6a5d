"""What a campaign may ask of its people beside the work, checked before it is kept.

{"training":      {"items": 5},                          answered first, with feedback after each
 "qualification": {"items": 10, "threshold": 0.8},       then these, without; the share right decides
 "gold":          {"every": 20},                         work items between two gold items, on average
 "repeats":       {"every": 50, "after_items": 30}}      or "after_days": an own comparison again, sides swapped
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.problems import Invalid

MAX_ITEMS = 1000
MAX_EVERY = 10_000
MAX_DAYS = 365

Check = Callable[[object], str | None]


class InvalidQuality(Invalid):
    code = "invalid_quality"


def checked_quality(document: object) -> dict[str, Any]:
    """The document as it is kept; InvalidQuality names every path that is wrong."""
    if not isinstance(document, dict):
        raise InvalidQuality("These quality settings cannot be used.", {"quality": "must be an object"})
    problems = {f"quality.{str(name)[:40]}": "is not known here" for name in document if name not in _PARTS}
    for name, (fields, optional) in _PARTS.items():
        if name in document:
            problems |= _problems_with(document[name], f"quality.{name}", fields, optional)
    if problems:
        raise InvalidQuality("These quality settings cannot be used.", problems)
    return {name: dict(document[name]) for name in _PARTS if name in document}


def _problems_with(part: object, path: str, fields: dict[str, Check], one_of: dict[str, Check]) -> dict[str, str]:
    if not isinstance(part, dict):
        return {path: f"must be an object with {' and '.join(fields)}"}
    known = fields | one_of
    problems = {f"{path}.{str(name)[:40]}": "is not known here" for name in part if name not in known}
    problems |= {f"{path}.{name}": "is missing" for name in fields if name not in part}
    if one_of and len(one_of.keys() & part.keys()) != 1:
        problems[path] = f"needs either {' or '.join(one_of)}"
    for name in known.keys() & part.keys():
        if problem := known[name](part[name]):
            problems[f"{path}.{name}"] = problem
    return problems


def _whole(least: int, most: int) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return None
        return f"must be a whole number from {least:,} to {most:,}"

    return check


def _share(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return None
    return "must be a number from 0 to 1"


# Of each part the fields it must have, and those of which it must have exactly one.
_PARTS: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "training": ({"items": _whole(1, MAX_ITEMS)}, {}),
    "qualification": ({"items": _whole(1, MAX_ITEMS), "threshold": _share}, {}),
    "gold": ({"every": _whole(1, MAX_EVERY)}, {}),
    "repeats": (
        {"every": _whole(1, MAX_EVERY)},
        {"after_items": _whole(1, MAX_EVERY), "after_days": _whole(1, MAX_DAYS)},
    ),
}
