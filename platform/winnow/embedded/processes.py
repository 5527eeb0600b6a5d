"""Which processes of a PostgreSQL cluster live, and how they end.

The standard library alone, since the keeper runs it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# (signal, seconds to wait for it): fast, then immediate (the log is replayed at the next start), then by force.
FAST_STOP = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 1.0))


def processes_of(data_dir: Path) -> list[int]:
    """Every server process has its data folder as working folder; a pid file would lie after kill -9."""
    folder = data_dir.resolve()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink() == folder:
                    found.append(int(entry.name))
    return found


def postmaster_of(data_dir: Path) -> int | None:
    """The pid in postmaster.pid, if a process of this very cluster has it."""
    try:
        pid = int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid in processes_of(data_dir) else None


def is_running(pid: int) -> bool:
    """A process that ended and was not waited for counts as gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pids: Iterable[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    remaining = list(pids)
    while remaining := [pid for pid in remaining if is_running(pid)]:
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def stop_cluster(data_dir: Path) -> None:
    postmaster = postmaster_of(data_dir)
    if postmaster is not None:
        for number, seconds in FAST_STOP:
            send(postmaster, number)
            if wait_until_gone([postmaster], seconds):
                break
    kill_orphans(data_dir, patience=1.0)


def kill_orphans(data_dir: Path, *, patience: float) -> None:
    """Backends of a killed postmaster leave by themselves, unless a long statement keeps them."""
    orphans = processes_of(data_dir)
    if wait_until_gone(orphans, patience):
        return
    for pid in orphans:
        send(pid, signal.SIGKILL)
    wait_until_gone(orphans, 2.0)
