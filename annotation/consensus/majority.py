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

from annotation.statements import first_row

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


def refresh_majority(*, campaign_id: int, now: datetime | None = None) -> int:
    """Recomputes the whole campaign in one statement; how many rows were written."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH_CAMPAIGN, {"campaign": campaign_id, "now": now or timezone.now()})
        return int(cursor.rowcount)


def refresh_comparison(*, campaign_id: int, comparison_id: int, now: datetime) -> None:
    """The caller holds the lock of the task, so that of two simultaneous votes the second sees the first."""
    first_row(_REFRESH_COMPARISON, {"campaign": campaign_id, "comparison": comparison_id, "now": now})


_REFRESH = """
INSERT INTO annotation_consensus AS held
    (campaign_id, comparison_id, method, label, is_both_bad, confidence, votes, posterior, updated_at)
SELECT %(campaign)s::bigint, comparison_id, 'majority',
       CASE WHEN leaders > 1 THEN NULL WHEN a = most THEN strength_a WHEN b = most THEN strength_b
            WHEN tie = most THEN 0 END,
       leaders = 1 AND both_bad = most,
       most::float8 / total, total,
       jsonb_strip_nulls(jsonb_build_object(
           'a', round(nullif(a, 0)::numeric / total, 6), 'tie', round(nullif(tie, 0)::numeric / total, 6),
           'b', round(nullif(b, 0)::numeric / total, 6), 'both_bad', round(nullif(both_bad, 0)::numeric / total, 6))),
       %(now)s::timestamptz
FROM (
    SELECT *, (a = most)::int + (b = most)::int + (tie = most)::int + (both_bad = most)::int AS leaders
    FROM (
        SELECT *, greatest(a, b, tie, both_bad) AS most
        FROM (
            SELECT comparison_id, count(*) AS total,
                   count(*) FILTER (WHERE choice < 0) AS a, count(*) FILTER (WHERE choice > 0) AS b,
                   count(*) FILTER (WHERE choice = 0) AS tie, count(*) FILTER (WHERE is_both_bad) AS both_bad,
                   round(avg(choice) FILTER (WHERE choice < 0)) AS strength_a,
                   round(avg(choice) FILTER (WHERE choice > 0)) AS strength_b
            FROM annotation_judgment
            WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
                  AND comparison_id IS NOT NULL AND (is_both_bad OR choice IS NOT NULL) {where}
            GROUP BY comparison_id
        ) AS counted
    ) AS ranked
) AS decided
ON CONFLICT (campaign_id, comparison_id, method) DO UPDATE
    SET label = excluded.label, is_both_bad = excluded.is_both_bad, confidence = excluded.confidence,
        votes = excluded.votes, posterior = excluded.posterior, updated_at = excluded.updated_at
    -- Votes never become fewer: a refresh of the campaign that began before the newest one leaves its row alone.
    WHERE held.votes <= excluded.votes
"""
_REFRESH_CAMPAIGN = _REFRESH.format(where="")
_REFRESH_COMPARISON = _REFRESH.format(where="AND comparison_id = %(comparison)s") + "RETURNING 1"
