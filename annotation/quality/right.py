"""What is expected of an answer, and whether one is right.

    pairwise   {"better": "a" | "b" | "tie" | "both_bad"}       the direction; "both good" counts as a tie
               {"accept": [-3, -2, "both_bad", ...]}            these answers and no other
    rating     {"ratings": {RESPONSE_ID: {attribute: [low, high]}}}
    rubric     {"criteria": {RESPONSE_ID: {criterion: answer}}}, comparative {"criteria": {criterion: answer}};
               instead of one answer a list of those that are accepted

A rating or a rubric that also compares may say "better" or "accept" beside it. What is not named is not asked for.
"""

from __future__ import annotations

from typing import Any

from accounts.problems import Invalid
from annotation.kinds._base import Asked
from annotation.models import Campaign

DIRECTIONS = ("a", "b", "tie", "both_bad")
CHOICES = (-3, -2, -1, 0, 1, 2, 3, "both_bad", "both_good")
# The part of an expected answer that a kind has of its own, beside the comparison.
OWN_PART = {"pairwise": None, "rating": "ratings", "rubric": "criteria"}
LETTERS = "ABCDEFGHIJKL"
Expected = dict[str, Any]
Payload = dict[str, Any]


class NoGoldHere(Invalid):
    code = "no_gold_for_kind"


def is_right(kind: str, expected: Expected, payload: Payload) -> bool:
    """Of a payload as it is stored."""
    own = _own_part(kind)
    if own in expected and not _is_part_right(own, expected[own], payload.get(own, {})):
        return False
    choice = payload.get("choice")
    if "better" in expected and direction(choice) != expected["better"]:
        return False
    return "accept" not in expected or choice in expected["accept"]


def direction(choice: object) -> str | None:
    """a, b, tie or both_bad; None where nothing was compared."""
    if choice in ("both_bad", None):
        return "both_bad" if choice else None
    if not isinstance(choice, int):
        return "tie"
    return "a" if choice < 0 else "b" if choice > 0 else "tie"


def problems_with_expected(campaign: Campaign, expected: object, asked: Asked) -> dict[str, str]:
    """What is wrong, by path; empty when it can be kept."""
    own = _own_part(campaign.kind)
    if not isinstance(expected, dict) or not expected:
        return {"": "must be an object that says what is right"}
    known = {"better", "accept", own} - {None}
    problems = {str(name)[:40]: "is not known here" for name in expected if name not in known}
    if {"better", "accept"} <= expected.keys():
        problems["accept"] = "and better exclude each other"
    if asked.response_a_id is None and {"better", "accept"} & expected.keys():
        problems["better"] = "no two responses are compared here"
    if expected.get("better", "a") not in DIRECTIONS:
        problems["better"] = f"must be one of: {', '.join(DIRECTIONS)}"
    accept = expected.get("accept", [0])
    if not isinstance(accept, list) or not accept or any(one not in CHOICES or isinstance(one, bool) for one in accept):
        problems["accept"] = "must be a list of answers: -3 to 3, both_bad, both_good"
    if own in expected:
        problems |= _problems_with_part(campaign, expected[own], own, asked)
    return problems


def expected_of(kind: str, payload: Payload) -> Expected:
    """What an answer given by somebody who knows makes of others': the same direction, a rating within one point, the
    same answer to each criterion."""
    own = _own_part(kind)
    expected: Expected = {}
    if way := direction(payload.get("choice")):
        expected["better"] = way
    if own == "ratings":
        expected[own] = {
            response: {name: [value - 1, value + 1] for name, value in values.items()}
            for response, values in payload.get(own, {}).items()
        }
    elif own is not None:
        expected[own] = payload.get(own, {})
    return expected


def in_words(kind: str, expected: Expected, order_shown: list[int], response_a_id: int | None) -> str:
    """For whoever answered: sides in the letters they saw."""
    said = [_choice_words(expected, is_a_first=bool(order_shown) and order_shown[0] == response_a_id)]
    own = _own_part(kind)
    for key, values in (expected.get(own, {}) if own else {}).items():
        if isinstance(values, dict):
            said.append(f"{_letter(key, order_shown)}: " + ", ".join(_value_words(*pair) for pair in values.items()))
        else:
            said.append(_value_words(key, values))
    return "; ".join(part for part in said if part)


