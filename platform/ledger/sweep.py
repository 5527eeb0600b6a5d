"""Every few seconds: what a dead worker held is freed, what nobody was told is told again."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from ledger import dispatch
from ledger.catalogue import live_workers
from ledger.models import Run, Shard, State
from ledger.shards import MAX_ATTEMPTS, cancel_if_wished, fail_run

# A message younger than this is still on its way, as far as we know.
RESEND_AFTER = timedelta(seconds=30)
# So that a long line of waiting runs does not fill the broker with copies.
RESENDS_PER_QUEUE = 20


def sweep() -> dict[str, int]:
    """How many leases were freed, runs cancelled, messages sent."""
    return {
        "freed": free_shards(Q(lease_expires_at__lt=Now())),
        "cancelled": _cancel_abandoned(),
        "sent": _send_again(),
    }


def take_over(owner: str) -> int:
    """A worker that starts under a name again goes on with what it held before; nobody has to wait."""
    return free_shards(Q(owner=owner))


def free_shards(which: Q) -> int:
    freed = 0
    for shard in Shard.objects.filter(which, state=State.RUNNING).order_by("id")[:5000]:
        freed += _free(shard)
    return freed


def _free(shard: Shard) -> int:
    """The lease may have been renewed since it was read; only this very one is freed."""
    with transaction.atomic():
        Run.objects.select_for_update().get(id=shard.run_id)
        same = Shard.objects.filter(
            id=shard.id,
            state=State.RUNNING,
            lease_token=shard.lease_token,
            lease_expires_at=shard.lease_expires_at,
        )
        if shard.attempts < MAX_ATTEMPTS:
            changed = same.update(state=State.QUEUED, lease_token=None, lease_expires_at=None, owner="")
        else:
            error = (
                f"The worker was lost {shard.attempts} times at the same piece of work"
                f" ({shard.error or 'no error text'}). "
                "It may have run out of memory. What is done is kept; resume the run to try again."
            )
            changed = same.update(state=State.FAILED, error=error, lease_token=None, lease_expires_at=None)
            if changed:
                fail_run(shard.run_id, error)
    if changed:
        # Somebody has to be told, whenever the last message went out.
        Run.objects.filter(id=shard.run_id).update(sent_at=None)
    return changed


def _cancel_abandoned() -> int:
    wished = Run.objects.filter(state__in=[State.QUEUED, State.RUNNING], cancel_requested_at__isnull=False)
    return sum(cancel_if_wished(run_id=run_id) for run_id in wished.values_list("id", flat=True)[:1000])


def _send_again() -> int:
    """Only to queues that a live worker serves: what waits for a worker is sent when one comes."""
    queues = {queue for worker in live_workers() for queue in worker.queues}
    return sum(dispatch.send(run) for queue in sorted(queues) for run in _unheard(queue))


def _unheard(queue: str) -> list[Run]:
    """Runs with something to do that nobody was told of lately."""
    shards = Shard.objects.filter(run=OuterRef("pk"))
    return list(
        Run.objects.filter(queue=queue, state__in=[State.QUEUED, State.RUNNING], cancel_requested_at=None)
        .filter(Q(sent_at=None) | Q(sent_at__lt=Now() - RESEND_AFTER))
        # A run all of whose shards are done was left just before its end.
        .filter(Exists(shards.filter(state=State.QUEUED)) | ~Exists(shards.exclude(state=State.DONE)))
        .order_by("id")[:RESENDS_PER_QUEUE]
    )
