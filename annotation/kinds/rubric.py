"""Criteria of a versioned rubric: yes, no or not applicable, or a point of a scale; per response or of the pair.

Per response every criterion is answered for each response shown. Comparative, it is answered once for the pair: -3..3,
negative = response_a meets it better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from accounts.problems import Conflict
from annotation.kinds._base import Answer, Asked, InvalidPayload, Payload, Setting
from annotation.kinds._compared import COMPARE_SETTINGS, comparison_shown, pair_steps, take_compared, words_compared
from annotation.models import Campaign, Judgment, Unit
from annotation.rubrics.document import COMPARATIVE, NOT_APPLICABLE, YES_NO, Criterion, criteria_of

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

LABEL = "Rubric check"
UNITS = (Unit.COMPARISON, Unit.RESPONSE)
PER_RESPONSE, OF_PAIRS = "per_response", "comparative"


class StaleRubric(Conflict):
    code: ClassVar[str] = "stale_rubric"


def _problem_with_rubric(value: Any) -> str | None:
    """Which of the two it is, and whether it is there, is seen when the campaign is made."""
    return None if value is None or isinstance(value, str | list | dict) else "must be a name, or a list of criteria"


SETTINGS = {
    "rubric": Setting(
        None, "The name of a rubric of the project, or the criteria themselves.", check=_problem_with_rubric
    ),
    "mode": Setting(
        PER_RESPONSE,
        "Whether each response is checked by itself, or the two against each other.",
        (PER_RESPONSE, OF_PAIRS),
    ),
    **COMPARE_SETTINGS,
}


def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer:
    _refuse_stale(payload, asked)
    asked_of = asked_criteria(asked.rubric or [], settings)
    given = payload.get("criteria")
    if settings["mode"] == OF_PAIRS:
        problems = _problems_with(given, asked_of, "criteria", of_pairs=True)
        cleaned = given
    else:
        cleaned, problems = _per_response(given, asked_of, asked.response_ids)
    rest = {name: value for name, value in payload.items() if name not in {"criteria", "rubric_version"}}
    compared = take_compared(rest, settings, asked)
    problems |= compared.problems
    if problems:
        raise InvalidPayload("These answers cannot be taken.", problems)
    return compared.answer_with({"criteria": cleaned, "rubric_version": asked.rubric_version})


def _refuse_stale(payload: Payload, asked: Asked) -> None:
    version = payload.get("rubric_version", asked.rubric_version)
    if version == asked.rubric_version and not isinstance(version, bool):
        return
    if not isinstance(version, int) or isinstance(version, bool):
        raise InvalidPayload("These answers cannot be taken.", {"rubric_version": "must be a whole number"})
    raise StaleRubric(
        f"The rubric changed: this answer was given under version {version}, and version {asked.rubric_version} is in "
        "force. Look at the item again; what you answered is kept as a draft.",
        {"rubric_version": f"must be {asked.rubric_version}"},
    )


def asked_criteria(rubric: list[dict[str, Any]], settings: dict[str, Any]) -> list[Criterion]:
    """Hard rules first; a criterion that applies to the other mode only is not asked."""
    of_pairs = settings["mode"] == OF_PAIRS
    return [criterion for criterion in criteria_of(rubric) if criterion.is_asked(of_pairs=of_pairs)]


def _per_response(
    given: Any, criteria: list[Criterion], response_ids: tuple[int, ...]
) -> tuple[dict[str, Any], dict[str, str]]:
    if not isinstance(given, dict):
        return {}, {"criteria": "must be an object: response id to {criterion: answer}"}
    shown = [str(response_id) for response_id in response_ids]
    if len(shown) == 1 and shown[0] not in given:
        return {shown[0]: given}, _problems_with(given, criteria, "criteria", of_pairs=False)
    problems = {f"criteria.{str(key)[:40]}": "is no response of this item" for key in given if key not in shown}
    for response_id in shown:
        problems |= _problems_with(given.get(response_id), criteria, f"criteria.{response_id}", of_pairs=False)
    return given, problems


def _problems_with(given: Any, criteria: list[Criterion], path: str, *, of_pairs: bool) -> dict[str, str]:
    if not isinstance(given, dict):
        return {path: "must be an object: criterion to answer"}
    known = {criterion.id for criterion in criteria}
    problems = {f"{path}.{str(name)[:40]}": "is no criterion asked here" for name in given if name not in known}
    for criterion in criteria:
        if criterion.id not in given:
            problems[f"{path}.{criterion.id}"] = f"is missing; {NOT_APPLICABLE} says that it does not apply"
        elif problem := _problem_with_answer(given[criterion.id], criterion, of_pairs=of_pairs):
            problems[f"{path}.{criterion.id}"] = problem
    return problems


def _problem_with_answer(answer: Any, criterion: Criterion, *, of_pairs: bool) -> str | None:
    if answer == NOT_APPLICABLE:
        return None
    if of_pairs:
        is_whole = isinstance(answer, int) and not isinstance(answer, bool)
        is_step = is_whole and answer in COMPARATIVE
        return None if is_step else "must be a whole number from -3 to 3 (negative = response_a) or n/a"
    if criterion.scale is None:
        return None if isinstance(answer, str) and answer in YES_NO else "must be yes, no or n/a"
    problem = criterion.scale.problem_with(answer)
    return f"{problem}, or n/a" if problem else None


def presented(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    rubric = campaign.rubric
    return {
        "rubric": rubric,
        "criteria": asked_criteria(rubric.criteria if rubric else [], campaign.settings),
        "of_pairs": campaign.settings["mode"] == OF_PAIRS,
        "pair_steps": pair_steps(item) if campaign.settings["mode"] == OF_PAIRS else [],
        **comparison_shown(item, campaign),
    }


def words(judgment: Judgment) -> str:
    """How many criteria each response meets, in the letters its author saw."""
    given = judgment.payload.get("criteria", {})
    if not all(isinstance(answers, dict) for answers in given.values()):
        return "; ".join([f"{len(given)} criteria compared", *words_compared(judgment)])
    sides = []
    for letter, response_id in zip("ABCDEFGHIJKL", judgment.order_shown, strict=False):
        sides.append(f"{letter}: {_tally(given.get(str(response_id), {}))}")
    return "; ".join([*sides, *words_compared(judgment)])


def _tally(answers: dict[str, Any]) -> str:
    asked = [answer for answer in answers.values() if answer in YES_NO]
    parts = [f"{asked.count('yes')} of {len(asked)} met"] if asked else []
    parts += [
        f"{name.replace('_', ' ')} {answer}" for name, answer in sorted(answers.items()) if isinstance(answer, int)
    ]
    return ", ".join(parts) or "nothing applies"
