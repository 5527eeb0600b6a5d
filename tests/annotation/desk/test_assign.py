from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Project, User
from accounts.problems import Conflict
from annotation.campaigns.create import create_campaign, extend_overlap, set_state
from annotation.desk import assign
from annotation.desk.assign import (
    CampaignNotOpen,
    LeaseEnded,
    SkipReasonTooLong,
    claim,
    heartbeat,
    reclaim_expired,
    release,
    skip,
)
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import submit
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Task

People = Callable[[int], list[User]]


def _claim(campaign: Campaign, person: User) -> ClaimedItem:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    return item


def _held(item: ClaimedItem) -> Assignment:
    return Assignment.objects.get(id=item.assignment_id)


def _judge(campaign: Campaign, person: User, choice: int | str = 1) -> ClaimedItem:
    item = _claim(campaign, person)
    submit(assignment=_held(item), payload={"choice": choice}, with_next=False)
    return item


def test_a_claim_shows_the_two_responses_in_the_recorded_order(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    assert sorted(item.order) == sorted(number for number in (item.response_a_id, item.response_b_id) if number)
    assert _held(item).order_shown == item.order
    assert item.messages[0]["content"].startswith("Question")


def test_a_reload_returns_the_same_claim_with_a_new_lease(campaign: Campaign, annotator: User) -> None:
    first = _claim(campaign, annotator)
    later = claim(campaign=campaign, annotator=annotator, now=timezone.now() + timedelta(minutes=5))
    assert later is not None
    assert later.assignment_id == first.assignment_id
    assert later.expires_at > first.expires_at
    assert Assignment.objects.count() == 1


def test_nobody_gets_a_task_twice(campaign: Campaign, annotator: User) -> None:
    seen = [_judge(campaign, annotator).item_id for _ in range(4)]
    assert len(set(seen)) == 4
    assert claim(campaign=campaign, annotator=annotator) is None


def test_the_cap_holds(campaign: Campaign, people: People) -> None:
    for person in people(2):
        for _ in range(4):
            _judge(campaign, person)
    assert claim(campaign=campaign, annotator=User.objects.create(email="third@example.org")) is None
    assert set(Task.objects.values_list("judged", flat=True)) == {2}


def test_the_database_itself_refuses_one_slot_too_many(campaign: Campaign) -> None:
    task = Task.objects.earliest("id")
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(id=task.id).update(slots_a_first=2, slots_b_first=1)


def test_each_comparison_is_seen_equally_in_both_orders(campaign: Campaign, people: People) -> None:
    for person in people(2):
        for _ in range(4):
            _judge(campaign, person)
    assert set(Task.objects.values_list("slots_a_first", "slots_b_first")) == {(1, 1)}


def test_with_one_judgment_each_both_orders_come_first_about_as_often(
    project: Project, annotator: User, grow: Callable[[int], object]
) -> None:
    grow(40)
    campaign = create_campaign(project=project, name="Single")
    orders = [_judge(campaign, annotator) for _ in range(40)]
    a_first = sum(item.order[0] == item.response_a_id for item in orders)
    assert 10 <= a_first <= 30


def test_a_released_item_comes_again_to_the_same_person(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    assert release(assignment=_held(item))
    assert Task.objects.filter(slots_a_first=0, slots_b_first=0).count() == 4
    assert _claim(campaign, annotator).item_id == item.item_id


def test_a_release_that_arrives_late_does_not_take_the_renewed_claim(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    renewed = claim(campaign=campaign, annotator=annotator, now=timezone.now() + timedelta(seconds=1))
    assert renewed is not None
    assert not release(assignment=_held(item), held_until=item.expires_at)
    assert release(assignment=_held(item), held_until=renewed.expires_at)


def test_a_skipped_item_goes_to_others_and_not_back(
    project: Project, comparisons: list[object], people: People
) -> None:
    campaign = create_campaign(project=project, name="Single")
    first, second = people(2)
    item = _claim(campaign, first)
    skip(assignment=_held(item), reason="I do not speak this language")
    assert _claim(campaign, first).item_id != item.item_id
    assert _claim(campaign, second).item_id == item.item_id


def test_skipping_twice_is_harmless_and_skipping_an_answered_item_is_refused(
    campaign: Campaign, annotator: User
) -> None:
    item = _claim(campaign, annotator)
    skip(assignment=_held(item))
    skip(assignment=_held(item))
    assert Task.objects.filter(slots_a_first=0, slots_b_first=0).count() == 4
    answered = _judge(campaign, annotator)
    with pytest.raises(Conflict):
        skip(assignment=_held(answered))


def test_a_skip_that_meets_a_new_claim_of_its_item_keeps_no_place(
    project: Project, comparisons: list[object], annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another window claims the item again between the two looks that a skip takes."""
    campaign = create_campaign(project=project, name="Single")
    held = _held(_claim(campaign, annotator))
    release(assignment=held)
    give_back = assign._give_back

    def then_claimed(*args: Any, **named: Any) -> bool:
        monkeypatch.undo()
        given = give_back(*args, **named)
        assert _claim(campaign, annotator).assignment_id == held.id
        return given

    monkeypatch.setattr(assign, "_give_back", then_claimed)
    skip(assignment=held)
    held.refresh_from_db()
    assert held.state == AssignmentState.SKIPPED
    assert not Task.objects.exclude(slots_a_first=0, slots_b_first=0).exists()


def test_a_skip_reason_is_bounded(campaign: Campaign, annotator: User) -> None:
    with pytest.raises(SkipReasonTooLong):
        skip(assignment=_held(_claim(campaign, annotator)), reason="x" * 201)


def test_an_expired_lease_is_given_to_the_next_person(
    project: Project, comparisons: list[object], people: People
) -> None:
    campaign = create_campaign(project=project, name="Single", lease_seconds=60)
    first, second = people(2)
    item = _claim(campaign, first)
    later = claim(campaign=campaign, annotator=second, now=timezone.now() + timedelta(seconds=61))
    assert later is not None
    assert later.item_id == item.item_id
    assert _held(item).state == AssignmentState.EXPIRED


def test_the_sweep_reclaims_every_expired_lease_once(campaign: Campaign, people: People) -> None:
    for person in people(3):
        _claim(campaign, person)
    later = timezone.now() + timedelta(hours=1)
    assert reclaim_expired(now=later) == 3
    assert reclaim_expired(now=later) == 0
    assert Task.objects.filter(slots_a_first=0, slots_b_first=0).count() == 4


def test_a_heartbeat_renews_and_tells_when_the_hold_has_ended(campaign: Campaign, annotator: User) -> None:
    item = _claim(campaign, annotator)
    assert heartbeat(assignment=_held(item), now=timezone.now() + timedelta(minutes=1)) > item.expires_at
    release(assignment=_held(item))
    with pytest.raises(LeaseEnded):
        heartbeat(assignment=_held(item))


def test_a_paused_campaign_gives_out_nothing(campaign: Campaign, annotator: User) -> None:
    set_state(campaign=campaign, state=CampaignState.PAUSED, by=None)
    with pytest.raises(CampaignNotOpen, match="paused"):
        claim(campaign=campaign, annotator=annotator)


def test_more_overlap_opens_finished_tasks_for_people_who_passed_them(
    project: Project, comparisons: list[object], people: People
) -> None:
    campaign = create_campaign(project=project, name="Single")
    first, second = people(2)
    _judge(campaign, first)
    _judge(campaign, second)
    _judge(campaign, first)
    _judge(campaign, second)
    extend_overlap(campaign=campaign, overlap=2, by=None)
    for person in (first, second):
        assert len({_judge(campaign, person).item_id for _ in range(2)}) == 2
        assert claim(campaign=campaign, annotator=person) is None


def test_higher_priority_comes_first(campaign: Campaign, annotator: User) -> None:
    urgent = Task.objects.latest("id")
    Task.objects.filter(id=urgent.id).update(priority=5)
    assert _claim(campaign, annotator).item_id == urgent.comparison_id
