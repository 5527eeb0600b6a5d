"""How work in progress speaks with its run: progress out, the wish to stop in."""

from __future__ import annotations

import threading
import time

from django.db import connection

# Set when this process was told to end: work stops at its next batch and hands its lease back.
stop_requested = threading.Event()

SECONDS_BETWEEN_WRITES = 0.5


class Cancelled(Exception):
    """Stop now and write nothing more: somebody cancelled the run."""


class HandedBack(Cancelled):
    """Stop now: this process ends, and the work goes on elsewhere or after a restart."""


class LeaseLost(Cancelled):
    """Stop now: somebody else holds this work."""


class Reporter:
    """What work is given. This one is silent, for work that runs without a row; `LeaseReporter` writes."""

    def progress(self, done: int, total: int | None = None, stage: str = "") -> None:
        """How far the work is; cheap enough to call for every batch."""

    def check_cancelled(self) -> None:
        """Raise Cancelled (or a kind of it) when the work must stop."""


class LeaseReporter(Reporter):
    """Writes to the run and the shard at most twice a second; the figure shown never goes back."""

    def __init__(self, *, run_id: int, shard_id: int) -> None:
        self.run_id = run_id
        self.shard_id = shard_id
        self.cancelled = threading.Event()
        self.lease_lost = threading.Event()
        self._written_at = 0.0
        self._stage: str | None = None

    def progress(self, done: int, total: int | None = None, stage: str = "") -> None:
        now = time.monotonic()
        is_due = now - self._written_at >= SECONDS_BETWEEN_WRITES or stage != self._stage
        if not is_due and done != total:
            return
        self._written_at, self._stage = now, stage
        with connection.cursor() as cursor:
            cursor.execute("UPDATE ledger_shard SET done_items = %s WHERE id = %s", [done, self.shard_id])
            cursor.execute(RUN_PROGRESS, {"run": self.run_id, "total": total, "stage": stage[:64]})
            if any(is_cancelled for (is_cancelled,) in cursor.fetchall()):
                self.cancelled.set()

    def check_cancelled(self) -> None:
        if self.lease_lost.is_set():
            raise LeaseLost
        if self.cancelled.is_set():
            raise Cancelled
        if stop_requested.is_set():
            raise HandedBack


RUN_PROGRESS = """
    UPDATE ledger_run
       SET done_items = GREATEST(done_items, (SELECT sum(done_items) FROM ledger_shard WHERE run_id = %(run)s)),
           total_items = COALESCE(%(total)s, total_items),
           stage = CASE WHEN %(stage)s = '' THEN stage ELSE %(stage)s END,
           heartbeat_at = now()
     WHERE id = %(run)s
 RETURNING cancel_requested_at IS NOT NULL
"""
