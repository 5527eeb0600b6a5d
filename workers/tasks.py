"""The tasks: a message brings a run's id, everything else is in the ledger. A task may come twice or be lost."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.problems import Problem
from ledger import dispatch
from ledger.execute import execute, execute_job
from ledger.models import Run
from ledger.shards import fail_run
from ledger.sweep import sweep
from workers import boot
from workers.discover import code_version

log = logging.getLogger(__name__)

# Then the run goes to the back of the line, so that a long one lets short ones pass.
TURN_SECONDS = 20.0

boot.connect()


@shared_task(bind=True, name="workers.run_method")  # type: ignore[untyped-decorator]  # celery has no types
def run_method(self: Any, *, run_id: int, **_ignored: Any) -> None:
    from workers.runner import job_of

    run = Run.objects.select_related("project").filter(id=run_id).first()
    if run is None:
        log.info("run %s is gone", run_id)
        return
    try:
        job = job_of(run)
    except Problem as problem:
        fail_run(run_id, problem.message)
        return
    has_more = execute_job(run_id, job, owner=_owner(self), code_version=code_version(), turn_seconds=TURN_SECONDS)
    if has_more:
        dispatch.send(run)


@shared_task(bind=True, name="workers.run_import")  # type: ignore[untyped-decorator]  # celery has no types
def run_import(self: Any, *, run_id: int, **_ignored: Any) -> None:
    from annotation.votes.ingest import METHOD, import_votes_run
    from corpus.ingest import import_run

    is_of_votes = Run.objects.filter(id=run_id, method=METHOD).exists()
    work = import_votes_run if is_of_votes else import_run
    execute(run_id, work, owner=_owner(self), code_version=code_version())


@shared_task(bind=True, name="workers.run_release")  # type: ignore[untyped-decorator]  # celery has no types
def run_release(self: Any, *, run_id: int, **_ignored: Any) -> None:
    from curation.freeze import freeze_run

    execute(run_id, freeze_run, owner=_owner(self), code_version=code_version())


@shared_task(name="workers.sweep")  # type: ignore[untyped-decorator]  # celery has no types
def sweep_ledger(**_ignored: Any) -> None:
    swept = sweep()
    if any(swept.values()):
        log.info("sweep: %s", swept)


@shared_task(name="workers.reclaim_leases")  # type: ignore[untyped-decorator]  # celery has no types
def reclaim_leases(**_ignored: Any) -> None:
    """Items that people left open go back to the others, also in a campaign where nobody claims now."""
    from annotation.desk.assign import reclaim_expired

    while reclaim_expired(now=timezone.now()):
        pass


@shared_task(name="workers.reorder_campaigns")  # type: ignore[untyped-decorator]  # celery has no types
def reorder_campaigns(**_ignored: Any) -> None:
    """Campaigns that have had their number of judgments since get a fresh order."""
    from annotation.campaigns.ordering import request_due_orders

    for run in request_due_orders():
        log.info("run %s orders the work of campaign %s", run.pk, run.params["campaign"])


def _owner(task: Any) -> str:
    return str(task.request.hostname or "inline")
