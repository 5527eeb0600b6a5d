"""The pieces of a run: claimed under a lease, done again without effect, finished by whoever holds the lease."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Min, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from ledger.models import FINISHED_STATES, Run, Shard, State
from ledger.reporter import LeaseLost
from ledger.runs import held_shards, mark_cancelled

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 4


@dataclass(frozen=True)
class Draft:
    """A shard that is yet to be written down."""

    scope: dict[str, Any] = field(default_factory=dict)
    items: int = 0
    stage: int = 0


def plan(*, run: Run, drafts: Callable[[Run], Sequence[Draft]], code_version: str = "") -> bool:
    """Divide the run into shards, once, whoever comes first; False if it cannot go on."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(id=run.id)
        if run.state in FINISHED_STATES:
            return False
        if run.cancel_requested_at:
            if not held_shards(run).exists():
                mark_cancelled(run)
            return False
        if not run.shards.exists():
            _write_shards(run, drafts(run))
        Run.objects.filter(id=run.id, state=State.QUEUED).update(
            state=State.RUNNING, started_at=run.started_at or Now(), heartbeat_at=Now(), code_version=code_version
        )
    return True


def _write_shards(run: Run, drafts: Sequence[Draft]) -> None:
    Shard.objects.bulk_create(
        [
            Shard(run=run, stage=draft.stage, position=position, scope=draft.scope, items=draft.items)
            for position, draft in enumerate(drafts)
        ],
        batch_size=2000,
    )
    total = sum(draft.items for draft in drafts)
    Run.objects.filter(id=run.id).update(total_items=total or None)


def claim(*, run_id: int, owner: str) -> Shard | None:
    """The next shard of the earliest stage that is not done, under a fresh lease."""
    with transaction.atomic():
        unfinished = Shard.objects.filter(run_id=run_id).exclude(state=State.DONE)
        stage = unfinished.aggregate(stage=Min("stage"))["stage"]
        shard = (
            Shard.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(run_id=run_id, run__state=State.RUNNING, run__cancel_requested_at=None, stage=stage)
            .filter(Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_expires_at__lt=Now()))
            .filter(attempts__lt=MAX_ATTEMPTS)
            .order_by("position")
            .first()
        )
        if shard is None:
            return None
        shard.lease_token = uuid.uuid4()
        Shard.objects.filter(id=shard.id).update(
            state=State.RUNNING,
            owner=owner,
            lease_token=shard.lease_token,
            lease_expires_at=Now() + LEASE,
            attempts=F("attempts") + 1,
        )
        return shard


@dataclass(frozen=True)
class Beat:
    is_mine: bool
    is_cancelled: bool


def beat(shard: Shard) -> Beat:
    """Extend the lease, and hear whether the work is still wanted."""
    is_mine = _mine(shard).update(lease_expires_at=Now() + LEASE) == 1
    if is_mine:
        Run.objects.filter(id=shard.run_id).update(heartbeat_at=Now())
    is_cancelled = Run.objects.filter(id=shard.run_id, cancel_requested_at__isnull=False).exists()
    return Beat(is_mine=is_mine, is_cancelled=is_cancelled)


def finish(shard: Shard, *, write: Callable[[], dict[str, Any]]) -> None:
    """Write the results and mark the shard done in one transaction, if the lease is still held."""
    with transaction.atomic():
        if not _mine(shard).select_for_update().exists():
            raise LeaseLost
        result = write()
        _mine(shard).update(
            state=State.DONE, result=result, done_items=F("items"), error="", lease_token=None, lease_expires_at=None
        )


def give_back(shard: Shard) -> None:
    """As if it had never been claimed; the next sweep tells somebody else."""
    _mine(shard).update(
        state=State.QUEUED, attempts=F("attempts") - 1, owner="", lease_token=None, lease_expires_at=None
    )
    Run.objects.filter(id=shard.run_id).update(sent_at=None)


def fail(shard: Shard, *, error: str, is_final: bool) -> None:
    """Queue the shard again, or, after the last attempt, fail it together with its run."""
    with transaction.atomic():
        Run.objects.select_for_update().get(id=shard.run_id)
        held = _mine(shard).first()
        if held is None:
            return
        gives_up = is_final or held.attempts >= MAX_ATTEMPTS
        _mine(shard).update(
            state=State.FAILED if gives_up else State.QUEUED,
            error=error,
            owner="",
            lease_token=None,
            lease_expires_at=None,
        )
        if gives_up:
            fail_run(shard.run_id, error)


def fail_run(run_id: int, error: str) -> None:
    Run.objects.filter(id=run_id).exclude(state__in=FINISHED_STATES).update(
        state=State.FAILED, error=error, finished_at=Now()
    )


def conclude(*, run_id: int, result: Callable[[Run], dict[str, Any]]) -> bool:
    """Mark the run done once its last shard is; True for the one caller who did."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(id=run_id)
        if run.state != State.RUNNING or run.shards.exclude(state=State.DONE).exists():
            return False
        total = run.shards.aggregate(total=Sum("done_items"))["total"] or 0
        run.result = result(run)
        run.state, run.finished_at, run.stage, run.error = State.DONE, timezone.now(), "", ""
        run.done_items = max(run.done_items, total)
        run.total_items = run.done_items
        run.save(update_fields=["result", "state", "finished_at", "stage", "error", "done_items", "total_items"])
    return True


def cancel_if_wished(*, run_id: int) -> bool:
    """The last one out marks a cancelled run; True when it is cancelled now."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(id=run_id)
        if run.state in FINISHED_STATES or not run.cancel_requested_at or held_shards(run).exists():
            return False
        mark_cancelled(run)
    return True


def _mine(shard: Shard) -> Any:
    return Shard.objects.filter(id=shard.id, state=State.RUNNING, lease_token=shard.lease_token)
