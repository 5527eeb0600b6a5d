from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from annotation.campaigns.add_tasks import extend_with_new_rows
from annotation.campaigns.create import InvalidCampaign, create_campaign, extend_overlap
from annotation.desk.assign import claim
from annotation.models import Campaign, GoldAnswer, Task
from corpus.models import Comparison, Response


def _order(campaign: Campaign) -> list[int | None]:
    """The comparisons in the order in which they are dealt."""
    return list(Task.objects.filter(campaign=campaign).order_by("-priority", "id").values_list("comparison", flat=True))


def test_imported_order_is_the_order_of_the_rows(project: Project, comparisons: list[Comparison]) -> None:
    made = create_campaign(project=project, name="As imported")
    assert _order(made) == [row.id for row in comparisons]


def test_a_shuffled_order_is_the_same_for_the_same_seed(project: Project, grow: Callable[[int], object]) -> None:
    grow(30)
    first, again, other = (
        create_campaign(project=project, name=name, order="shuffled", seed=seed)
        for name, seed in (("one", 7), ("two", 7), ("three", 8))
    )
    assert _order(first) == _order(again)
    assert _order(first) != _order(other)
    assert sorted(map(str, _order(first))) == sorted(map(str, _order(other)))


def test_shortest_first_begins_with_the_shortest_texts(project: Project, comparisons: list[Comparison]) -> None:
    Response.objects.filter(id=comparisons[0].response_a_id).update(content="x" * 900)
    Response.objects.filter(id=comparisons[2].response_b_id).update(content="")
    made = create_campaign(project=project, name="Short", order="shortest first")
    order = _order(made)
    assert (order[0], order[-1]) == (comparisons[2].id, comparisons[0].id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order": "by magic"}, "order"),
        ({"stop_rule": {"max": 1, "until": 0.9}}, "stop_rule"),
        ({"stop_rule": {"max": 5, "until": 1.0}}, "stop_rule"),
        ({"stop_rule": {"max": 5}}, "stop_rule"),
        ({"consensus_method": "loudest"}, "consensus_method"),
        ({"unit": "sentence"}, "unit"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(
    project: Project, comparisons: object, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidCampaign) as refused:
        create_campaign(project=project, name="First", overlap=2, **change)
    assert field in refused.value.fields
    assert not Campaign.objects.exists()


def test_rows_imported_later_get_tasks_once(
    campaign: Campaign, grow: Callable[[int], list[Comparison]], curator: User
) -> None:
    new = grow(3)
    assert extend_with_new_rows(campaign=campaign, by=curator) == 3
    assert extend_with_new_rows(campaign=campaign, by=curator) == 0
    assert _order(campaign)[-3:] == [row.id for row in new]
    campaign.refresh_from_db()
    assert campaign.task_count == 7
    assert AuditEvent.objects.filter(action="add tasks", details__tasks=3).exists()


def test_a_larger_overlap_leaves_gold_and_raised_caps_alone(campaign: Campaign, owner: User) -> None:
    gold, undecided, *rest = Task.objects.filter(campaign=campaign).order_by("id")
    Task.objects.filter(id=gold.id).update(cap=0)
    GoldAnswer.objects.create(task=gold, campaign=campaign, expected={"better": "a"})
    Task.objects.filter(id=undecided.id).update(cap=5)
    extend_overlap(campaign=campaign, overlap=3, by=owner)
    caps = dict(Task.objects.filter(campaign=campaign).values_list("id", "cap"))
    assert caps == {gold.id: 0, undecided.id: 5, **{task.id: 3 for task in rest}}


def test_new_tasks_are_dealt(campaign: Campaign, annotator: User, grow: Callable[[int], object]) -> None:
    Task.objects.filter(campaign=campaign).delete()
    assert claim(campaign=campaign, annotator=annotator) is None
    grow(1)
    extend_with_new_rows(campaign=campaign, by=None)
    assert claim(campaign=campaign, annotator=annotator) is not None
