"""Whoever closes an item of several people waits for one who is giving it back, and they not for each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.db.models import F

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.models import Assignment, AssignmentState, Campaign, Task
from annotation.quality.gold import mark_gold
from annotation.quality.reassign import reassign

People = Callable[[int], list[User]]
Close = Callable[[Campaign, list[Assignment], User], object]

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def _mark(campaign: Campaign, held: list[Assignment], to: User) -> object:
    comparison = held[0].task.comparison_id
    return mark_gold(campaign=campaign, items=[{"comparison": comparison, "expected": {"better": "a"}}], by=None)


def _move(campaign: Campaign, held: list[Assignment], to: User) -> object:
    return reassign(campaign=campaign, to=to, by=None, assignments=[one.id for one in held])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("close", [_mark, _move])
def test_closing_an_item_of_several_people_meets_one_who_gives_it_back(
    project: Project, grow: Callable[[int], object], people: People, close: Close
) -> None:
    grow(1)
    campaign = create_campaign(project=project, name="Shared", overlap=3)
    first, second, other = people(3)
    for person in (first, second):
        assert claim(campaign=campaign, annotator=person)
    held = list(Assignment.objects.select_related("task").order_by("id"))

    def in_a_thread() -> object:
        close_old_connections()
        try:
            return close(campaign, held, other)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            # As giving back does: the assignment first, then its task.
            Assignment.objects.filter(id=held[1].id).update(state=AssignmentState.SKIPPED)
            closing = pool.submit(in_a_thread)
            _wait_until_somebody_waits()
            side = "slots_b_first" if held[1].is_b_first else "slots_a_first"
            Task.objects.filter(id=held[1].task_id).update(**{side: F(side) - 1})
        closing.result(timeout=20)
    states = [AssignmentState.RELEASED, AssignmentState.SKIPPED]
    assert list(Assignment.objects.order_by("id").values_list("state", flat=True)) == states
    task = Task.objects.get()
    assert (task.slots_a_first, task.slots_b_first) == (0, 0)


def _wait_until_somebody_waits() -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            [waiting] = cursor.fetchone()
        if waiting:
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits")
