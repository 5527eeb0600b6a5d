"""What a worker process does besides its tasks: say what it can do, say that it lives, and stop when told."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery import signals
from django.db import Error as DatabaseError
from django.db import connection

from ledger import catalogue
from ledger.reporter import stop_requested
from ledger.sweep import sweep, take_over
from workers.discover import card_of, code_version, methods

log = logging.getLogger(__name__)

SECONDS_BETWEEN_BEATS = 5.0


def connect() -> None:
    signals.worker_ready.connect(begin, dispatch_uid="winnow begin")
    signals.worker_shutting_down.connect(hand_back, dispatch_uid="winnow hand back")
    signals.worker_shutdown.connect(end, dispatch_uid="winnow end")


def begin(sender: Any, **_: Any) -> None:
    """A thread does the talking, so that a database that is away at boot only delays it."""
    queues = sorted(sender.app.amqp.queues.consume_from)
    stop_requested.clear()
    _over.clear()
    threading.Thread(target=_live, args=(str(sender.hostname), queues), name="worker life", daemon=True).start()


def hand_back(**_: Any) -> None:
    """SIGTERM: work in progress stops at its next batch."""
    stop_requested.set()


def end(sender: Any, **_: Any) -> None:
    _over.set()
    try:
        catalogue.say_goodbye(str(sender.hostname))
    except DatabaseError as error:
        log.warning("the goodbye was not written (%s); the worker counts as gone in half a minute", error)


_over = threading.Event()


def _live(name: str, queues: list[str]) -> None:
    is_known = False
    while not _over.is_set():
        try:
            if not is_known:
                publish(name, queues)
                take_over(name)
                sweep()
            is_known = catalogue.keep_alive(name)
        except DatabaseError as error:
            log.warning("%s cannot reach the database (%s); trying again", name, error)
            connection.close()
        _over.wait(SECONDS_BETWEEN_BEATS)
    connection.close()


def publish(name: str, queues: list[str]) -> None:
    cards = [card_of(method_name, method) for method_name, method in methods().items()]
    catalogue.publish(name=name, queues=queues, devices=devices(queues), code_version=code_version(), cards=cards)


def devices(queues: list[str]) -> list[str]:
    """Torch is asked only where it is needed: a worker for `io` alone starts without it."""
    if not {"cpu", "gpu"} & set(queues):
        return ["cpu"]
    from workers.engine.devices import available

    return available()
