"""Is the house ready for work, and what goes on in it: plain questions to the database."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from annotation.models import Judgment
from ledger.catalogue import live_workers
from ledger.models import MethodCard, Run, State
from winnow.errors import DATABASE_ERRORS

NEEDED_QUEUES = ("cpu", "io")

_known_as_migrated = False


def missing_parts() -> list[str]:
    """What is not there yet, in words; empty when work can begin."""
    try:
        if not _is_migrated():
            return ["migrations: run `python manage.py migrate`"]
        return [*_missing_catalogue(), *_missing_queues()]
    except DATABASE_ERRORS:
        return ["database: it does not answer"]


def _is_migrated() -> bool:
    """Once applied they stay applied, and reading them all takes longer than the rest together."""
    global _known_as_migrated
    if not _known_as_migrated:
        executor = MigrationExecutor(connection)
        _known_as_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _known_as_migrated


def _missing_catalogue() -> list[str]:
    is_published = MethodCard.objects.exists()
    return [] if is_published else ["catalogue: no worker has published its methods yet"]


def _missing_queues() -> list[str]:
    served = {queue for worker in live_workers() for queue in worker.queues}
    return [f"worker: none is alive for the queue {queue}" for queue in NEEDED_QUEUES if queue not in served]


def metrics_text() -> bytes:
    registry = CollectorRegistry()
    runs = Gauge("winnow_runs", "Runs by state", ["state"], registry=registry)
    counted = dict(Run.objects.order_by().values_list("state").annotate(number=Count("id")))
    for state in State.values:
        runs.labels(state).set(counted.get(state, 0))
    workers = Gauge("winnow_live_workers", "Workers with a fresh heartbeat, by queue", ["queue"], registry=registry)
    served = [queue for worker in live_workers() for queue in worker.queues]
    for queue in sorted({*NEEDED_QUEUES, "gpu", *served}):
        workers.labels(queue).set(served.count(queue))
    judgments = Gauge("winnow_judgments_estimate", "Judgments kept, as PostgreSQL estimates", registry=registry)
    judgments.set(_estimated_rows(Judgment._meta.db_table))
    return generate_latest(registry)


def _estimated_rows(table: str) -> int:
    """Counting a large table would make the probe the load it measures."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = %s", [table])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
