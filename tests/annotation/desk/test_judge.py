from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.campaigns.create import create_campaign, set_state
from annotation.desk.assign import claim, release, skip
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import (
    AlreadyAnswered,
    BadDuration,
    CampaignClosed,
    NotYoursAnyMore,
    Replaced,
    Submitted,
    revise,
    submit,
)
from annotation.kinds._base import InvalidPayload
from annotation.models import Assignment, Campaign, CampaignState, Consensus, Draft, Judgment, Task

People = Callable[[int], list[User]]


def _claim(campaign: Campaign, person: User) -> ClaimedItem:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    return item


def _submit(item: ClaimedItem, choice: int | str, **more: Any) -> Submitted:
    assignment = Assignment.objects.select_related("campaign", "annotator").get(id=item.assignment_id)
    return submit(assignment=assignment, payload={"choice": choice}, **more)


def test_an_answer_names_the_response_whatever_order_was_shown(campaign: Campaign, people: People) -> None:
    orders = set()
    for person in people(2):
        item = _claim(campaign, person)
        _submit(item, -2)
        judgment = Judgment.objects.get(assignment_id=item.assignment_id)
        assert judgment.payload == {"choice": -2, "preferred": item.response_a_id}
        assert judgment.order_shown == item.order
        orders.add(tuple(item.order))
    assert len(orders) == 2


def test_submit_returns_the_next_item(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    done = _submit(item, 3)
    assert done.next is not None
    assert done.next.item_id != item.item_id
    assert _claim(campaign, annotator).assignment_id == done.next.assignment_id


def test_the_last_submit_returns_no_next_item(campaign: Campaign, annotator: User) -> None:
    item: ClaimedItem | None = _claim(campaign, annotator)
    count = 0
    while item is not None:
        item = _submit(item, 1).next
        count += 1
    assert count == 4


def test_submitting_twice_gives_the_same_judgment(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    first, second = _submit(item, 1), _submit(item, 1)
    assert first.judgment_id == second.judgment_id
    assert (first.is_new, second.is_new) == (True, False)
    assert second.next is not None and first.next is not None
    assert second.next.assignment_id == first.next.assignment_id
    assert Task.objects.get(comparison_id=item.item_id).judged == 1


def test_another_answer_after_the_first_is_a_conflict(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    _submit(item, 1)
    with pytest.raises(AlreadyAnswered):
        _submit(item, 2)
    assert Judgment.objects.count() == 1


def test_a_late_answer_counts_while_its_place_is_free(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    release(assignment=Assignment.objects.get(id=item.assignment_id))
    _submit(item, 1)
    task = Task.objects.get(comparison_id=item.item_id)
    assert (task.slots_a_first + task.slots_b_first, task.judged) == (1, 1)


def test_a_late_answer_is_refused_once_others_took_the_place(comparisons: Any, people: People) -> None:
    campaign = create_campaign(project=comparisons[0].project, name="Single")
    slow, quick = people(2)
    item = _claim(campaign, slow)
    late = timezone.now() + timedelta(hours=1)
    other = claim(campaign=campaign, annotator=quick, now=late)
    assert other is not None and other.item_id == item.item_id
    with pytest.raises(NotYoursAnyMore):
        _submit(item, 1, now=late)
    assert not Judgment.objects.exists()


def test_a_skipped_item_takes_no_answer(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    skip(assignment=Assignment.objects.get(id=item.assignment_id))
    with pytest.raises(NotYoursAnyMore):
        _submit(item, 1)


def test_a_paused_campaign_takes_the_answer_and_gives_no_next(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    set_state(campaign=campaign, state=CampaignState.PAUSED, by=None)
    assert _submit(item, 1).next is None


def test_a_closed_campaign_takes_no_answer(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    set_state(campaign=campaign, state=CampaignState.CLOSED, by=None)
    with pytest.raises(CampaignClosed):
        _submit(item, 1)


@pytest.mark.parametrize("choice", [4, -4, 1.5, "2", True, None, "both", [1]])
def test_an_answer_off_the_scale_is_refused(campaign: Campaign, annotator: User, choice: Any) -> None:
    with pytest.raises(InvalidPayload) as problem:
        _submit(_claim(campaign, annotator), choice)
    assert "choice" in problem.value.fields
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("seconds", [-1, "3", float("nan"), True])
def test_a_duration_that_is_none_is_refused(campaign: Campaign, annotator: User, seconds: Any) -> None:
    with pytest.raises(BadDuration):
        _submit(_claim(campaign, annotator), 1, active_seconds=seconds)


def test_both_bad_is_no_number(campaign: Campaign, annotator: User) -> None:
    _submit(_claim(campaign, annotator), "both_bad")
    judgment = Judgment.objects.get()
    assert (judgment.choice, judgment.is_both_bad) == (None, True)
    assert judgment.payload == {"choice": "both_bad", "preferred": None}


def test_a_draft_goes_when_the_answer_comes(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    Draft.objects.create(assignment_id=item.assignment_id, payload={"choice": 2})
    assert _claim(campaign, annotator).draft == {"choice": 2}
    _submit(item, 2)
    assert not Draft.objects.exists()


def test_a_revision_stands_and_the_old_answer_is_kept(campaign: Campaign, annotator: User) -> None:
    first = _submit(_claim(campaign, annotator), 3)
    new_id = revise(judgment=Judgment.objects.get(id=first.judgment_id), payload={"choice": -1})
    old, new = Judgment.objects.get(id=first.judgment_id), Judgment.objects.get(id=new_id)
    assert (old.superseded_by_id, old.choice) == (new.id, 3)
    assert [judgment.id for judgment in Judgment.objects.standing()] == [new_id]
    assert new.comparison is not None
    assert Consensus.objects.get(comparison=new.comparison).label == -1
    assert Task.objects.get(comparison=new.comparison).judged == 1


def test_revising_twice_with_one_answer_is_harmless_and_with_two_is_refused(
    campaign: Campaign, annotator: User
) -> None:
    first = Judgment.objects.get(id=_submit(_claim(campaign, annotator), 3).judgment_id)
    new_id = revise(judgment=first, payload={"choice": 1})
    assert revise(judgment=first, payload={"choice": 1}) == new_id
    with pytest.raises(Replaced):
        revise(judgment=first, payload={"choice": 2})
    assert Judgment.objects.count() == 2


def test_each_vote_moves_the_consensus(campaign: Campaign, people: People) -> None:
    labels = []
    for person, choice in zip(people(2), (3, -1), strict=True):
        item = _claim(campaign, person)
        _submit(item, choice)
        consensus = Consensus.objects.get(comparison_id=item.item_id)
        labels.append((consensus.label, consensus.confidence, consensus.votes))
    assert labels == [(3, 1.0, 1), (None, 0.5, 2)]
