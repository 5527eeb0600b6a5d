"""Carry out a run: plan it once, take shards one by one under a lease, and end it in exactly one state."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connection

from accounts.problems import Problem
from ledger import shards
from ledger.models import FINISHED_STATES, Run, Shard, State
from ledger.reporter import Cancelled, HandedBack, LeaseLost, LeaseReporter, Reporter

log = logging.getLogger(__name__)

SECONDS_BETWEEN_BEATS = 2.0
# How long a worker waits for a database that went away before it leaves the work to the sweeper.
SECONDS_WITHOUT_DATABASE = 90.0

Work = Callable[[Run, Reporter], dict[str, Any]]
ShardWork = Callable[[Run, Shard, Reporter], Callable[[], dict[str, Any]]]


@dataclass(frozen=True)
class Job:
    """How a kind of run is divided, done and summed up.

    `work` computes and returns what to call inside the transaction that marks the shard done: it writes the
    results and returns the shard's own result. An unexpected error is tried again if `is_retried`.
    """

    plan: Callable[[Run], Sequence[shards.Draft]]
    work: ShardWork
    conclude: Callable[[Run], dict[str, Any]]
    is_retried: bool = True


def execute(run_id: int, work: Work, *, owner: str, code_version: str = "") -> None:
    """Run work that is one piece. Harmless when called twice, by two workers, or for a finished run."""

    def whole(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        result = work(run, reporter)
        return lambda: result

    job = Job(
        plan=lambda run: [shards.Draft()],
        work=whole,
        conclude=lambda run: dict(run.shards.values_list("result", flat=True)[0]),
        is_retried=False,
    )
    execute_job(run_id, job, owner=owner, code_version=code_version)


def execute_job(
    run_id: int, job: Job, *, owner: str, code_version: str = "", turn_seconds: float | None = None
) -> bool:
    """Do shards until none is left for this worker; True if its turn ended before the work did."""
    run = Run.objects.filter(id=run_id).first()
    if run is None or run.state in FINISHED_STATES:
        return False
    try:
        if not shards.plan(run=run, drafts=job.plan, code_version=code_version):
            return False
    except Problem as problem:
        shards.fail_run(run_id, problem.message)
        return False
    except (OperationalError, InterfaceError):
        # The row is as it was; the sweeper sends the message again.
        raise
    except Exception as error:
        log.exception("run %s could not be divided into shards", run_id)
        shards.fail_run(run_id, f"{type(error).__name__}: {error}")
        return False
    started = time.monotonic()
    while shard := _claim(run_id, owner):
        if not _do(run, shard, job):
            return False
        if turn_seconds is not None and time.monotonic() - started > turn_seconds:
            break
    _when_connected(lambda: shards.conclude(run_id=run_id, result=job.conclude))
    return Run.objects.filter(id=run_id, state=State.RUNNING, shards__state=State.QUEUED).exists()


def _claim(run_id: int, owner: str) -> Shard | None:
    claimed: list[Shard | None] = []
    _when_connected(lambda: claimed.append(shards.claim(run_id=run_id, owner=owner)))
    return claimed[0] if claimed else None


def _do(run: Run, shard: Shard, job: Job) -> bool:
    """Whether to go on with the next shard."""
    reporter = LeaseReporter(run_id=run.id, shard_id=shard.id)
    with _Heart(shard, reporter):
        try:
            write = job.work(run, shard, reporter)
            reporter.check_cancelled()
            shards.finish(shard, write=write)
            return True
        except HandedBack:
            _when_connected(lambda: shards.give_back(shard))
            return False
        except LeaseLost:
            return False
        except Cancelled:
            _when_connected(lambda: shards.give_back(shard))
            _when_connected(lambda: shards.cancel_if_wished(run_id=run.id))
            return False
        except Problem as problem:
            message = problem.message
            _when_connected(lambda: shards.fail(shard, error=message, is_final=True))
            return False
        except (OperationalError, InterfaceError) as error:
            message = f"The database did not answer: {error}"
            _when_connected(lambda: shards.fail(shard, error=message, is_final=False))
            return True
        except Exception as error:
            log.exception("run %s, shard %s failed", run.id, shard.id)
            message = f"{type(error).__name__}: {error}"
            _when_connected(lambda: shards.fail(shard, error=message, is_final=not job.is_retried))
            return job.is_retried


def _when_connected(write: Callable[[], object]) -> None:
    """Wait out a database that is away; after that the expiry of the lease speaks for us."""
    deadline = time.monotonic() + SECONDS_WITHOUT_DATABASE
    while True:
        try:
            write()
            return
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline or connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(1.0)


class _Heart:
    """A thread that keeps the lease and listens for a cancel, on a connection of its own."""

    def __init__(self, shard: Shard, reporter: LeaseReporter) -> None:
        self._shard = shard
        self._reporter = reporter
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heart of shard {shard.id}", daemon=True)

    def __enter__(self) -> None:
        # Inside a transaction nobody else can see the lease yet, so there is nobody to keep it from.
        if not connection.in_atomic_block:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _beat(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_BEATS):
            try:
                heard = shards.beat(self._shard)
            except DatabaseError:
                connection.close()
                continue
            if not heard.is_mine:
                self._reporter.lease_lost.set()
            if heard.is_cancelled:
                self._reporter.cancelled.set()
        connection.close()
