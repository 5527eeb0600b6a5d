"""Tell the workers about a run: by task name, after commit, with the run's id and nothing else."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ledger.models import Run, RunKind

log = logging.getLogger(__name__)

TASK_NAMES = {
    RunKind.IMPORT: "workers.run_import",
    RunKind.METHOD: "workers.run_method",
    RunKind.CONSENSUS: "workers.run_method",
    RunKind.RELEASE: "workers.run_release",
}


def send_on_commit(run: Run) -> None:
    transaction.on_commit(lambda: send(run))


def send(run: Run, *, copies: int = 1) -> bool:
    """False when the broker did not take it: the row stays, and the sweeper sends again."""
    signature = current_app.signature(TASK_NAMES[RunKind(run.kind)], kwargs={"run_id": run.id}, queue=run.queue)
    try:
        for _ in range(copies):
            signature.delay()
    except (OperationalError, RedisError, OSError) as error:
        log.warning("run %s: the message was not sent (%s); the sweeper will send it", run.id, error)
        return False
    Run.objects.filter(id=run.id).update(sent_at=Now())
    return True
