"""Stops a cluster when its last user is gone, even if that one was killed and could not do it.

It waits for the lock that every user shares, in a process of its own; the standard library alone, so that it is small.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from winnow.embedded.locks import EXCLUSIVE, FileLock
from winnow.embedded.processes import stop_cluster


def keep(users_lock: Path, keeper_lock: Path, data_dir: Path, socket_dir: Path) -> None:
    own = FileLock(keeper_lock)
    if not own.try_to_take(EXCLUSIVE):
        return
    FileLock(users_lock).take(EXCLUSIVE)
    stop_cluster(data_dir)
    shutil.rmtree(socket_dir, ignore_errors=True)


def main(arguments: list[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    users_lock, keeper_lock, data_dir, socket_dir = map(Path, arguments)
    keep(users_lock, keeper_lock, data_dir, socket_dir)
