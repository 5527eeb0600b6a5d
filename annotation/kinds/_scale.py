"""A scale of whole numbers with words for its points, as rating attributes and rubric criteria have it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeGuard

from annotation.kinds._texts import problem_with_text

# Every point has a key: a digit, and 0 for 10 on a scale that does not begin with 0.
LOWEST, HIGHEST = 0, 10
# The longest of the published BiGGen rubrics has 562.
MAX_ANCHOR_CHARACTERS = 1000


@dataclass(frozen=True)
class Point:
    value: int
    anchor: str

    @property
    def digit(self) -> int:
        return self.value % 10


@dataclass(frozen=True)
class Scale:
    least: int
    most: int
    anchors: dict[str, str]

    @property
    def points(self) -> list[Point]:
        return [Point(value, self.anchors.get(str(value), "")) for value in range(self.least, self.most + 1)]

    def problem_with(self, value: object) -> str | None:
        if _is_whole(value) and self.least <= value <= self.most:
            return None
        return f"must be a whole number from {self.least} to {self.most}"


def problems_with_scale(document: dict[str, Any], path: str) -> dict[str, str]:
    """What is wrong with least, most and anchors of a document that has them, by path."""
    least, most, anchors = document.get("least"), document.get("most"), document.get("anchors", {})
    if not _is_whole(least) or not _is_whole(most) or not LOWEST <= least < most <= HIGHEST:
        is_least_wrong = not _is_whole(least) or not LOWEST <= least < HIGHEST
        limit = f"must be a whole number from {LOWEST} to {HIGHEST}, least below most"
        return {f"{path}.{'least' if is_least_wrong else 'most'}": limit}
    if not isinstance(anchors, dict):
        return {f"{path}.anchors": "must be an object: point to text"}
    points = {str(value) for value in range(least, most + 1)}
    problems = {}
    for point, text in anchors.items():
        if point not in points:
            problems[f"{path}.anchors.{str(point)[:20]}"] = f"is no point of a scale from {least} to {most}"
        elif problem := problem_with_text(text, most=MAX_ANCHOR_CHARACTERS, least=1):
            problems[f"{path}.anchors.{point}"] = problem
    return problems


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
