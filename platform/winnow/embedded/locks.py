"""File locks that the kernel lets go of by itself, kill -9 included."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX


class FileLock:
    """One process's hold on a lock file; children do not inherit it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Read-only is enough to lock, so that root and the home's owner may share a file either made.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)

    def take(self, kind: int) -> None:
        fcntl.flock(self._descriptor, kind)

    def try_to_take(self, kind: int, *, seconds: float = 0) -> bool:
        end = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= end:
                    return False
                time.sleep(0.02)
            else:
                return True

    def close(self) -> None:
        os.close(self._descriptor)


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.take(EXCLUSIVE)
        yield
    finally:
        lock.close()
