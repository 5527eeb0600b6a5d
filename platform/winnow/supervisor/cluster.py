"""The embedded PostgreSQL as a part: it may be shared with other commands, so it is no plain child."""

from __future__ import annotations

import time

from winnow.embedded.attachment import Attachment
from winnow.embedded.binaries import PostgresFailed
from winnow.embedded.processes import is_running
from winnow.supervisor.part import BackOff

SECONDS_BETWEEN_QUESTIONS = 5.0


class ClusterPart:
    name = "postgres"

    def __init__(self, attachment: Attachment) -> None:
        self.state = "waiting"
        self.restarts = 0
        self.pid: int | None = None
        self._attachment = attachment
        self._back_off = BackOff()
        self._asked_at = 0.0

    def start(self) -> None:
        self.state = "starting"
        self._attachment.acquire()
        self._has_started()

    def tick(self) -> None:
        self._attachment.cluster.reap()
        if self.state == "running" and not self._is_well():
            self.pid = None
            self.state = f"gone, again in {self._back_off.ended():.1f} s"
        elif self.state != "running" and self._back_off.may_start():
            self._start_again()

    def stop(self) -> None:
        self._attachment.release()
        self.state = "stopped"

    def _is_well(self) -> bool:
        if self.pid is None or not is_running(self.pid):
            return False
        if time.monotonic() - self._asked_at < SECONDS_BETWEEN_QUESTIONS:
            return True
        self._asked_at = time.monotonic()
        return self._attachment.cluster.is_alive()

    def _start_again(self) -> None:
        self.restarts += 1
        try:
            self._attachment.cluster.start()
        except PostgresFailed as error:
            pause = self._back_off.ended()
            self.state = f"{str(error).splitlines()[-1]}, again in {pause:.1f} s"
        else:
            self._has_started()

    def _has_started(self) -> None:
        self.pid = self._attachment.cluster.pid
        self.state = "running"
        self._asked_at = time.monotonic()
        self._back_off.started()
