"""Scores as a shard writes them: all of them, in one transaction, in place of what it wrote before."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction

# (response, name of the score, value)
ScoreRow = tuple[int, str, float]


def write_scores(*, run_id: int, rows: Iterable[ScoreRow]) -> int:
    """Exactly one score per run, response and name; a response of two comparisons may come twice."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE incoming_scores (response_id bigint, name text, value float8) ON COMMIT DROP")
        with cursor.copy("COPY incoming_scores FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            "INSERT INTO curation_score (run_id, response_id, name, value)"
            " SELECT DISTINCT ON (response_id, name) %s, response_id, name, value FROM incoming_scores"
            " ORDER BY response_id, name"
            " ON CONFLICT (run_id, response_id, name) DO UPDATE SET value = excluded.value",
            [run_id],
        )
        written = int(cursor.rowcount)
        cursor.execute("DROP TABLE incoming_scores")
    return written
