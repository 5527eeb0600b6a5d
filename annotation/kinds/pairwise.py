"""Which of two responses is better, and how much: -3..3, negative = response_a, or both bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.kinds._base import Answer, Asked, InvalidPayload, Payload, Setting
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

LABEL = "Pairwise comparison"
UNITS = (Unit.COMPARISON,)
MAX_REASON_CHARACTERS = 4000
STEP_WORDS = (
    "A much better",
    "A better",
    "A slightly better",
    "Tie",
    "B slightly better",
    "B better",
    "B much better",
)
# Where there is no room for the words, on a phone.
STEP_MARKS = ("A+++", "A++", "A+", "=", "B+", "B++", "B+++")
SETTINGS = {
    "tie": Setting(True, "Offer “tie” as an answer."),
    "both_bad": Setting(True, "Offer “both bad” as an answer of its own."),
    "reason": Setting(
        "off",
        "Ask for a short reason (one that is sent without being asked for is kept too).",
        ("off", "optional", "required"),
    ),
}


def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer:
    problems = {name: "is not known here" for name in payload if name not in {"choice", "preferred", "reason"}}
    choice, reason = payload.get("choice"), payload.get("reason", "")
    if problem := _problem_with_choice(choice, settings):
        problems["choice"] = problem
    if problem := _problem_with_reason(reason, settings):
        problems["reason"] = problem
    if problems:
        raise InvalidPayload("This answer cannot be taken.", problems)
    cleaned: Payload = {"choice": choice, "preferred": _preferred(choice, asked)}
    if payload.get("preferred", cleaned["preferred"]) != cleaned["preferred"]:
        raise InvalidPayload("This answer cannot be taken.", {"preferred": "is not the response the choice names"})
    if reason:
        cleaned["reason"] = reason
    if choice == "both_bad":
        return Answer(cleaned, is_both_bad=True)
    return Answer(cleaned, choice=choice)


def _problem_with_choice(choice: object, settings: dict[str, Any]) -> str | None:
    if choice == "both_bad":
        return None if settings["both_bad"] else "this campaign does not offer both_bad"
    if not isinstance(choice, int) or isinstance(choice, bool) or not -3 <= choice <= 3:
        return "must be a whole number from -3 to 3 (negative = response_a is better) or both_bad"
    if choice == 0 and not settings["tie"]:
        return "this campaign does not offer a tie"
    return None


def _problem_with_reason(reason: object, settings: dict[str, Any]) -> str | None:
    if not isinstance(reason, str):
        return "must be text"
    if "\0" in reason:
        return "must not hold a NUL character"
    if len(reason) > MAX_REASON_CHARACTERS:
        return f"must be at most {MAX_REASON_CHARACTERS} characters"
    if settings["reason"] == "required" and not reason.strip():
        return "this campaign asks for a short reason"
    return None


def _preferred(choice: Any, asked: Asked) -> int | None:
    if choice in {"both_bad", 0}:
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
    return {"steps": steps(item, campaign)}


def steps(item: ClaimedItem, campaign: Campaign) -> list[Step]:
    """The keys follow the hands, left to right; the choice behind a key depends on which response is at the left."""
    sign = 1 if item.responses[0].id == item.response_a_id else -1
    offered = [
        Step(key=str(place + 1), choice=sign * strength, words=STEP_WORDS[place], mark=STEP_MARKS[place])
        for place, strength in enumerate(range(-3, 4))
    ]
    return [step for step in offered if step.choice or campaign.settings.get("tie", True)]


def words(judgment: Judgment) -> str:
    if judgment.is_both_bad:
        return "Both bad"
    if judgment.choice is None or judgment.comparison is None:
        return LABEL
    sign = 1 if judgment.order_shown[0] == judgment.comparison.response_a_id else -1
    return STEP_WORDS[3 + sign * judgment.choice]
