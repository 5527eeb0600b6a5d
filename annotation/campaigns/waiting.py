"""The queue of adjudication: comparisons whose votes are in and leave the answer open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from annotation.campaigns.freshness import kept
from annotation.consensus.asked_in import joined_task
from annotation.models import Campaign

# How many of a large campaign are looked up at once, for the next minute.
LOOKED_UP = 500


@dataclass(frozen=True)
class Queue:
    """Most votes first; `skipped` are left out, and what is decided meanwhile is left out at once."""

    comparisons: list[int]
    # How many there are in all, those skipped included; of a large campaign it may be a minute old.
    left: int

    @property
    def first(self) -> int | None:
        return self.comparisons[0] if self.comparisons else None


def waiting(campaign: Campaign, *, under: float | None = None, after: int | None = None) -> Queue:
    """Without an answer by the method in force, or with a posterior `under` that of its answer.

    `after` is a comparison of the queue that was skipped: it begins behind that one.
    """
    names = {"campaign": campaign.pk, "method": campaign.consensus_method, "under": under, "limit": LOOKED_UP}
    key = f"{campaign.pk}:{campaign.consensus_method}:{under}:waiting"
    listed, total = kept(key, campaign.task_count, lambda: _listed(campaign, names))
    decided = _adjudicated(campaign, listed)
    still = [number for number in listed if number not in decided]
    if not still and total > len(listed):
        listed, total = _listed(campaign, names)
        still = listed
    left = total - (len(listed) - len(still))
    if after in still:
        still = still[still.index(after) + 1 :]
    return Queue(still, left)


def _listed(campaign: Campaign, names: dict[str, Any]) -> tuple[list[int], int]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING.format(task=joined_task(campaign)), names)
        rows = cursor.fetchall()
    return [row[0] for row in rows], (rows[0][1] if rows else 0)


def _adjudicated(campaign: Campaign, comparisons: list[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_ADJUDICATED, {"campaign": campaign.pk, "comparisons": comparisons})
        return {row[0] for row in cursor.fetchall()}


_WAITING = """
SELECT k.comparison_id, count(*) OVER ()
FROM annotation_consensus k
{task}
WHERE k.campaign_id = %(campaign)s AND k.method = %(method)s AND t.judged >= t.cap AND t.cap > 0
  AND ((k.label IS NULL AND NOT k.is_both_bad) OR k.confidence < %(under)s::float8)
  AND NOT EXISTS (SELECT 1 FROM annotation_consensus j WHERE j.campaign_id = k.campaign_id
                  AND j.comparison_id = k.comparison_id AND j.method = 'adjudicated')
ORDER BY k.votes DESC, k.comparison_id
LIMIT %(limit)s
"""
_ADJUDICATED = """
SELECT comparison_id FROM annotation_consensus
WHERE campaign_id = %(campaign)s AND method = 'adjudicated' AND comparison_id = ANY(%(comparisons)s)
"""
