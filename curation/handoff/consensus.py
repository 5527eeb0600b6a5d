"""A fitted consensus as a run writes it: in one transaction, in place of what the method said before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction

# (comparison, label -3..3 or None, both bad, confidence 0..1, votes, effective votes, posterior of each answer)
ConsensusRow = tuple[int, int | None, bool, float, int, float, Mapping[str, float]]
# (annotator, value, low, high, votes, details); the numbers are None where nothing can be said
ReliabilityRow = tuple[int, float | None, float | None, float | None, int, Mapping[str, Any]]
MOST_VOTES = 32767


def write_consensus(
    *, campaign_id: int, method: str, rows: Iterable[ConsensusRow], reliabilities: Iterable[ReliabilityRow]
) -> int:
    """How many comparisons have a row now; one that has no votes any more has none."""
    names: dict[str, Any] = {"campaign": campaign_id, "method": method}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INCOMING_CONSENSUS)
        with cursor.copy("COPY incoming_consensus FROM STDIN") as copy:
            for comparison, label, is_both_bad, confidence, votes, effective, posterior in rows:
                held = json.dumps({answer: round(share, 6) for answer, share in posterior.items() if share >= 5e-7})
                copy.write_row((comparison, label, is_both_bad, confidence, min(votes, MOST_VOTES), effective, held))
        cursor.execute(UPSERT_CONSENSUS, names)
        written = int(cursor.rowcount)
        cursor.execute(DELETE_STALE_CONSENSUS, names)
        cursor.execute("DROP TABLE incoming_consensus")
        _write_reliabilities(cursor, names, reliabilities)
    return written


def _write_reliabilities(cursor: Any, names: Mapping[str, Any], rows: Iterable[ReliabilityRow]) -> None:
    cursor.execute(INCOMING_RELIABILITIES)
    with cursor.copy("COPY incoming_reliabilities FROM STDIN") as copy:
        for annotator, value, low, high, n, details in rows:
            copy.write_row((annotator, value, low, high, n, json.dumps(details)))
    cursor.execute(UPSERT_RELIABILITIES, names)
    cursor.execute(DELETE_STALE_RELIABILITIES, names)
    cursor.execute("DROP TABLE incoming_reliabilities")


INCOMING_CONSENSUS = """
    CREATE TEMP TABLE incoming_consensus (
        comparison_id bigint, label int2, is_both_bad boolean, confidence float8, votes int2, effective_votes float8,
        posterior jsonb
    ) ON COMMIT DROP
"""
UPSERT_CONSENSUS = """
    INSERT INTO annotation_consensus (campaign_id, comparison_id, method, label, is_both_bad, confidence, votes,
                                      effective_votes, posterior, updated_at)
    SELECT %(campaign)s, comparison_id, %(method)s, label, is_both_bad, confidence, votes, effective_votes, posterior,
           now()
      FROM incoming_consensus ORDER BY comparison_id
        ON CONFLICT (campaign_id, comparison_id, method) DO UPDATE
       SET label = excluded.label, is_both_bad = excluded.is_both_bad, confidence = excluded.confidence,
           votes = excluded.votes, effective_votes = excluded.effective_votes, posterior = excluded.posterior,
           updated_at = excluded.updated_at
"""
DELETE_STALE_CONSENSUS = """
    DELETE FROM annotation_consensus held
     WHERE campaign_id = %(campaign)s AND method = %(method)s
       AND NOT EXISTS (SELECT 1 FROM incoming_consensus i WHERE i.comparison_id = held.comparison_id)
"""
INCOMING_RELIABILITIES = """
    CREATE TEMP TABLE incoming_reliabilities (
        annotator_id bigint, value float8, low float8, high float8, n integer, details jsonb
    ) ON COMMIT DROP
"""
UPSERT_RELIABILITIES = """
    INSERT INTO annotation_annotatorreliability (campaign_id, annotator_id, method, value, low, high, n, details,
                                                 updated_at)
    SELECT %(campaign)s, annotator_id, %(method)s, value, low, high, n, details, now()
      FROM incoming_reliabilities ORDER BY annotator_id
        ON CONFLICT (campaign_id, annotator_id, method) DO UPDATE
       SET value = excluded.value, low = excluded.low, high = excluded.high, n = excluded.n, details = excluded.details,
           updated_at = excluded.updated_at
"""
DELETE_STALE_RELIABILITIES = """
    DELETE FROM annotation_annotatorreliability held
     WHERE campaign_id = %(campaign)s AND method = %(method)s
       AND NOT EXISTS (SELECT 1 FROM incoming_reliabilities i WHERE i.annotator_id = held.annotator_id)
"""
