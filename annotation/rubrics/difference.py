"""What changed from one version of a rubric to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotation.rubrics.document import Criteria


@dataclass(frozen=True)
class FieldChange:
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class CriterionChange:
    """`change` is added, removed, changed or moved; a changed one may have moved too."""

    id: str
    change: str
    text: str
    fields: list[FieldChange]


def difference(before: Criteria, after: Criteria) -> list[CriterionChange]:
    """In the order of the later version, what was removed at the end."""
    old = {given["id"]: given for given in before}
    new = {given["id"]: given for given in after}
    moved = _moved([name for name in old if name in new], [name for name in new if name in old])
    changes = []
    for name, given in new.items():
        if name not in old:
            changes.append(CriterionChange(name, "added", given["text"], []))
        elif fields := _fields(old[name], given):
            changes.append(CriterionChange(name, "changed", given["text"], fields))
        elif name in moved:
            changes.append(CriterionChange(name, "moved", given["text"], []))
    removed = [CriterionChange(name, "removed", old[name]["text"], []) for name in old if name not in new]
    return changes + removed


def _fields(before: dict[str, Any], after: dict[str, Any]) -> list[FieldChange]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        FieldChange(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The fewest that have to be moved to get from one order to the other."""
    place = {name: number for number, name in enumerate(before)}
    # The longest run that kept its order stays; the others moved.
    best: list[list[str]] = []
    for name in after:
        longest = max((run for run in best if place[run[-1]] < place[name]), key=len, default=[])
        best.append([*longest, name])
    kept = max(best, key=len, default=[])
    return set(after) - set(kept)
