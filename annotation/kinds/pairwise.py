"""Which of two responses is better, and how much: -3..3, negative = response_a, or both bad, or both good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.kinds import _texts
from annotation.kinds._base import Answer, Asked, InvalidPayload, Payload, Setting
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

LABEL = "Pairwise comparison"
UNITS = (Unit.COMPARISON,)
MAX_REASON_CHARACTERS = _texts.MAX_REASON_CHARACTERS
MAX_DIMENSIONS = 12
MAX_TAGS = 30
SEVEN_STEPS, THREE_WAY = "7-step", "3-way"
STEP_WORDS = {
    SEVEN_STEPS: (
        "A much better",
        "A better",
        "A slightly better",
        "Tie",
        "B slightly better",
        "B better",
        "B much better",
    ),
    THREE_WAY: ("A better", "Tie", "B better"),
}
# Where there is no room for the words: on a phone, and in the rows of the dimensions.
STEP_MARKS = {SEVEN_STEPS: ("A+++", "A++", "A+", "=", "B+", "B++", "B+++"), THREE_WAY: ("A", "=", "B")}
ASKED_OR_NOT = ("off", "optional", "required")


def _problem_with_dimensions(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > MAX_DIMENSIONS:
        return f"must be a list of at most {MAX_DIMENSIONS} entries with a name and a question"
    for entry in value:
        if not isinstance(entry, dict) or set(entry) != {"name", "question"}:
            return "every entry must have a name and a question, and nothing else"
        if not isinstance(entry["name"], str) or not re.fullmatch(r"[\w-][\w -]{0,39}", entry["name"]):
            return "every name must have 1 to 40 letters, digits, spaces, _ or -"
        question = entry["question"]
        if _texts.problem_with_text(question, most=200, least=1):
            return f"the question of {entry['name']} must have 1 to 200 characters"
    names = [entry["name"] for entry in value]
    return None if len(set(names)) == len(names) else "every name must be there once"


def _problem_with_offered_tags(value: Any) -> str | None:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        return f"must be a list of at most {MAX_TAGS} tags"
    if any(_texts.problem_with_text(tag, most=60, least=1) for tag in value):
        return "every tag must have 1 to 60 characters"
    return None if len(set(value)) == len(value) else "every tag must be there once"


SETTINGS = {
    "scale": Setting(
        SEVEN_STEPS,
        "Seven steps from “A much better” to “B much better”, or only A, tie and B.",
        (SEVEN_STEPS, THREE_WAY),
    ),
    "tie": Setting(True, "Offer “tie” as an answer."),
    "both_bad": Setting(True, "Offer “both bad” as an answer of its own, which is no tie and no number."),
    "both_good": Setting(False, "Offer “both good” as an answer of its own; it counts as a tie."),
    "dimensions": Setting(
        [],
        "Further questions, each compared on the same scale: a name for the data and the question people read. "
        "They need an answer, except after “both bad”.",
        check=_problem_with_dimensions,
    ),
    "reason": Setting(
        "off", "Ask for a short reason (one that is sent without being asked for is kept too).", ASKED_OR_NOT
    ),
    "min_reason_characters": Setting(0, "The least length of a reason, where one is written.", bounds=(0, 2000)),
    "tags": Setting([], "Tags to say why by: short words, offered as chips.", check=_problem_with_offered_tags),
    "tags_required": Setting(False, "Ask for at least one of the tags."),
    "highlights": Setting("off", "Let people mark good and bad passages in the responses.", ("off", "on")),
    "ideal": Setting("off", "Ask for an ideal response, written anew or made from one of the two.", ASKED_OR_NOT),
    "auto_advance": Setting(
        False, "Submit as soon as the answer is complete. Use it where one key answers everything."
    ),
}
FIELDS = ("choice", "preferred", "dimensions", "reason", "tags", "highlights", "ideal")


def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer:
    problems = {str(name)[:40]: "is not known here" for name in payload if name not in FIELDS}
    problems |= problems_with(payload, settings, asked)
    if problems:
        raise InvalidPayload("This answer cannot be taken.", problems)
    return answer_of(payload, asked)


def problems_with(payload: Payload, given: dict[str, Any], asked: Asked) -> dict[str, str]:
    """What is wrong by field, of the fields named above; other kinds that compare two responses ask it too."""
    settings = in_force(given)
    choice = payload.get("choice")
    found = {
        "choice": problem_with_choice(choice, settings),
        "dimensions": _problem_with_answers(payload.get("dimensions", {}), choice, settings),
        "reason": _texts.problem_with_reason(payload.get("reason", ""), settings),
        "tags": _texts.problem_with_tags(payload.get("tags", []), settings),
        "highlights": _texts.problem_with_highlights(payload.get("highlights", []), settings, asked.response_ids),
        "ideal": _texts.problem_with_ideal(payload.get("ideal", ""), settings),
    }
    if "preferred" in payload and found["choice"] is None and payload["preferred"] != _preferred(choice, asked):
        found["preferred"] = "is not the response the choice names"
    return {name: problem for name, problem in found.items() if problem}


def in_force(given: dict[str, Any]) -> dict[str, Any]:
    """With the defaults of settings that came into the world after the campaign."""
    return {name: given.get(name, setting.default) for name, setting in SETTINGS.items()}


def problem_with_choice(choice: object, settings: dict[str, Any]) -> str | None:
    if choice in ("both_bad", "both_good"):
        return None if settings[str(choice)] else f"this campaign does not offer {choice}"
    most = _most(settings)
    if not isinstance(choice, int) or isinstance(choice, bool) or not -most <= choice <= most:
        others = " or ".join(["", *(name for name in ("both_bad", "both_good") if settings[name])])
        return f"must be a whole number from -{most} to {most} (negative = response_a is better){others}"
    if choice == 0 and not settings["tie"]:
        return "this campaign does not offer a tie"
    return None


def _most(settings: dict[str, Any]) -> int:
    return 1 if settings["scale"] == THREE_WAY else 3


def _problem_with_answers(answers: object, choice: object, settings: dict[str, Any]) -> str | None:
    if not isinstance(answers, dict):
        return "must be an object of answers by name"
    names = [entry["name"] for entry in settings["dimensions"]]
    if unknown := [name for name in answers if name not in names]:
        return f"{ascii(unknown[0])[:80]} is not asked here"
    numbers = settings | {"both_bad": False, "both_good": False}
    for name, answer in answers.items():
        if problem := problem_with_choice(answer, numbers):
            return f"{name} {problem}"
    missing = [name for name in names if name not in answers]
    return f"{missing[0]} has no answer" if missing and choice != "both_bad" else None


def answer_of(payload: Payload, asked: Asked) -> Answer:
    """Of a payload in which no problem was found: what is empty is left out, and what has no order of its own gets one,
    so that the same answer is the same payload."""
    choice = payload["choice"]
    cleaned: Payload = {"choice": choice, "preferred": _preferred(choice, asked)}
    for name in ("dimensions", "reason", "ideal"):
        if payload.get(name):
            cleaned[name] = payload[name]
    if payload.get("tags"):
        cleaned["tags"] = sorted(payload["tags"])
    if payload.get("highlights"):
        cleaned["highlights"] = _texts.merged_highlights(payload["highlights"])
    if choice == "both_bad":
        return Answer(cleaned, is_both_bad=True)
    return Answer(cleaned, choice=0 if choice == "both_good" else choice)


def _preferred(choice: Any, asked: Asked) -> int | None:
    if choice in ("both_bad", "both_good", 0):
        return None
    return asked.response_a_id if choice < 0 else asked.response_b_id


@dataclass(frozen=True)
class Step:
    """A button of the answer bar: `choice` is signed in a/b orientation, `words` speak of the sides as shown."""

    key: str
    choice: int
    words: str
    mark: str


def presented(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    settings = in_force(campaign.settings)
    return {"ask": settings, "steps": steps(item, campaign), "also_asked": _also_asked(settings)}


def _also_asked(settings: dict[str, Any]) -> str:
    """What stands behind the bar, in words; empty where the bar is all."""
    count = len(settings["dimensions"])
    parts = [
        f"{count} more question{'s' if count > 1 else ''}" if count else "",
        "tags" if settings["tags"] else "",
        "reason" if settings["reason"] != "off" else "",
        "highlights" if settings["highlights"] == "on" else "",
        "ideal response" if settings["ideal"] != "off" else "",
    ]
    words = ", ".join(part for part in parts if part)
    return words[:1].upper() + words[1:]


def steps(item: ClaimedItem, campaign: Campaign) -> list[Step]:
    """The keys follow the hands, left to right; the choice behind a key depends on which response is at the left."""
    settings = in_force(campaign.settings)
    scale, most = settings["scale"], _most(settings)
    sign = 1 if item.responses[0].id == item.response_a_id else -1
    places = [place for place in range(-most, most + 1) if place or settings["tie"]]
    # Of seven the middle stays free without a tie, so that no other key changes; of three the two are 1 and 2.
    keys = {place: place + most + 1 if most == 3 else number for number, place in enumerate(places, start=1)}
    return [
        Step(str(keys[place]), sign * place, STEP_WORDS[scale][place + most], STEP_MARKS[scale][place + most])
        for place in places
    ]


def words(judgment: Judgment) -> str:
    return words_of_choice(judgment, in_force(judgment.campaign.settings)["scale"])


def words_of_choice(judgment: Judgment, scale: str) -> str:
    if judgment.is_both_bad:
        return "Both bad"
    if judgment.payload.get("choice") == "both_good":
        return "Both good"
    if judgment.choice is None or judgment.comparison is None:
        return LABEL
    sign = 1 if judgment.order_shown[0] == judgment.comparison.response_a_id else -1
    return STEP_WORDS[scale][len(STEP_WORDS[scale]) // 2 + sign * judgment.choice]
