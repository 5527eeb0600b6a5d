"""Several requests under way at once, with the results in the order asked and a wish to stop heard at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

POLL_SECONDS = 0.25


class Given(Exception):
    """Raised within the threads when the whole has ended before they have."""


def side_by_side(
    asked: Sequence[A],
    ask: Callable[[A, Callable[[], None]], R],
    *,
    hands: int,
    check: Callable[[], None] = lambda: None,
    on_done: Callable[[int], None] = lambda done: None,
) -> list[R]:
    """`ask` is given one of `asked` and what to call while it waits; `check` and `on_done` are called from this thread
    only. The first error ends it all, without waiting for what is under way."""
    over = threading.Event()

    def stop() -> None:
        if over.is_set():
            raise Given

    pool = ThreadPoolExecutor(max(1, min(hands, len(asked))), thread_name_prefix="model server")
    found: dict[int, R] = {}
    try:
        waiting: dict[Future[R], int] = {pool.submit(ask, one, stop): number for number, one in enumerate(asked)}
        while waiting:
            check()
            done, _ = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                found[waiting.pop(future)] = future.result()
            if done:
                on_done(len(found))
    finally:
        over.set()
        pool.shutdown(wait=False, cancel_futures=True)
    return [found[number] for number in range(len(asked))]
