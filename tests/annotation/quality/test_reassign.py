"""Giving somebody's items to somebody else, and who may work at all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import close_old_connections, connections
from django.utils import timezone

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim, release, skip
from annotation.desk.draft import save_draft
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import NotYoursAnyMore, PartEnded, submit
from annotation.models import Assignment, AssignmentState, Campaign, Draft, Judgment, Participant, Task
from annotation.quality.participants import NotOfThisProject, let_in, send_away
from annotation.quality.reassign import CannotBeReassigned, CannotTakeWork, reassign
from annotation.quality.seat import NotInvited
from tests.annotation.quality.conftest import answer, given

Grow = Callable[[int], object]
People = Callable[[int], list[User]]


def _hand_back(person: User) -> None:
    for held in Assignment.objects.filter(annotator=person, state=AssignmentState.CLAIMED):
        release(assignment=held)


@pytest.fixture
def single(project: Project, grow: Grow) -> Campaign:
    grow(5)
    return create_campaign(project=project, name="Single", overlap=1)


def _claim(campaign: Campaign, person: User) -> ClaimedItem:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    return item


def test_a_held_item_goes_to_somebody_else_first_of_all(single: Campaign, people: People, curator: User) -> None:
    away, here = people(2)
    for _ in range(2):
        item = _claim(single, away)
        answer(item, with_next=False)
    item = _claim(single, away)
    assert reassign(campaign=single, assignments=[item.assignment_id], to=here, by=curator) == 1
    assert given(item).state == AssignmentState.RELEASED
    assert _claim(single, here).item_id == item.item_id
    assert Participant.objects.get(annotator=here).queue == []


def test_tasks_come_in_the_order_in_which_they_were_reserved(single: Campaign, people: People, curator: User) -> None:
    [here] = people(1)
    tasks = list(Task.objects.order_by("-id").values_list("id", flat=True))[:3]
    reassign(campaign=single, tasks=tasks, to=here, by=curator)
    came = []
    for _ in tasks:
        item = _claim(single, here)
        came.append(given(item).task_id)
        answer(item, with_next=False)
    assert came == tasks
    assert _claim(single, here).item_id not in came


def test_a_reserved_task_that_somebody_else_took_is_left_out(single: Campaign, people: People, curator: User) -> None:
    here, other = people(2)
    first = Task.objects.earliest("id")
    reassign(campaign=single, tasks=[first.id], to=here, by=curator)
    assert given(_claim(single, other)).task_id == first.id
    assert given(_claim(single, here)).task_id != first.id
    assert Participant.objects.get(annotator=here).queue == []


def test_a_full_task_is_taken_from_who_holds_it_and_an_open_one_from_nobody(
    project: Project, grow: Grow, people: People, curator: User
) -> None:
    grow(1)
    campaign = create_campaign(project=project, name="Three", overlap=2)
    first, second, third = people(3)
    held = [_claim(campaign, first)]
    task = Task.objects.get().id
    reassign(campaign=campaign, tasks=[task], to=third, by=curator)
    assert given(held[0]).state == AssignmentState.CLAIMED
    held.append(_claim(campaign, second))
    reassign(campaign=campaign, tasks=[task], to=third, by=curator)
    assert [given(item).state for item in held] == ["released", "claimed"]
    assert _claim(campaign, third).item_id == held[0].item_id


def test_nobody_is_reserved_what_they_have_answered_or_skipped(single: Campaign, people: People, curator: User) -> None:
    [here] = people(1)
    answered = _claim(single, here)
    answer(answered, with_next=False)
    skipped = _claim(single, here)
    skip(assignment=given(skipped))
    tasks = [given(item).task_id for item in (answered, skipped)]
    with pytest.raises(CannotBeReassigned):
        reassign(campaign=single, tasks=tasks, to=here, by=curator)


def test_only_members_who_may_work_here_are_given_something(
    single: Campaign, people: People, stranger: User, curator: User
) -> None:
    [gone] = people(1)
    send_away(campaign=single, person=gone, by=curator)
    for person, problem in ((stranger, NotOfThisProject), (gone, CannotTakeWork)):
        with pytest.raises(problem):
            reassign(campaign=single, tasks=[Task.objects.earliest("id").id], to=person, by=curator)


def test_an_answer_that_comes_after_it_counts_only_while_there_is_a_place(
    single: Campaign, people: People, curator: User
) -> None:
    away, here = people(2)
    early, late = _claim(single, away), None
    reassign(campaign=single, assignments=[early.assignment_id], to=here, by=curator)
    assert answer(early, with_next=False).is_new
    assert _claim(single, here).item_id != early.item_id
    _hand_back(here)
    late = _claim(single, away)
    save_draft(assignment=given(late), payload={"choice": 2})
    reassign(campaign=single, assignments=[late.assignment_id], to=here, by=curator)
    assert _claim(single, here).item_id == late.item_id
    with pytest.raises(NotYoursAnyMore):
        answer(late)
    assert Draft.objects.get(assignment=late.assignment_id).payload == {"choice": 2}


def test_an_answer_after_the_lease_went_to_somebody_else_is_refused_and_its_draft_kept(
    single: Campaign, people: People
) -> None:
    slow, quick = people(2)
    item = _claim(single, slow)
    save_draft(assignment=given(item), payload={"choice": -3, "reason": "because"})
    later = timezone.now() + timedelta(hours=1)
    other = claim(campaign=single, annotator=quick, now=later)
    assert other is not None and other.item_id == item.item_id
    with pytest.raises(NotYoursAnyMore):
        answer(item, now=later)
    assert Draft.objects.get().payload["reason"] == "because"


@pytest.mark.django_db(transaction=True)
def test_answers_that_race_with_a_reassignment_are_stored_once_or_refused(
    project: Project, grow: Grow, people: People, curator: User
) -> None:
    grow(24)
    campaign = create_campaign(project=project, name="Race", overlap=1)
    here, *others = people(9)
    for _ in range(2):
        held = {person: claim(campaign=campaign, annotator=person) for person in others}

        def send(person: User, held: dict[User, ClaimedItem | None] = held) -> bool:
            close_old_connections()
            item = held[person]
            assert item is not None
            try:
                assignment = Assignment.objects.select_related("campaign", "task__comparison").get(
                    id=item.assignment_id
                )
                return submit(assignment=assignment, payload={"choice": 1}, with_next=False).is_new
            except NotYoursAnyMore:
                return False
            finally:
                connections.close_all()

        def take(item: ClaimedItem | None) -> None:
            close_old_connections()
            assert item is not None
            try:
                reassign(campaign=campaign, assignments=[item.assignment_id], to=here, by=None)
                claim(campaign=campaign, annotator=here)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as pool:
            taking = [pool.submit(take, item) for item in list(held.values())[::2]]
            stored = list(pool.map(send, others))
            for one in taking:
                one.result()
        _hand_back(here)
        assert Judgment.objects.count() >= sum(stored)
    for task in Task.objects.all():
        assert task.judged <= task.slots_a_first + task.slots_b_first <= task.cap == 1
    assert Judgment.objects.count() == Task.objects.filter(judged=1).count()


def test_an_invited_campaign_gives_work_to_its_participants_only(
    project: Project, grow: Grow, people: People, curator: User
) -> None:
    grow(2)
    campaign = create_campaign(project=project, name="Chosen", is_invited_only=True)
    inside, outside = people(2)
    let_in(campaign=campaign, person=inside, by=curator)
    assert claim(campaign=campaign, annotator=inside) is not None
    with pytest.raises(NotInvited, match="ask one of them"):
        claim(campaign=campaign, annotator=outside)


def test_what_a_removed_person_holds_goes_back_and_their_answer_comes_too_late(
    single: Campaign, people: People, curator: User
) -> None:
    gone, other = people(2)
    kept = _claim(single, gone)
    answer(kept, with_next=False)
    item = _claim(single, gone)
    save_draft(assignment=given(item), payload={"choice": 1})
    send_away(campaign=single, person=gone, by=curator)
    assert given(item).state == AssignmentState.RELEASED
    with pytest.raises(PartEnded):
        answer(item)
    assert answer(kept, with_next=False).is_new is False
    assert (Judgment.objects.count(), Draft.objects.count()) == (1, 1)
    with pytest.raises(NotInvited, match="ended"):
        claim(campaign=single, annotator=gone)
    assert _claim(single, other).item_id == item.item_id
    let_in(campaign=single, person=gone, by=curator)
    assert _claim(Campaign.objects.get(), gone) is not None
