"""Whether the database has today's tables, and making it so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from winnow.embedded.binaries import ServerFailed
from winnow.environment import Environment

# Any number that nobody else uses for an advisory lock in this database.
MIGRATING = 0x77696E6E6F77


class NotMigrated(ServerFailed):
    """A database that we do not own lags behind this code."""


def prepare_for_use(env: Environment, *, say: Callable[[str], None]) -> None:
    """Migrate what nobody else looks after: the embedded cluster, and any database that is empty yet."""
    executor = MigrationExecutor(connection)
    if not _lags(executor):
        return
    if not env.uses_embedded_postgres and executor.loader.applied_migrations:
        raise NotMigrated("The database is older than this Winnow: back it up, then run `python manage.py migrate`.")
    migrate(say=say)


def migrate(*, say: Callable[[str], None]) -> None:
    with _alone():
        if _lags(MigrationExecutor(connection)):
            say("Preparing the database (migrate) ...")
            call_command("migrate", interactive=False, verbosity=0)


def _lags(executor: MigrationExecutor) -> bool:
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> Iterator[None]:
    """Two commands may be the first at the same time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
