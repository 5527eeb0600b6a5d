"""Ask for background work, take the wish back, or ask again: the row first, the message second."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Conflict
from ledger import dispatch
from ledger.models import FINISHED_STATES, Run, RunKind, Shard, State


class NothingToResume(Conflict):
    code = "nothing_to_resume"


class AlreadyFinished(Conflict):
    code = "already_finished"


def request_run(
    *,
    project: Project,
    kind: RunKind,
    method: str,
    queue: str,
    params: dict[str, Any],
    requested_by: User | None,
) -> Run:
    with transaction.atomic():
        run = Run.objects.create(
            project=project, kind=kind, method=method, queue=queue, params=params, requested_by=requested_by
        )
        audit.record(actor=requested_by, project=project, action="request run", subject=run, details={"method": method})
        dispatch.send_on_commit(run)
    return run


def request_cancel(*, run: Run, by: User | None) -> Run:
    """Work in progress stops at its next batch; a run that nobody holds is cancelled at once."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(id=run.id)
        if run.state == State.CANCELLED:
            return run
        if run.state in FINISHED_STATES:
            raise AlreadyFinished(f"Run {run.id} is {run.state} already; there is nothing left to cancel.")
        run.cancel_requested_at = run.cancel_requested_at or timezone.now()
        run.save(update_fields=["cancel_requested_at"])
        audit.record(actor=by, project=run.project, action="cancel run", subject=run)
        if not held_shards(run).exists():
            mark_cancelled(run)
    return run


def resume_run(*, run: Run, by: User | None) -> Run:
    """Go on with a failed or cancelled run; the shards that are done stay done."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(id=run.id)
        if run.state not in {State.FAILED, State.CANCELLED}:
            raise NothingToResume(f"Run {run.id} is {run.state}; only a failed or cancelled run can be resumed.")
        run.shards.exclude(state=State.DONE).update(
            state=State.QUEUED, attempts=0, lease_token=None, lease_expires_at=None, owner="", error=""
        )
        run.state, run.error, run.cancel_requested_at, run.finished_at = State.QUEUED, "", None, None
        run.save(update_fields=["state", "error", "cancel_requested_at", "finished_at"])
        audit.record(actor=by, project=run.project, action="resume run", subject=run)
        dispatch.send_on_commit(run)
    return run


def held_shards(run: Run) -> Any:
    """The shards that a worker is busy with, as far as its lease tells."""
    return Shard.objects.filter(run=run, state=State.RUNNING).filter(Q(lease_expires_at__gt=Now()))


def mark_cancelled(run: Run) -> None:
    """The caller holds the lock on the run's row."""
    run.shards.exclude(state=State.DONE).update(state=State.CANCELLED, lease_token=None, lease_expires_at=None)
    run.state, run.finished_at = State.CANCELLED, timezone.now()
    run.save(update_fields=["state", "finished_at"])
