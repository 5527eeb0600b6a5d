"""The majority of the human votes on a comparison.

Votes are counted by direction: response_a better, tie, response_b better, both bad. The direction with the most
votes wins, and the label is the rounded mean strength of its own votes (halves away from zero); two directions
with equally many votes leave it undecided, with no label.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection
from django.utils import timezone

METHOD = "majority"
BOTH_BAD = "both_bad"


@dataclass(frozen=True)
class Majority:
    # None when undecided or when both bad won.
    label: int | None
    is_both_bad: bool
    # Share of the votes behind the most frequent answer, 0..1.
    confidence: float
    votes: int


def majority(answers: list[int | str]) -> Majority:
    """The rule on one comparison's answers (-3..3 or "both_bad"); the SQL below does the same for many."""
    groups: dict[str, list[int | str]] = {}
    for answer in answers:
        groups.setdefault(direction(answer), []).append(answer)
    ranked = sorted(groups.values(), key=len, reverse=True)
    top = ranked[0]
    share = len(top) / len(answers)
    if len(ranked) > 1 and len(ranked[1]) == len(top):
        return Majority(None, False, share, len(answers))
    if top[0] == BOTH_BAD:
        return Majority(None, True, share, len(answers))
    mean = Decimal(sum(int(answer) for answer in top)) / len(top)
    return Majority(int(mean.quantize(Decimal(1), ROUND_HALF_UP)), False, share, len(answers))


def direction(answer: int | str) -> str:
    if isinstance(answer, str):
        return BOTH_BAD
    return "a" if answer < 0 else "b" if answer > 0 else "tie"


def refresh_majority(*, campaign_id: int, comparison_id: int | None = None, now: datetime | None = None) -> int:
    """Recomputes one comparison, or the whole campaign; how many rows were written.

    For one comparison the caller holds the lock of its task, so that of two simultaneous votes the second
    sees the first.
    """
    where = "AND comparison_id = %(comparison)s" if comparison_id is not None else ""
    names = {"campaign": campaign_id, "comparison": comparison_id, "now": now or timezone.now(), "method": METHOD}
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH.format(where=where), names)
        return int(cursor.rowcount)


_REFRESH = """
WITH counted AS (
    SELECT comparison_id, direction, count(*) AS votes, round(avg(choice)) AS strength
    FROM (
        SELECT comparison_id, choice,
               CASE WHEN is_both_bad THEN 'both_bad' WHEN choice < 0 THEN 'a' WHEN choice > 0 THEN 'b'
                    ELSE 'tie' END AS direction
        FROM annotation_judgment
        WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND (is_both_bad OR choice IS NOT NULL) {where}
    ) AS vote
    GROUP BY comparison_id, direction
), ranked AS (
    SELECT *, sum(votes) OVER item AS total, max(votes) OVER item AS most,
           jsonb_object_agg(direction, round(votes / sum_votes, 6)) OVER item AS posterior
    FROM (SELECT *, sum(votes) OVER (PARTITION BY comparison_id) AS sum_votes FROM counted) AS shared
    WINDOW item AS (PARTITION BY comparison_id)
), decided AS (
    SELECT comparison_id, total, most, posterior,
           count(*) = 1 AS is_clear, min(direction) AS winner, min(strength) AS strength
    FROM ranked WHERE votes = most
    GROUP BY comparison_id, total, most, posterior
)
INSERT INTO annotation_consensus AS held
    (campaign_id, comparison_id, method, label, is_both_bad, confidence, votes, posterior, updated_at)
SELECT %(campaign)s, comparison_id, %(method)s,
       CASE WHEN is_clear AND winner <> 'both_bad' THEN strength END,
       is_clear AND winner = 'both_bad', most::float8 / total, total, posterior, %(now)s
FROM decided
ON CONFLICT (campaign_id, comparison_id, method) DO UPDATE
    SET label = excluded.label, is_both_bad = excluded.is_both_bad, confidence = excluded.confidence,
        votes = excluded.votes, posterior = excluded.posterior, updated_at = excluded.updated_at
"""
