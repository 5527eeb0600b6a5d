"""`up`: every part of Winnow in one process tree, watched, healed and ended together."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from winnow.embedded.attachment import attachment_of
from winnow.embedded.locks import EXCLUSIVE, FileLock
from winnow.environment import Environment
from winnow.supervisor.cluster import ClusterPart
from winnow.supervisor.part import Part, Watched
from winnow.supervisor.parts import (
    beat_part,
    missing_worker_packages,
    redis_part,
    status_of,
    web_part,
    worker_parts,
)
from winnow.supervisor.port import claim_port
from winnow.supervisor.screen import Screen

TICK = 0.2
SECONDS_BETWEEN_QUESTIONS = 1.0
# Together with Redis and PostgreSQL, everything ends within 20 seconds of the signal.
SECONDS_FOR_WORK_IN_PROGRESS = 7.0
SECONDS_FOR_REDIS = 2.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyUp(Exception):
    """Another `up` runs on this home."""


class Stopped(BaseException):
    """The operator asked for the end while something slow was starting."""


class Supervisor:
    """`prepare` makes the database ready; it is given a way to tell the operator what it does."""

    def __init__(self, env: Environment, screen: Screen, prepare: Callable[[Callable[[str], None]], None]) -> None:
        self._env = env
        self._screen = screen
        self._prepare = prepare
        self._cluster = ClusterPart(attachment_of(env)) if env.uses_embedded_postgres else None
        self._redis = redis_part(env) if env.uses_embedded_redis else None
        self._parts: list[Part] = []
        self._is_stopping = False
        self._is_hurried = False
        self._is_interruptible = False

    def run(self) -> None:
        with self._only_one() as note, claim_port(self._env) as listener:
            port = listener.getsockname()[1]
            note.write_text(f"{self._url(port)} (pid {os.getpid()})")
            for number in SIGNALS:
                signal.signal(number, self._on_signal)
            try:
                if port != self._env.port:
                    self._screen.say(f"Port {self._env.port} is busy, so Winnow takes {port}.")
                with self._interruptible():
                    self._start_servers()
                self._parts = [web_part(self._env, listener), *worker_parts(self._env), beat_part(self._env)]
                self._say_where(port)
                self._watch(port)
            except Stopped:
                pass
            finally:
                listener.close()
                self._stop()

    @contextmanager
    def _only_one(self) -> Iterator[Path]:
        """A lock that the kernel lets go of with the process, so no stale file is ever an obstacle."""
        lock = FileLock(self._env.run_dir / "up.lock")
        note = self._env.run_dir / "up.txt"
        try:
            if not lock.try_to_take(EXCLUSIVE):
                where = note.read_text() if note.exists() else "it is just starting"
                raise AlreadyUp(f"Winnow already runs on {self._env.home}: {where}.")
            note.unlink(missing_ok=True)
            yield note
            note.unlink(missing_ok=True)
        finally:
            lock.close()

    def _start_servers(self) -> None:
        self._screen.show(self._watched)
        if self._cluster:
            self._cluster.start()
        if self._redis:
            self._redis.tick()
        self._screen.show(self._watched)
        self._prepare(self._screen.say)

    def _watch(self, port: int) -> None:
        is_ready = False
        asked_at = 0.0
        while not self._is_stopping:
            if self._cluster:
                with self._interruptible():
                    self._cluster.tick()
            for part in (*filter(None, [self._redis]), *self._parts):
                part.tick()
            self._screen.show(self._watched)
            if not is_ready and time.monotonic() - asked_at > SECONDS_BETWEEN_QUESTIONS:
                asked_at = time.monotonic()
                is_ready = self._parts[0].state == "running" and status_of(self._env, port, "/readyz") == 200
                if is_ready:
                    self._screen.say("Ready: the site answers and the workers are alive.")
            time.sleep(TICK)

    def _stop(self) -> None:
        self._is_stopping = True
        self._screen.say("Stopping ...")
        self._end(self._parts, SECONDS_FOR_WORK_IN_PROGRESS)
        if self._redis:
            self._end([self._redis], SECONDS_FOR_REDIS)
        if self._cluster:
            self._cluster.stop()
        self._screen.show(self._watched)
        self._screen.say("Stopped.")

    def _end(self, parts: Sequence[Part], seconds: float) -> None:
        for part in parts:
            part.terminate()
        end = time.monotonic() + seconds
        while remaining := [part for part in parts if not part.is_gone()]:
            self._screen.show(self._watched)
            if self._is_hurried or time.monotonic() > end:
                break
            time.sleep(0.05)
        for part in remaining:
            part.kill()
            part.is_gone()

    @property
    def _watched(self) -> list[Watched]:
        servers: list[Watched | None] = [self._cluster, self._redis]
        return [*(server for server in servers if server), *self._parts]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first signal ends all in order, the second at once."""
        self._is_hurried = self._is_stopping
        self._is_stopping = True
        if self._is_interruptible:
            self._is_interruptible = False
            raise Stopped

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Around what may take long; elsewhere a signal waits for the next tick, so that no child is lost."""
        self._is_interruptible = True
        try:
            if self._is_stopping:
                raise Stopped
            yield
        finally:
            self._is_interruptible = False

    def _say_where(self, port: int) -> None:
        self._screen.say(f"Winnow: {self._url(port)}   data and logs: {self._env.home}   Ctrl-C stops everything")
        if missing := missing_worker_packages():
            self._screen.say(
                f"No model runs here: {', '.join(missing)} not installed. The site works and runs wait; "
                "`pip install -e '.[workers]'` brings them."
            )

    def _url(self, port: int) -> str:
        host = "127.0.0.1" if self._env.host in {"0.0.0.0", "::"} else self._env.host  # noqa: S104 - shown, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
