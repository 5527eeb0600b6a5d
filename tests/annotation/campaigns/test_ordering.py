"""Work in the order of where a minute is worth most: asked for, repeated, written by a run, and claimed meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import AuditEvent, Project, User
from annotation.campaigns.create import create_campaign
from annotation.campaigns.ordering import (
    CannotBeOrdered,
    InvalidReorderEvery,
    change_reorder_every,
    order_of,
    request_due_orders,
    request_order,
)
from annotation.campaigns.prioritise import InvalidPriority, prioritise_by_run, reprioritise
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, CampaignState, Task
from corpus.models import Comparison
from ledger import catalogue
from ledger.catalogue import Card
from ledger.models import Run, RunKind, State


@pytest.fixture
def worker(db: None) -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"campaign": {"type": "integer"}}}
    card = Card("next_to_annotate", "Next", "cpu", "whole", "Orders.", schema, "1")
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[card])


@pytest.fixture
def run(project: Project) -> Run:
    return Run.objects.create(project=project, kind=RunKind.METHOD, method="next_to_annotate", queue="cpu")


def _answer(campaign: Campaign, person: User, choice: int = 1) -> int | None:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": choice}, with_next=False)
    return item.comparison_id


def _order(campaign: Campaign) -> list[int | None]:
    return list(
        Task.objects.filter(campaign=campaign).order_by("-priority", "id").values_list("comparison_id", flat=True)
    )


def test_a_run_sets_the_order_and_leaves_full_tasks_alone(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, run: Run
) -> None:
    full = comparisons[3].id
    Task.objects.filter(campaign=campaign, comparison=full).update(slots_a_first=2, priority=-7)
    ordered = [comparisons[place].id for place in (2, 3, 0, 1)]
    assert prioritise_by_run(campaign=campaign, run=run, ordered=ordered) == 2
    assert _order(campaign) == [comparisons[2].id, comparisons[0].id, comparisons[1].id, full]
    campaign.refresh_from_db()
    assert (campaign.order_run, campaign.reordered_at is not None) == (run, True)
    event = AuditEvent.objects.get(action="order tasks by run")
    assert event.details == {"run": run.pk, "ordered": 4, "tasks": 2}
    assert _answer(campaign, annotator) == comparisons[2].id


def test_a_claim_that_is_held_stays_and_the_next_one_begins_at_the_start(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, run: Run
) -> None:
    held = claim(campaign=campaign, annotator=annotator)
    assert held is not None
    prioritise_by_run(campaign=campaign, run=run, ordered=[row.id for row in comparisons[::-1]])
    again = claim(campaign=campaign, annotator=annotator)
    assert again is not None and again.assignment_id == held.assignment_id
    assert _answer(campaign, annotator) == comparisons[0].id
    assert _answer(campaign, annotator) == comparisons[3].id


def test_what_a_person_raises_afterwards_comes_before_the_order_and_is_by_hand(
    campaign: Campaign, comparisons: list[Comparison], run: Run, curator: User
) -> None:
    prioritise_by_run(campaign=campaign, run=run, ordered=[row.id for row in comparisons[::-1]])
    reprioritise(campaign=campaign, by=curator, comparisons=[comparisons[1].id], priority=1)
    assert _order(campaign)[:2] == [comparisons[1].id, comparisons[3].id]
    assert order_of(Campaign.objects.get(pk=campaign.pk)).run is None


def test_a_run_of_another_project_orders_nothing(campaign: Campaign, run: Run, owner: User) -> None:
    run.project = Project.objects.create(slug="other", name="Other", created_by=owner)
    run.save()
    with pytest.raises(InvalidPriority):
        prioritise_by_run(campaign=campaign, run=run, ordered=[1])


def test_asking_twice_is_one_run(campaign: Campaign, worker: None, curator: User, annotator: User) -> None:
    _answer(campaign, annotator)
    first = request_order(campaign=campaign, requested_by=curator)
    assert (first.kind, first.method, first.params) == (RunKind.METHOD, "next_to_annotate", {"campaign": campaign.pk})
    assert request_order(campaign=campaign, requested_by=curator) == first
    campaign.refresh_from_db()
    assert (order_of(campaign).under_way, order_of(campaign).newer) == (first, 0)
    _answer(campaign, annotator)
    assert order_of(campaign).newer == 1
    Run.objects.update(state=State.DONE)
    assert request_order(campaign=campaign, requested_by=curator) != first


def test_without_a_worker_or_with_another_unit_it_is_a_sentence(
    campaign: Campaign, project: Project, curator: User
) -> None:
    with pytest.raises(CannotBeOrdered, match="start a worker"):
        request_order(campaign=campaign, requested_by=curator)
    ranking = create_campaign(project=project, name="Ranking", kind="ranking")
    with pytest.raises(CannotBeOrdered, match="a prompt at a time"):
        request_order(campaign=ranking, requested_by=curator)
    with pytest.raises(InvalidReorderEvery):
        change_reorder_every(campaign=ranking, reorder_every=10, by=curator)
    assert not order_of(ranking).can_be_ordered


def test_a_fresh_run_is_due_after_so_many_judgments(
    campaign: Campaign, worker: None, curator: User, annotator: User
) -> None:
    _answer(campaign, annotator)
    assert request_due_orders() == []
    change_reorder_every(campaign=campaign, reorder_every=2, by=curator)
    assert request_due_orders() == []
    _answer(campaign, annotator)
    (first,) = request_due_orders()
    assert first.requested_by is None
    _answer(campaign, annotator)
    _answer(campaign, annotator)
    # One is under way.
    assert request_due_orders() == []
    Run.objects.update(state=State.FAILED)
    (second,) = request_due_orders()
    Run.objects.update(state=State.FAILED)
    # A run that failed is not asked for again until as many judgments have come in.
    assert (request_due_orders(), second != first) == ([], True)
    Campaign.objects.update(state=CampaignState.PAUSED, ordered_up_to=0)
    assert request_due_orders() == []


@pytest.mark.django_db(transaction=True)
def test_a_claim_made_while_an_order_is_written_waits_for_it_and_gets_the_first(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, run: Run
) -> None:
    """All open tasks are locked then; stepping over them must not tell anybody that nothing is left."""
    is_written, got = threading.Event(), []

    def write() -> None:
        with transaction.atomic():
            prioritise_by_run(campaign=campaign, run=run, ordered=[row.id for row in comparisons[::-1]])
            is_written.set()
            time.sleep(0.5)
        connection.close()

    def take() -> None:
        item = claim(campaign=Campaign.objects.get(pk=campaign.pk), annotator=annotator)
        got.append(item.comparison_id if item else None)
        connection.close()

    # The first keeps its priority, 0, and so is not locked.
    Task.objects.filter(campaign=campaign).update(priority=5)
    threads = [threading.Thread(target=write), threading.Thread(target=take)]
    threads[0].start()
    assert is_written.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert got == [comparisons[3].id]


@pytest.mark.django_db(transaction=True)
def test_an_answer_given_while_an_order_is_written_gets_the_first_of_it(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, run: Run
) -> None:
    Task.objects.filter(campaign=campaign).update(priority=5)
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    # Its own task is full, so that the order leaves it alone.
    Task.objects.filter(campaign=campaign, comparison=item.comparison_id).update(cap=1)
    is_written, got = threading.Event(), []

    def write() -> None:
        with transaction.atomic():
            prioritise_by_run(campaign=campaign, run=run, ordered=[row.id for row in comparisons[::-1]])
            is_written.set()
            time.sleep(0.5)
        connection.close()

    def answer() -> None:
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        following = submit(assignment=assignment, payload={"choice": 1}).next
        got.append(following.comparison_id if following else None)
        connection.close()

    threads = [threading.Thread(target=write), threading.Thread(target=answer)]
    threads[0].start()
    assert is_written.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert got == [comparisons[3].id]


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_starts_the_run_and_says_which_one_set_the_order(
    campaign: Campaign, comparisons: list[Comparison], worker: None, curator: User, annotator: User, stranger: User
) -> None:
    page = f"/p/demo/campaigns/{campaign.pk}/work/"
    for person, status in ((stranger, 404), (annotator, 403)):
        assert _as(person).post(f"{page}order/").status_code == status
    assert "In the order in which the campaign was made" in _as(curator).get(page).content.decode()
    assert _as(curator).post(f"{page}order/").status_code == 302
    run = Run.objects.get()
    assert f"Run {run.pk}</a> is finding the next order" in _as(curator).get(page).content.decode()
    prioritise_by_run(campaign=campaign, run=run, ordered=[row.id for row in comparisons])
    Run.objects.update(state=State.DONE)
    said = _as(curator).get(page).content.decode()
    assert f"run {run.pk}</a>" in said and "Order the work by where a minute is worth most" in said


def test_the_page_without_a_worker_says_so(campaign: Campaign, curator: User) -> None:
    answer = _as(curator).post(f"/p/demo/campaigns/{campaign.pk}/work/order/", follow=True)
    assert "start a worker first" in answer.content.decode()


def test_the_setting_is_kept_by_page_and_api(campaign: Campaign, worker: None, curator: User, api: Any) -> None:
    page = f"/p/demo/campaigns/{campaign.pk}/settings/order/"
    assert _as(curator).post(page, {"reorder_every": "25"}).status_code == 302
    assert _as(curator).post(page, {"reorder_every": "-1"}).status_code == 422
    call = api(curator)
    assert call("GET", f"campaigns/{campaign.pk}").json()["reorder_every"] == 25
    assert call("PATCH", f"campaigns/{campaign.pk}", {"reorder_every": 10_000_000}).status_code == 422
    assert call("PATCH", f"campaigns/{campaign.pk}", {"reorder_every": 0}).status_code == 200
    started = call("POST", f"campaigns/{campaign.pk}/order")
    assert (started.status_code, started.json()) == (202, {"run": Run.objects.get().pk})
    shown = call("GET", f"campaigns/{campaign.pk}").json()
    assert (shown["reorder_every"], shown["reordered_at"], shown["order_run"]) == (0, None, None)
