"""The rubric editor's rows as they were typed, and the criteria they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from annotation.rubrics.document import MAX_CRITERIA, Criteria

COLUMNS = ("id", "text", "kind", "answers", "least", "most", "anchors", "weight", "applies_to")
ANCHOR = re.compile(r"\s*([0-9]+)\s*[:=.)-]?\s*(.*)")
WORDS = {"least": "lowest point", "most": "highest point", "anchors": "points", "applies_to": "asked about"}


@dataclass
class TypedCriterion:
    """A row of the editor: text, whatever it was."""

    id: str = ""
    text: str = ""
    kind: str = "principle"
    answers: str = "yes_no"
    least: str = "1"
    most: str = "5"
    # One point a line: "1: poor".
    anchors: str = ""
    weight: str = ""
    applies_to: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def is_scale(self) -> bool:
        return self.answers == "scale"

    def as_criterion(self) -> dict[str, Any]:
        given: dict[str, Any] = {"id": self.id, "text": self.text, "kind": self.kind, "answers": self.answers}
        if self.is_scale:
            given |= {"least": _number(self.least), "most": _number(self.most), "anchors": _anchors(self.anchors)}
        if self.weight.strip():
            given["weight"] = _number(self.weight)
        if self.applies_to:
            given["applies_to"] = self.applies_to
        return given


def rows_of(criteria: Criteria) -> list[TypedCriterion]:
    return [
        TypedCriterion(
            id=given["id"],
            text=given["text"],
            kind=given["kind"],
            answers=given["answers"],
            least=str(given.get("least", 1)),
            most=str(given.get("most", 5)),
            anchors="\n".join(f"{point}: {text}" for point, text in given.get("anchors", {}).items()),
            weight=str(given.get("weight", "")),
            applies_to=given.get("applies_to", ""),
        )
        for given in criteria
    ]


def typed_rows(sent: QueryDict) -> list[TypedCriterion]:
    """Every row sends each of its fields once, in order; one row too many, so that the checker says so."""
    columns = {name: sent.getlist(name) for name in COLUMNS}
    count = min(len(columns["text"]), MAX_CRITERIA + 1)
    rows = [TypedCriterion() for _ in range(count)]
    for name, values in columns.items():
        for row, value in zip(rows, values, strict=False):
            # A browser sends line ends of its own.
            setattr(row, name, value.replace("\r\n", "\n"))
    return rows


def mark_problems(rows: list[TypedCriterion], fields: Mapping[str, str]) -> list[str]:
    """Puts what is wrong with a row beside it; what belongs to no row comes back."""
    rest = []
    for path, problem in fields.items():
        match = re.fullmatch(r"criteria\.([0-9]+)(?:\.(\w+)(?:\.(.+))?)?", path)
        if match is None or int(match[1]) >= len(rows):
            rest.append(f"{path} {problem}")
            continue
        name = WORDS.get(match[2] or "", match[2] or "criterion")
        rows[int(match[1])].problems.append(f"{name}{f' {match[3]}' if match[3] else ''} {problem}")
    return rest


def _number(typed: str) -> Any:
    """What is no number stays text, which the checker then names."""
    for read in (int, float):
        try:
            return read(typed.strip())
        except ValueError:
            continue
    return typed


def _anchors(typed: str) -> dict[str, str]:
    anchors = {}
    for line in filter(str.strip, typed.splitlines()):
        match = ANCHOR.fullmatch(line)
        point, text = (str(int(match[1])), match[2]) if match else (line.strip()[:20], line)
        anchors[point] = text
    return anchors
