"""Signals as a shard writes them: all of them, in one transaction, in place of what it wrote before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

# (comparison, main number in a/b orientation, fields)
SignalRow = tuple[int, float | None, dict[str, Any]]


def write_signals(*, run_id: int, rows: Iterable[SignalRow]) -> int:
    """Exactly one signal per run and comparison, however often a shard is done."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE incoming_signals (comparison_id bigint, value float8, fields jsonb) ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming_signals FROM STDIN") as copy:
            for comparison_id, value, fields in rows:
                copy.write_row((comparison_id, value, json.dumps(fields)))
        cursor.execute(
            "INSERT INTO curation_signal (run_id, comparison_id, value, fields)"
            " SELECT %s, comparison_id, value, fields FROM incoming_signals ORDER BY comparison_id"
            " ON CONFLICT (run_id, comparison_id) DO UPDATE SET value = excluded.value, fields = excluded.fields",
            [run_id],
        )
        written = int(cursor.rowcount)
        cursor.execute("DROP TABLE incoming_signals")
    return written
