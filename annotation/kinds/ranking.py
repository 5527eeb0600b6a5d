"""All responses to a prompt, best first, ties together: [[17], [12, 15], [9]]."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotation.kinds import _texts
from annotation.kinds._base import Answer, Asked, InvalidPayload, Payload, Setting
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

LABEL = "Ranking"
UNITS = (Unit.PROMPT,)
LETTERS = "ABCDEFGHIJKL"
SETTINGS = {
    "tie": Setting(True, "Let people put several responses at the same place."),
    "reason": Setting(
        "off",
        "Ask for a short reason (one that is sent without being asked for is kept too).",
        ("off", "optional", "required"),
    ),
    "min_reason_characters": Setting(0, "The least length of a reason, where one is written.", bounds=(0, 2000)),
}
FIELDS = ("ranking", "reason")


def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer:
    problems = {str(name)[:40]: "is not known here" for name in payload if name not in FIELDS}
    places, problem = _places(payload.get("ranking"), settings["tie"], asked.response_ids)
    reason = payload.get("reason", "")
    if problem:
        problems["ranking"] = problem
    if problem := _texts.problem_with_reason(reason, settings):
        problems["reason"] = problem
    if problems:
        raise InvalidPayload("This ranking cannot be taken.", problems)
    return Answer({"ranking": places, "reason": reason} if reason else {"ranking": places})


def _places(given: object, has_ties: bool, shown: tuple[int, ...]) -> tuple[list[list[int]], str | None]:
    """Ids within a place in ascending order, so that the same answer is the same payload; and what is wrong."""
    if not isinstance(given, list) or not all(isinstance(place, list) and place for place in given):
        return [], "must be a list of places, best first, each a list of response ids"
    places = [[_response_id(value) for value in place] for place in given]
    named = [value for place in places for value in place]
    if None in named:
        return [], "must name responses by their ids, which are whole numbers"
    if strange := [value for value in named if value not in shown]:
        return [], f"{strange[0]} is no response of this item"
    if len(set(named)) < len(named):
        return [], "must name every response once"
    if missing := [value for value in shown if value not in named]:
        return [], f"must name every response: {missing[0]} has no place"
    if not has_ties and len(places) < len(named):
        return [], "this campaign offers no ties, so every response needs a place of its own"
    return [sorted(value for value in place if value is not None) for place in places], None


def _response_id(value: object) -> int | None:
    """ "17" and 17 are the same response."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Sides:
    """A comparison by its id, and the responses behind the signs of its answers."""

    id: int
    response_a_id: int
    response_b_id: int


def implied_choices(payload: Payload, comparisons: Iterable[Sides]) -> dict[int, int]:
    """What a ranking says of each comparison among its responses: -1, 0 or 1, negative = response_a is better.

    A ranking tells the direction and not the strength, however many places lie between. Comparisons with a response
    that was not ranked are left out.
    """
    place_of = {response: place for place, tied in enumerate(payload["ranking"]) for response in tied}
    return {
        sides.id: _sign(place_of[sides.response_a_id] - place_of[sides.response_b_id])
        for sides in comparisons
        if sides.response_a_id in place_of and sides.response_b_id in place_of
    }


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)


@dataclass(frozen=True)
class Ranked:
    """A response to be ranked, by the letter it is shown under."""

    letter: str
    response_id: int


def presented(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    settings = {name: campaign.settings.get(name, setting.default) for name, setting in SETTINGS.items()}
    to_rank = [Ranked(letter, response.id) for letter, response in zip(LETTERS, item.responses, strict=False)]
    return {"ask": settings, "to_rank": to_rank}


def words(judgment: Judgment) -> str:
    """ "B > A = C > D", in the letters its author saw."""
    letter_of = dict(zip(judgment.order_shown, LETTERS, strict=False))
    places = [sorted(letter_of.get(response, "?") for response in tied) for tied in judgment.payload["ranking"]]
    return " > ".join(" = ".join(letters) for letters in places)
