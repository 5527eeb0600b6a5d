"""Each response by itself, on named attributes: whole numbers on a scale whose points have words.

Attributes are rated before responses are compared, where a campaign asks for both: a comparison that comes first
pulls the ratings after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.kinds._base import Answer, Asked, InvalidPayload, Payload, Setting
from annotation.kinds._compared import COMPARE_SETTINGS, comparison_shown, take_compared, words_compared
from annotation.kinds._helpsteer import HELPSTEER
from annotation.kinds._scale import Scale, problems_with_scale
from annotation.kinds._texts import problem_with_text
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

LABEL = "Rating"
UNITS = (Unit.COMPARISON, Unit.RESPONSE, Unit.PROMPT)
MAX_ATTRIBUTES = 20
MAX_QUESTION_CHARACTERS = 300
DEFAULT_LEAST, DEFAULT_MOST = 0, 4
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
FIELDS = ("name", "question", "least", "most", "anchors")


@dataclass(frozen=True)
class Attribute:
    name: str
    question: str
    scale: Scale

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()


def attributes_of(settings: dict[str, Any]) -> list[Attribute]:
    return [
        Attribute(
            name=given["name"],
            question=given.get("question", ""),
            scale=Scale(
                given.get("least", DEFAULT_LEAST), given.get("most", DEFAULT_MOST), dict(given.get("anchors", {}))
            ),
        )
        for given in settings["attributes"]
    ]


def _problem_with_attributes(value: Any) -> str | None:
    """The first thing that is wrong, with its path."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_ATTRIBUTES:
        return f"must be a list of 1 to {MAX_ATTRIBUTES} attributes"
    for place, given in enumerate(value):
        if problems := _problems_with_attribute(given, f"attributes.{place}"):
            path, problem = next(iter(problems.items()))
            return f"{path} {problem}"
    names = [given["name"] for given in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"names {twice[0]!r} twice" if twice else None


def _problems_with_attribute(given: Any, path: str) -> dict[str, str]:
    if not isinstance(given, dict):
        return {path: "must be an object with a name"}
    problems = {f"{path}.{str(name)[:40]}": "is not known here" for name in given if name not in FIELDS}
    if not isinstance(given.get("name"), str) or not NAME.fullmatch(given["name"]):
        problems[f"{path}.name"] = "must be 1 to 40 letters, digits, _ and -, beginning with a letter"
    if problem := problem_with_text(given.get("question", ""), most=MAX_QUESTION_CHARACTERS):
        problems[f"{path}.question"] = problem
    return problems | problems_with_scale({"least": DEFAULT_LEAST, "most": DEFAULT_MOST, **given}, path)


SETTINGS = {
    "attributes": Setting(
        HELPSTEER,
        "What is rated: a list of {name, question, least, most, anchors: {point: text}}; HelpSteer's five on 0 to 4.",
        check=_problem_with_attributes,
    ),
    **COMPARE_SETTINGS,
}


def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer:
    ratings, problems = _taken(payload.get("ratings"), attributes_of(settings), asked.response_ids)
    rest = {name: value for name, value in payload.items() if name != "ratings"}
    compared = take_compared(rest, settings, asked)
    problems |= compared.problems
    if problems:
        raise InvalidPayload("These ratings cannot be taken.", problems)
    return compared.answer_with({"ratings": ratings})


def _taken(
    given: Any, attributes: list[Attribute], response_ids: tuple[int, ...]
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """The ratings in the order of the campaign, and what is wrong by path ("ratings.17.helpfulness")."""
    if not isinstance(given, dict):
        return {}, {"ratings": "must be an object: response id to {attribute: value}"}
    shown = [str(response_id) for response_id in response_ids]
    problems = {f"ratings.{str(key)[:40]}": "is no response of this item" for key in given if key not in shown}
    taken: dict[str, dict[str, int]] = {}
    for response_id in shown:
        values = given.get(response_id)
        if isinstance(values, dict):
            problems |= _problems_with_values(values, attributes, f"ratings.{response_id}")
            taken[response_id] = {
                attribute.name: values[attribute.name] for attribute in attributes if attribute.name in values
            }
        else:
            problems[f"ratings.{response_id}"] = "must be an object: attribute to value"
    return dict(sorted(taken.items(), key=lambda pair: int(pair[0]))), problems


def _problems_with_values(values: dict[str, Any], attributes: list[Attribute], path: str) -> dict[str, str]:
    known = {attribute.name for attribute in attributes}
    problems = {f"{path}.{str(name)[:40]}": "is no attribute of this campaign" for name in values if name not in known}
    for attribute in attributes:
        if attribute.name not in values:
            problems[f"{path}.{attribute.name}"] = "is missing"
        elif problem := attribute.scale.problem_with(values[attribute.name]):
            problems[f"{path}.{attribute.name}"] = problem
    return problems


def presented(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    return {"attributes": attributes_of(campaign.settings), **comparison_shown(item, campaign)}


def words(judgment: Judgment) -> str:
    """ "A: helpfulness 3, coherence 4; B: ..., B better"."""
    ratings = judgment.payload.get("ratings", {})
    asked = [attribute.name for attribute in attributes_of(judgment.campaign.settings)]
    sides = []
    for letter, response_id in zip("ABCDEFGHIJKL", judgment.order_shown, strict=False):
        values = ratings.get(str(response_id), {})
        said = [f"{name.replace('_', ' ')} {values[name]}" for name in asked if name in values]
        sides.append(f"{letter}: {', '.join(said)}")
    return "; ".join([*sides, *words_compared(judgment)])
