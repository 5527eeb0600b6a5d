"""The catalogue says what live workers can do, and remembers what those who are gone could."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from ledger import catalogue
from ledger.catalogue import Card
from ledger.models import MethodCard, Run, RunKind, State, Worker
from ledger.queries import waiting_for

MakeRun = Callable[..., Run]


def _card(method: str, *, label: str = "", queue: str = "cpu") -> Card:
    return Card(
        method=method, label=label, queue=queue, shape="map", documentation="x", parameters={}, code_version="1"
    )


def _publish(name: str, *cards: Card) -> None:
    catalogue.publish(name=name, queues=["cpu"], devices=["cpu"], code_version="1", cards=cards)


def test_two_workers_with_the_same_method_make_one_entry(db: None) -> None:
    _publish("one", _card("cycles"))
    _publish("two", _card("cycles"), _card("bias_audit"))
    assert [(entry.method, entry.workers) for entry in catalogue.catalogue()] == [
        ("bias_audit", ["two"]),
        ("cycles", ["one", "two"]),
    ]


def test_a_worker_that_starts_again_replaces_its_cards(db: None) -> None:
    _publish("one", _card("cycles"), _card("gone"))
    _publish("one", _card("cycles", label="New"))
    assert [card.label for card in MethodCard.objects.all()] == ["New"]


def test_a_worker_publishes_only_what_its_queues_can_run(db: None) -> None:
    _publish("one", _card("big", queue="gpu"))
    assert catalogue.entry("big") is None


def test_a_silent_worker_counts_as_gone_and_its_methods_are_remembered(db: None) -> None:
    _publish("one", _card("cycles"))
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=31))
    entry = catalogue.entry("cycles")
    assert entry is not None
    assert not entry.is_alive
    assert not catalogue.is_served("cpu")


def test_a_goodbye_takes_effect_at_once_and_a_return_too(db: None) -> None:
    _publish("one", _card("cycles"))
    catalogue.say_goodbye("one")
    assert not catalogue.is_served("cpu")
    assert catalogue.keep_alive("one")
    assert catalogue.is_served("cpu")


def test_the_dead_of_yesterday_are_forgotten(db: None) -> None:
    _publish("old", _card("cycles"))
    Worker.objects.update(heartbeat_at=timezone.now() - timedelta(days=2))
    _publish("new", _card("bias_audit"))
    assert catalogue.entry("cycles") is None


def test_a_run_says_that_it_waits_for_a_worker(make_run: MakeRun, live_worker: str) -> None:
    assert waiting_for(make_run()) == ""
    assert "No worker on the queue io" in waiting_for(make_run(kind=RunKind.IMPORT, method="import", queue="io"))
    catalogue.say_goodbye(live_worker)
    assert "No worker that can run model_vote is alive" in waiting_for(make_run())
    assert waiting_for(make_run(state=State.DONE)) == ""
