"""Work ahead: while PostgreSQL takes one batch, a thread reads the next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LOOKS = 0.5


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """The same items; the iterable runs in a thread of its own, at most `depth` items ahead."""
    waiting: queue.Queue[T | _End] = queue.Queue(depth)
    is_abandoned = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, waiting, is_abandoned), daemon=True, name="read ahead")
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        is_abandoned.set()
        thread.join()


def _produce(items: Iterable[T], waiting: queue.Queue[T | _End], is_abandoned: threading.Event) -> None:
    end = _End(None)
    try:
        for item in items:
            _put(item, waiting, is_abandoned)
            if is_abandoned.is_set():
                return
    except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
        end = _End(error)
    _put(end, waiting, is_abandoned)


def _put(item: T | _End, waiting: queue.Queue[T | _End], is_abandoned: threading.Event) -> None:
    while not is_abandoned.is_set():
        try:
            waiting.put(item, timeout=SECONDS_BETWEEN_LOOKS)
            return
        except queue.Full:
            continue
