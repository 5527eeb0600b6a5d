"""Figures over a whole project are kept for a minute, or until a run ends or somebody decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache
from django.db import connection

from accounts.models import Project

# People's answers come in all the time; the figures may be this many seconds behind them.
KEPT_SECONDS = 60
# From here on a page shows its rows first and fetches its figures after.
LARGE = 100_000

Figures = TypeVar("Figures")


def kept(project: Project, what: str, compute: Callable[[], Figures]) -> Figures:
    return cache.get_or_set(f"curation:{project.pk}:{_stamp(project)}:{what}", compute, KEPT_SECONDS)  # type: ignore[return-value]  # the stub says Any | None


def is_large(project: Project) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM corpus_comparison WHERE project_id = %s LIMIT %s) AS rows",
            [project.pk, LARGE],
        )
        return bool(cursor.fetchone()[0] == LARGE)


def _stamp(project: Project) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT max(id) FROM curation_decisionbatch WHERE project_id = %(project)s),
                   (SELECT extract(epoch FROM max(undone_at)) FROM curation_decisionbatch
                    WHERE project_id = %(project)s),
                   (SELECT extract(epoch FROM max(finished_at)) FROM ledger_run WHERE project_id = %(project)s)
            """,
            {"project": project.pk},
        )
        return "-".join(str(part) for part in cursor.fetchone())
