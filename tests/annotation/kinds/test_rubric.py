"""Rubric answers: what is taken, and what is refused with the path of the field."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.draft import save_draft
from annotation.desk.judge import submit
from annotation.kinds import rubric
from annotation.kinds._base import Asked, InvalidPayload, kinds, settings_with_defaults
from annotation.kinds.rubric import StaleRubric
from annotation.models import Assignment, AssignmentState, Draft, Judgment
from annotation.rubrics.document import checked
from annotation.rubrics.of_campaign import change_rubric
from annotation.rubrics.save import save_rubric
from corpus.models import Comparison

CRITERIA = checked(
    [
        {"id": "tone", "text": "How fitting is the tone?", "answers": "scale", "least": 1, "most": 5},
        {"id": "honest", "text": "Is it free of invented facts?", "kind": "hard"},
        {"id": "apart", "text": "Do they differ in substance?", "applies_to": "pair"},
    ]
)
BOTH = Asked((17, 12), 12, 17, CRITERIA, 2)
ONE = Asked((17,), None, None, CRITERIA, 2)
WHOLE = {"tone": 4, "honest": "yes"}


def settings(**given: Any) -> dict[str, Any]:
    return settings_with_defaults(kinds()["rubric"], given)


def taken(payload: Any, asked: Asked = BOTH, **given: Any) -> Any:
    return rubric.validate(payload, settings(**given), asked)


def refused(payload: Any, asked: Asked = BOTH, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as problem:
        taken(payload, asked, **given)
    return problem.value.fields


def test_every_response_is_checked_and_the_version_is_kept() -> None:
    answers = {"17": WHOLE, "12": {"tone": "n/a", "honest": "no"}}
    answer = taken({"criteria": answers})
    assert answer.payload == {"criteria": answers, "rubric_version": 2}
    assert answer.choice is None


def test_hard_rules_are_asked_first_and_what_applies_elsewhere_is_not_asked() -> None:
    assert [one.id for one in rubric.asked_criteria(CRITERIA, settings())] == ["honest", "tone"]
    assert [one.id for one in rubric.asked_criteria(CRITERIA, settings(mode="comparative"))] == [
        "honest",
        "tone",
        "apart",
    ]


def test_a_single_response_takes_the_flat_form_and_stores_the_full_one() -> None:
    assert taken({"criteria": WHOLE}, ONE).payload == {"criteria": {"17": WHOLE}, "rubric_version": 2}
    assert taken({"criteria": {"17": WHOLE}}, ONE).payload == taken({"criteria": WHOLE}, ONE).payload
    assert refused({"criteria": {"tone": 9, "honest": "yes"}}, ONE) == {
        "criteria.tone": "must be a whole number from 1 to 5, or n/a"
    }


@pytest.mark.parametrize("answer", [True, "maybe", "Yes", 1, None, [], {}], ids=repr)
def test_yes_and_no_are_words(answer: Any) -> None:
    fields = refused({"criteria": {"17": {**WHOLE, "honest": answer}, "12": WHOLE}})
    assert fields == {"criteria.17.honest": "must be yes, no or n/a"}


@pytest.mark.parametrize("answer", [0, 6, "3", 3.5, True, "yes", None], ids=repr)
def test_a_scale_takes_its_points(answer: Any) -> None:
    fields = refused({"criteria": {"17": {**WHOLE, "tone": answer}, "12": WHOLE}})
    assert fields == {"criteria.17.tone": "must be a whole number from 1 to 5, or n/a"}


def test_unknown_and_missing_criteria_and_responses_are_named_by_their_paths() -> None:
    fields = refused({"criteria": {"17": {"tone": 3, "apart": "yes", "wit": "no"}, "99": WHOLE}})
    assert set(fields) == {
        "criteria.17.apart", "criteria.17.wit", "criteria.17.honest", "criteria.99", "criteria.12",
    }  # fmt: skip


@pytest.mark.parametrize("given", [None, [], "yes", 1, {"17": "yes", "12": []}], ids=repr)
def test_what_is_no_object_of_answers_is_refused(given: Any) -> None:
    assert all(path.startswith("criteria") for path in refused({"criteria": given}))


def test_of_a_pair_each_criterion_says_how_far_one_is_better() -> None:
    answers = {"tone": -3, "honest": "n/a", "apart": 1}
    answer = taken({"criteria": answers}, mode="comparative")
    assert answer.payload["criteria"] == answers
    for wrong in (4, -4, True, "yes", 1.0, None):
        found = refused({"criteria": {**answers, "tone": wrong}}, mode="comparative")
        assert list(found) == ["criteria.tone"]
    assert "criteria.apart" in refused({"criteria": {"tone": 1, "honest": 1}}, mode="comparative")
    assert "criteria.17" in refused({"criteria": {"17": WHOLE}}, mode="comparative")


def test_a_comparison_may_follow() -> None:
    both = {"17": WHOLE, "12": WHOLE}
    assert taken({"criteria": both, "choice": -1}, compare="3-way").choice == -1
    assert "choice" in refused({"criteria": both}, compare="7-step")
    assert refused({"criteria": both, "choice": 1}) == {"choice": "is not asked for here"}
    assert "reason" in refused({"criteria": both}, reason="required")


@pytest.mark.parametrize("version", [1, 3, 0, -1])
def test_an_answer_under_another_version_is_stale(version: int) -> None:
    with pytest.raises(StaleRubric) as problem:
        taken({"criteria": {"17": WHOLE, "12": WHOLE}, "rubric_version": version})
    assert (problem.value.status, problem.value.code) == (409, "stale_rubric")
    assert "rubric changed" in problem.value.message


@pytest.mark.parametrize("version", ["2", True, 2.5, None, []], ids=repr)
def test_a_version_is_a_whole_number(version: Any) -> None:
    assert "rubric_version" in refused({"criteria": {"17": WHOLE, "12": WHOLE}, "rubric_version": version})


def test_a_change_of_the_rubric_while_somebody_holds_an_item_asks_them_to_look_again(
    project: Project, comparisons: list[Comparison], annotator: User
) -> None:
    campaign = create_campaign(project=project, name="Checks", kind="rubric", rubric=["Is it polite?"])
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    old = {"criteria": {str(number): {"is_it_polite": "yes"} for number in item.order}, "rubric_version": 1}
    save_draft(assignment=Assignment.objects.get(id=item.assignment_id), payload=old)

    save_rubric(project=project, name="Checks", criteria=["Is it polite?", "Is it short?"], by=None)
    change_rubric(campaign=campaign, version=2, by=None)
    with pytest.raises(StaleRubric):
        submit(assignment=Assignment.objects.get(id=item.assignment_id), payload=old)
    assert Draft.objects.get().payload == old
    assert Assignment.objects.get(id=item.assignment_id).state == AssignmentState.CLAIMED

    new = {str(number): {"is_it_polite": "yes", "is_it_short": "n/a"} for number in item.order}
    done = submit(assignment=Assignment.objects.get(id=item.assignment_id), payload={"criteria": new})
    judgment = Judgment.objects.get(id=done.judgment_id)
    assert judgment.payload["rubric_version"] == 2
    assert judgment.rubric is not None and judgment.rubric.version == 2
    assert rubric.words(judgment) == "A: 1 of 1 met; B: 1 of 1 met"
