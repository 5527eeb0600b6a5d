"""What the live workers can do, as they published it; the web reads it and imports none of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ledger.models import MethodCard, Worker

# A worker says that it is alive every five seconds; after six missed beats it counts as gone.
ALIVE_FOR = timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Card:
    """What a worker tells about one method."""

    method: str
    label: str
    queue: str
    shape: str
    documentation: str
    parameters: dict[str, Any]
    code_version: str
    needs: list[str] = field(default_factory=list)
    yields: list[str] = field(default_factory=list)
    embeds: bool = False


@dataclass(frozen=True)
class Entry:
    """One method of the catalogue: the newest card, and the live workers that can run it."""

    card: MethodCard
    workers: list[str]

    @property
    def method(self) -> str:
        return self.card.method

    @property
    def is_alive(self) -> bool:
        return bool(self.workers)


def publish(*, name: str, queues: list[str], devices: list[str], code_version: str, cards: Iterable[Card]) -> Worker:
    """The worker replaces what it, or whoever had its name before, had published."""
    with transaction.atomic():
        Worker.objects.filter(heartbeat_at__lt=Now() - FORGOTTEN_AFTER).exclude(name=name).delete()
        worker, _ = Worker.objects.update_or_create(
            name=name,
            defaults={
                "queues": queues,
                "devices": devices,
                "code_version": code_version,
                "started_at": timezone.now(),
                "heartbeat_at": Now(),
                "stopped_at": None,
            },
        )
        worker.methods.all().delete()
        MethodCard.objects.bulk_create(
            [MethodCard(worker=worker, devices=devices, **vars(card)) for card in cards if card.queue in queues]
        )
    return worker


def keep_alive(name: str) -> bool:
    """False when the row is gone, so that the worker publishes again."""
    return Worker.objects.filter(name=name).update(heartbeat_at=Now(), stopped_at=None) == 1


def say_goodbye(name: str) -> None:
    """The cards stay: a run for a known method is accepted and waits."""
    Worker.objects.filter(name=name).update(stopped_at=Now())


def live_workers() -> QuerySet[Worker]:
    return Worker.objects.filter(stopped_at=None, heartbeat_at__gt=Now() - ALIVE_FOR).order_by("name")


def is_served(queue: str) -> bool:
    return any(queue in worker.queues for worker in live_workers())


def catalogue() -> list[Entry]:
    """Every method ever published and not forgotten, by name."""
    alive = {worker.id: worker.name for worker in live_workers()}
    newest: dict[str, MethodCard] = {}
    workers: dict[str, list[str]] = {}
    for card in MethodCard.objects.select_related("worker").order_by("method", "published_at"):
        names = workers.setdefault(card.method, [])
        is_alive = card.worker_id in alive
        if is_alive:
            names.append(alive[card.worker_id])
        if is_alive or not names:
            newest[card.method] = card
    return [Entry(card=newest[method], workers=workers[method]) for method in sorted(newest)]


def entry(method: str) -> Entry | None:
    return next((one for one in catalogue() if one.method == method), None)


def published_since(moment: datetime) -> bool:
    """Whether a live worker has published its catalogue since then; `up` waits for this."""
    return MethodCard.objects.filter(published_at__gte=moment, worker__in=live_workers()).exists()
