"""A part of the process tree: started, watched, started again with a growing pause, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from winnow.environment import ROOT
from winnow.supervisor.lifeline import die_with

LONGEST_PAUSE = 30.0
# A part that lived this long was healthy: the next pause is short again.
HEALTHY_AFTER = 20.0
LOG_BYTES = 10 * 2**20


class Watched(Protocol):
    """What the supervisor's table shows of anything it looks after."""

    name: str
    state: str
    restarts: int

    @property
    def pid(self) -> int | None: ...

    def tick(self) -> None: ...


@dataclass
class BackOff:
    """How long to wait before starting something again."""

    failures: int = 0
    started_at: float = 0.0
    next_start_at: float = 0.0

    def started(self) -> None:
        self.started_at = time.monotonic()

    def ended(self) -> float:
        now = time.monotonic()
        self.failures = 0 if now - self.started_at > HEALTHY_AFTER else self.failures + 1
        pause: float = min(LONGEST_PAUSE, 0.25 * 2**self.failures)
        self.next_start_at = now + pause
        return pause

    def may_start(self) -> bool:
        return time.monotonic() >= self.next_start_at


@dataclass
class Part:
    """One child process; `answers` tells when it is more than started."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str]
    answers: Callable[[], bool] | None = None
    prepare: Callable[[], None] | None = None
    file_descriptors: tuple[int, ...] = ()
    niceness: int = 0
    state: str = "waiting"
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _back_off: BackOff = field(default_factory=BackOff)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def tick(self) -> None:
        if self._process is None:
            if self._back_off.may_start():
                self._start()
        elif (code := self._process.poll()) is not None:
            # What a killed process started must not go on beside its successor.
            self._signal_group(signal.SIGKILL)
            self._process = None
            pause = self._back_off.ended()
            self.state = f"{_ending(code)}, again in {pause:.1f} s: see {self.log.name}"
        elif self.state == "starting" and (self.answers is None or self.answers()):
            self.state = "running"

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self.state = "stopping"
            self._process.terminate()

    def kill(self) -> None:
        if self._process:
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def is_gone(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return False
        self.state = "stopped"
        return True

    def _start(self) -> None:
        if self.prepare:
            self.prepare()
        parent = os.getpid()

        def in_the_child() -> None:
            die_with(parent)
            os.nice(self.niceness)

        with open_log(self.log) as log:
            self._process = subprocess.Popen(
                self.command, env=dict(self.environment), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=self.file_descriptors, preexec_fn=in_the_child,
            )  # fmt: skip
        self.restarts += self._back_off.started_at > 0
        self._back_off.started()
        self.state = "starting" if self.answers else "running"

    def _signal_group(self, number: int) -> None:
        if self._process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)


def open_log(path: Path) -> BinaryIO:
    """Appended to; the one before is kept when it has grown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
