from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from annotation.campaigns.create import create_campaign
from annotation.campaigns.prioritise import InvalidPriority, reprioritise
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, Task
from corpus.models import Comparison
from tests.annotation.conftest import add_comparisons


def _answer(campaign: Campaign, person: User, choice: int = 2) -> int | None:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": choice}, with_next=False)
    return item.comparison_id


def test_named_comparisons_come_first_also_for_who_is_past_them(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User
) -> None:
    _answer(campaign, annotator)
    _answer(campaign, annotator)
    late = comparisons[3].id
    assert reprioritise(campaign=campaign, by=curator, comparisons=[late], priority=10) == 1
    assert _answer(campaign, annotator) == late
    assert _answer(campaign, annotator) == comparisons[2].id
    assert AuditEvent.objects.get(action="reprioritise tasks").details["tasks"] == 1


def test_a_source_comes_last(project: Project, comparisons: list[Comparison], annotator: User) -> None:
    other = add_comparisons(project, 1, source="other", start=50)
    made = create_campaign(project=project, name="Both", overlap=1)
    assert reprioritise(campaign=made, by=None, source="hand made", priority=-1) == len(comparisons)
    assert _answer(made, annotator) == other[0].id


def test_the_undecided_come_first(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, owner: User, people: Any
) -> None:
    Task.objects.filter(campaign=campaign).update(cap=3)
    first, second = people(2)
    for _ in comparisons:
        _answer(campaign, first, 2)
    for number, _ in enumerate(comparisons):
        _answer(campaign, second, -2 if number == 2 else 2)
    assert reprioritise(campaign=campaign, by=owner, undecided=True, priority=5) == 1
    split = Task.objects.get(campaign=campaign, priority=5).comparison_id
    assert _answer(campaign, annotator) == split


def test_shuffling_is_by_seed(campaign: Campaign) -> None:
    def order(seed: int) -> list[int]:
        reprioritise(campaign=campaign, by=None, shuffled=seed)
        return list(Task.objects.filter(campaign=campaign).order_by("-priority", "id").values_list("id", flat=True))

    assert order(1) == order(1)
    assert any(order(seed) != order(1) for seed in (2, 3, 4))


def test_a_full_task_keeps_its_priority(campaign: Campaign, comparisons: list[Comparison]) -> None:
    Task.objects.filter(campaign=campaign, comparison=comparisons[0]).update(slots_a_first=2)
    assert reprioritise(campaign=campaign, by=None, comparisons=[row.id for row in comparisons], priority=3) == 3


@pytest.mark.parametrize(
    "which",
    [
        {},
        {"comparisons": [1], "undecided": True},
        {"source": "nowhere"},
        {"comparisons": list(range(10_001))},
        {"undecided": True, "priority": 10**7},
    ],
    ids=["nothing", "two", "unknown source", "too many", "too high"],
)
def test_what_names_no_tasks_is_refused(campaign: Campaign, which: dict[str, Any]) -> None:
    with pytest.raises(InvalidPriority):
        reprioritise(campaign=campaign, by=None, **which)
    assert not AuditEvent.objects.filter(action="reprioritise tasks").exists()
