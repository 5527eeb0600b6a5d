"""Many people at once, on threads with connections of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connections
from django.db.models import F

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, Consensus, Judgment, Task

pytestmark = pytest.mark.django_db(transaction=True)


def _work(campaign: Campaign, person: User) -> list[int]:
    """Judges until nothing is left; the comparisons seen."""
    close_old_connections()
    seen = []
    try:
        item = claim(campaign=campaign, annotator=person)
        while item is not None:
            seen.append(item.item_id)
            assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
            item = submit(assignment=assignment, payload={"choice": (person.id % 7) - 3}).next
    finally:
        connections.close_all()
    return seen


def test_sixteen_racing_people_never_exceed_the_cap_nor_see_a_task_twice(
    project: Project, people: Callable[[int], list[User]], grow: Callable[[int], object]
) -> None:
    grow(60)
    campaign = create_campaign(project=project, name="Race", overlap=2)
    crowd = people(16)
    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(lambda person: _work(campaign, person), crowd))
    for own in seen:
        assert len(own) == len(set(own))
    per_comparison = Counter(comparison for own in seen for comparison in own)
    assert set(per_comparison.values()) == {2}
    assert len(per_comparison) == 60
    assert Judgment.objects.count() == 120
    assert not Task.objects.exclude(judged=2, slots_a_first=F("slots_b_first")).exists()
    assert set(Consensus.objects.values_list("votes", flat=True)) == {2}


def test_one_person_in_many_windows_holds_one_claim(
    project: Project, annotator: User, grow: Callable[[int], object]
) -> None:
    grow(30)
    campaign = create_campaign(project=project, name="Windows", overlap=2)

    def open_window(_: int) -> int:
        close_old_connections()
        try:
            item = claim(campaign=campaign, annotator=annotator)
            assert item is not None
            return item.assignment_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        held = set(pool.map(open_window, range(16)))
    assert len(held) == 1
    assert Assignment.objects.count() == 1


def test_the_same_answer_sent_by_many_windows_is_one_judgment(
    project: Project, annotator: User, grow: Callable[[int], object]
) -> None:
    grow(5)
    campaign = create_campaign(project=project, name="Twice")
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None

    def send(_: int) -> int:
        close_old_connections()
        try:
            assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
            return submit(assignment=assignment, payload={"choice": 2}).judgment_id
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
    assert Judgment.objects.count() == 1
