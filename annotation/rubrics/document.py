"""A rubric's criteria: their one shape, and what is wrong with another.

    {"id": "cites_sources", "text": "Does it name its sources?", "kind": "hard" | "principle",
     "answers": "yes_no"}
    {"id": "tone", "text": "...", "kind": "principle", "answers": "scale", "least": 1, "most": 5,
     "anchors": {"1": "...", "5": "..."}, "weight": 2.0, "applies_to": "response" | "pair"}

Answers of different versions are counted together by the id of the criterion, so an id keeps its scale for good.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from accounts.problems import Invalid
from annotation.kinds._scale import Scale, problems_with_scale
from annotation.kinds._texts import problem_with_text

MAX_CRITERIA = 50
MAX_TEXT_CHARACTERS = 1000
MAX_WEIGHT = 100
ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
KINDS = ("hard", "principle")
ANSWERS = ("yes_no", "scale")
APPLIES = ("response", "pair")
YES_NO = ("yes", "no")
NOT_APPLICABLE = "n/a"
# Comparative: how far one response meets the criterion better, negative = response_a.
COMPARATIVE = tuple(range(-3, 4))
FIELDS = ("id", "text", "kind", "answers", "least", "most", "anchors", "weight", "applies_to")
Criteria = list[dict[str, Any]]


class InvalidRubric(Invalid):
    code = "invalid_rubric"


@dataclass(frozen=True)
class Criterion:
    id: str
    text: str
    is_hard: bool
    # None where it is answered by yes or no.
    scale: Scale | None
    weight: float | None
    applies_to: str | None

    def is_asked(self, *, of_pairs: bool) -> bool:
        return self.applies_to in {None, "pair" if of_pairs else "response"}


def criteria_of(criteria: Criteria) -> list[Criterion]:
    """Of a checked document, hard rules first."""
    found = [
        Criterion(
            id=given["id"],
            text=given["text"],
            is_hard=given["kind"] == "hard",
            scale=Scale(given["least"], given["most"], given["anchors"]) if given["answers"] == "scale" else None,
            weight=given.get("weight"),
            applies_to=given.get("applies_to"),
        )
        for given in criteria
    ]
    return sorted(found, key=lambda criterion: not criterion.is_hard)


def checked(criteria: Any) -> Criteria:
    """The criteria in their one shape; a text alone is a principle answered by yes or no."""
    if not isinstance(criteria, list) or not 1 <= len(criteria) <= MAX_CRITERIA:
        raise InvalidRubric(
            f"A rubric is a list of 1 to {MAX_CRITERIA} criteria.",
            {"criteria": f"must be a list of 1 to {MAX_CRITERIA} criteria, each {{id, text, kind, answers}}"},
        )
    named = _with_ids([_as_object(given) for given in criteria])
    problems: dict[str, str] = {}
    for place, given in enumerate(named):
        problems |= _problems_with(given, f"criteria.{place}")
    problems |= _repeated_ids(named)
    if problems:
        raise InvalidRubric("This rubric cannot be used.", problems)
    return [_in_shape(given) for given in named]


def _as_object(given: Any) -> Any:
    """YAML reads the points of anchors as numbers."""
    if isinstance(given, str):
        return {"text": given}
    if isinstance(given, dict) and isinstance(given.get("anchors"), dict):
        return {**given, "anchors": {str(point): text for point, text in given["anchors"].items()}}
    return given


def _with_ids(criteria: list[Any]) -> list[Any]:
    """A criterion without an id is named after its first words."""
    taken = {given["id"] for given in criteria if isinstance(given, dict) and isinstance(given.get("id"), str)}
    named = []
    for given in criteria:
        if isinstance(given, dict) and not given.get("id"):
            fresh = _free_id(str(given.get("text", "")), taken)
            taken.add(fresh)
            named.append({**given, "id": fresh})
        else:
            named.append(given)
    return named


def _free_id(text: str, taken: set[str]) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    stem = "_".join(words[:5])[:32].strip("_")
    stem = stem if stem[:1].isalpha() else f"c_{stem}".rstrip("_")
    if stem not in taken:
        return stem
    return next(f"{stem}_{number}" for number in range(2, MAX_CRITERIA + 2) if f"{stem}_{number}" not in taken)


def _problems_with(given: Any, path: str) -> dict[str, str]:
    if not isinstance(given, dict):
        return {path: "must be an object with a text, or a text"}
    problems = {f"{path}.{str(name)[:40]}": "is not known here" for name in given if name not in FIELDS}
    if problem := problem_with_text(given.get("text"), most=MAX_TEXT_CHARACTERS, least=1):
        problems[f"{path}.text"] = problem
    if not isinstance(given.get("id"), str) or not ID.fullmatch(given["id"]):
        problems[f"{path}.id"] = "must be 1 to 40 of a-z, 0-9, _ and -, beginning with a letter"
    choices = (("kind", KINDS, "principle"), ("answers", ANSWERS, "yes_no"), ("applies_to", (*APPLIES, None), None))
    for name, known, default in choices:
        if (value := given.get(name, default)) not in known or not isinstance(value, str | None):
            problems[f"{path}.{name}"] = f"must be one of: {', '.join(word for word in known if word)}"
    if (problem := _weight_problem(given.get("weight"))) is not None:
        problems[f"{path}.weight"] = problem
    if given.get("answers") == "scale":
        problems |= problems_with_scale(given, path)
    else:
        only = {name for name in ("least", "most", "anchors") if name in given}
        problems |= {f"{path}.{name}": "goes with answers: scale" for name in sorted(only)}
    return problems


def _weight_problem(weight: Any) -> str | None:
    if weight is None:
        return None
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool) and math.isfinite(weight)
    return None if is_number and abs(weight) <= MAX_WEIGHT else f"must be a number from -{MAX_WEIGHT} to {MAX_WEIGHT}"


def _repeated_ids(criteria: list[Any]) -> dict[str, str]:
    first: dict[str, int] = {}
    problems = {}
    for place, given in enumerate(criteria):
        name = given.get("id") if isinstance(given, dict) else None
        if isinstance(name, str) and first.setdefault(name, place) != place:
            problems[f"criteria.{place}.id"] = f"is the id of criterion {first[name] + 1} already"
    return problems


def _in_shape(given: dict[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = {
        "id": given["id"],
        "text": given["text"].strip(),
        "kind": given.get("kind", "principle"),
        "answers": given.get("answers", "yes_no"),
    }
    if shaped["answers"] == "scale":
        anchors = given.get("anchors", {})
        points = sorted(anchors, key=int)
        shaped |= {"least": given["least"], "most": given["most"], "anchors": {p: anchors[p].strip() for p in points}}
    for name in ("weight", "applies_to"):
        if given.get(name) is not None:
            shaped[name] = given[name]
    return shaped