def _own_part(kind: str) -> str | None:
    if kind not in OWN_PART:
        raise NoGoldHere(f"Answers of the kind {kind!r} have no gold yet: nothing here says which of them are right.")
    return OWN_PART[kind]


def _is_part_right(own: str | None, expected: dict[str, Any], given: dict[str, Any]) -> bool:
    return all(
        _is_part_right(own, wanted, given.get(key, {}))
        if isinstance(wanted, dict)
        else _is_value_right(own, wanted, given.get(key))
        for key, wanted in expected.items()
    )


def _is_value_right(own: str | None, wanted: Any, given: Any) -> bool:
    if own == "ratings":
        return given is not None and wanted[0] <= given <= wanted[1]
    return given in wanted if isinstance(wanted, list) else given == wanted


def _problems_with_part(campaign: Campaign, part: Any, own: str | None, asked: Asked) -> dict[str, str]:
    if not isinstance(part, dict) or not part:
        return {str(own): "must be an object"}
    if own == "criteria" and campaign.settings.get("mode") == "comparative":
        return _problems_with_values(part, str(own), own, _names(campaign))
    shown = {str(number) for number in asked.response_ids}
    problems = {}
    for response, values in part.items():
        path = f"{own}.{str(response)[:40]}"
        if str(response) not in shown:
            problems[path] = "is no response of this item"
        elif not isinstance(values, dict) or not values:
            problems[path] = "must be an object"
        else:
            problems |= _problems_with_values(values, path, own, _names(campaign))
    return problems


def _problems_with_values(values: dict[str, Any], path: str, own: str | None, names: set[str]) -> dict[str, str]:
    problems = {f"{path}.{name[:40]}": "is not asked here" for name in values if name not in names}
    if own == "ratings":
        for name, value in values.items():
            is_range = isinstance(value, list) and len(value) == 2 and all(_is_number(one) for one in value)
            if not is_range or value[0] > value[1]:
                problems[f"{path}.{name[:40]}"] = "must be [lowest, highest] that is right"
        return problems
    for name, value in values.items():
        if not all(isinstance(one, str) or _is_number(one) for one in (value if isinstance(value, list) else [value])):
            problems[f"{path}.{name[:40]}"] = "must be an answer, or a list of those that are right"
    return problems


def _names(campaign: Campaign) -> set[str]:
    if campaign.kind == "rating":
        return {str(attribute["name"]) for attribute in campaign.settings.get("attributes", [])}
    rubric = campaign.rubric
    return {str(criterion["id"]) for criterion in (rubric.criteria if rubric else [])}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _choice_words(expected: Expected, *, is_a_first: bool) -> str:
    if "better" in expected:
        side = {"a": "A" if is_a_first else "B", "b": "B" if is_a_first else "A"}.get(expected["better"])
        return f"{side} is better" if side else {"tie": "A tie", "both_bad": "Both bad"}[expected["better"]]
    return " or ".join(_step_words(choice, is_a_first=is_a_first) for choice in expected.get("accept", []))


def _step_words(choice: int | str, *, is_a_first: bool) -> str:
    if isinstance(choice, str) or choice == 0:
        return {"both_bad": "both bad", "both_good": "both good", 0: "a tie"}[choice]
    side = "A" if (choice < 0) == is_a_first else "B"
    return f"{side} {('slightly better', 'better', 'much better')[abs(choice) - 1]}"


def _letter(response: str, order_shown: list[int]) -> str:
    shown = [str(number) for number in order_shown]
    return LETTERS[shown.index(response)] if response in shown else response


def _value_words(name: str, wanted: Any) -> str:
    label = name.replace("_", " ")
    if isinstance(wanted, list) and len(wanted) == 2 and all(_is_number(one) for one in wanted):
        low, high = wanted
        return f"{label} {low}" if low == high else f"{label} {low} to {high}"
    return f"{label} " + " or ".join(str(one) for one in (wanted if isinstance(wanted, list) else [wanted]))
