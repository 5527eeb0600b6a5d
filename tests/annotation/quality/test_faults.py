"""Windows that race, and a server that is killed, while people are trained, measured and checked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import close_old_connections, connections
from django.db.models import Count, F

from accounts.models import Scope, User
from accounts.tokens import issue_token
from annotation.desk.assign import claim
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import submit
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    Judgment,
    Participant,
    ParticipantState,
    Purpose,
    Task,
)
from annotation.quality.qualify import marked_answers
from tests.annotation.desk.test_killed_web import Annotator
from tests.annotation.quality.conftest import answer, purposes, work_through
from tests.web_server import WebServer

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Campaign]
People = Callable[[int], list[User]]


def _in_windows(count: int, act: Callable[[int], int]) -> list[int]:
    def window(number: int) -> int:
        close_old_connections()
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(window, range(count)))


def test_when_gold_is_due_two_windows_are_given_the_same_gold_item(quality: Make, annotator: User) -> None:
    campaign = quality(30, known={"gold": 8}, gold={"every": 1})
    for _ in range(4):
        work = claim(campaign=campaign, annotator=annotator)
        assert work is not None and work.purpose == Purpose.WORK
        answer(work, with_next=False)

        def open_window(number: int, work: ClaimedItem = work) -> int:
            item = claim(campaign=campaign, annotator=annotator) if number % 2 else answer(work).next
            assert item is not None and item.purpose == Purpose.GOLD
            return item.assignment_id

        [held] = set(_in_windows(6, open_window))
        submit(assignment=Assignment.objects.get(id=held), payload={"choice": 1}, with_next=False)
    assert Assignment.objects.filter(purpose=Purpose.GOLD).count() == 4


def test_one_answer_sent_by_many_windows_ends_a_round_once(quality: Make, annotator: User) -> None:
    campaign = quality(10, known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None

    def send(_: int) -> int:
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        following = submit(assignment=assignment, payload={"choice": 1}).next
        assert following is not None and following.purpose == Purpose.WORK
        return following.assignment_id

    assert len(set(_in_windows(8, send))) == 1
    assert Judgment.objects.count() == 1
    assert Participant.objects.get().state == ParticipantState.ACTIVE


def test_a_first_claim_in_many_windows_makes_one_participant(quality: Make, annotator: User) -> None:
    campaign = quality(10, known={"training": 3}, training={"items": 3})

    def open_window(_: int) -> int:
        item = claim(campaign=campaign, annotator=annotator)
        assert item is not None
        return item.assignment_id

    assert len(set(_in_windows(8, open_window))) == 1
    assert Participant.objects.get().state == ParticipantState.TRAINING


def test_a_campaign_with_everything_holds_its_caps_under_racing_people(quality: Make, people: People) -> None:
    campaign = quality(
        40,
        known={"training": 1, "qualification": 2, "gold": 5},
        overlap=2,
        training={"items": 1},
        qualification={"items": 2, "threshold": 0.5},
        gold={"every": 3},
        repeats={"every": 4, "after_items": 2},
    )
    campaign.stop_rule = {"max": 4, "until": 0.85}
    campaign.save()
    crowd = people(16)
    came: dict[int, list[str]] = {}

    def work(number: int) -> int:
        seen = work_through(campaign, crowd[number], 200, lambda item: 1 if (number + item.item_id) % 4 else -1)
        came[number] = purposes(seen)
        return len(seen)

    _in_windows(16, work)
    # Whoever was told that nothing is left comes back for what the last answers left undecided.
    while sum(len(work_through(campaign, person, 200)) for person in crowd):
        pass
    work_tasks = Task.objects.filter(gold=None)
    assert not work_tasks.exclude(judged=F("cap"), cap=F("slots_a_first") + F("slots_b_first")).exists()
    assert not Task.objects.exclude(gold=None).exclude(cap=0, judged=0).exists()
    assert set(work_tasks.values_list("cap", flat=True)) <= {2, 3, 4}
    for number, own in came.items():
        state = Participant.objects.get(annotator=crowd[number]).state
        assert own[:3] == ["training", "qualification", "qualification"]
        assert "work" not in own or state == ParticipantState.ACTIVE
        assert not any(pair == ("gold", "gold") for pair in pairwise(own))
    assert not Assignment.objects.filter(state=AssignmentState.CLAIMED).exists()


@pytest.mark.processes
def test_a_killed_web_server_leaves_nobody_half_qualified(
    quality: Make, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = quality(
        60,
        known={"training": 2, "qualification": 6, "gold": 6},
        training={"items": 2},
        qualification={"items": 6, "threshold": 0.4},
        gold={"every": 2},
    )
    monkeypatch.setattr(Annotator, "_post", _post_until_refused)
    web = WebServer(tmp_path / "gunicorn.log")
    try:
        web.start()
        crowd = [
            Annotator(web.port, issue_token(user=user, scope=Scope.ANNOTATE)[1], campaign.id, number)
            for number, user in enumerate(people(6))
        ]
        for one in crowd:
            one.start()
        for answers in (12, 40):
            while sum(len(one.acknowledged) for one in crowd) < answers:
                pass
            web.kill()
            web.start()
        for one in crowd:
            one.is_done.set()
        for one in crowd:
            one.join()
    finally:
        web.kill()
    _all_is_well(campaign, crowd)


def _post_until_refused(self: Annotator, path: str, body: dict[str, object]) -> object:
    """Who has not qualified is told so by 409, which ends their day."""
    import http.client
    import json
    import time

    while True:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("POST", f"/api/v1/{path}", json.dumps(body), self.headers)
            reply = link.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self.interrupted += 1
            time.sleep(0.05)
            continue
        finally:
            link.close()
        assert reply.status in {200, 201, 409}, content
        return None if reply.status == 409 else json.loads(content)


def _all_is_well(campaign: Campaign, crowd: list[Annotator]) -> None:
    acknowledged = {judgment for one in crowd for judgment, _ in one.acknowledged.values()}
    assert acknowledged <= set(Judgment.objects.values_list("id", flat=True))
    assert sum(one.interrupted for one in crowd) > 0
    doubled = Judgment.objects.values("assignment").annotate(n=Count("id")).filter(n__gt=1)
    assert not doubled.exists()
    for person in Participant.objects.filter(campaign=campaign):
        given = Assignment.objects.filter(campaign=campaign, annotator=person.annotator_id)
        answered = dict(given.filter(state="submitted").values_list("purpose").annotate(n=Count("id")))
        own = list(marked_answers(campaign, annotator_id=person.annotator_id, purpose=Purpose.QUALIFICATION))
        if person.state in {ParticipantState.ACTIVE, ParticipantState.FAILED}:
            assert (answered["training"], answered["qualification"]) == (2, 6)
            right = sum(answer.is_right for answer in own)
            assert person.qualification["right"] == right
            assert (person.state == ParticipantState.ACTIVE) == (right >= 0.4 * 6)
        else:
            assert answered.get("qualification", 0) < 6
        if person.state != ParticipantState.ACTIVE:
            assert not given.filter(purpose__in=["work", "gold"]).exists()
    assert not Task.objects.exclude(gold=None).exclude(cap=0).exists()
    counts = Judgment.objects.counting().values("assignment__task").annotate(n=Count("id"))
    assert all(Task.objects.get(id=row["assignment__task"]).judged == row["n"] for row in counts)
