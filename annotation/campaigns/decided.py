"""What the votes have decided, and what waits for a curator."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from annotation.campaigns.freshness import kept
from annotation.consensus.asked_in import joined_task
from annotation.models import Campaign


@dataclass(frozen=True)
class Decided:
    """Comparisons with votes, by the consensus method in force; what a curator adjudicated counts as decided."""

    with_votes: int
    decided: int
    adjudicated: int
    # Undecided ones whose votes are all in.
    waiting: int
    votes: int
    # Mean per comparison over those where the method weighs votes; None where it does not.
    effective_votes: float | None
    n_effective: int

    @property
    def undecided(self) -> int:
        return self.with_votes - self.decided

    @property
    def votes_each(self) -> float | None:
        return self.votes / self.with_votes if self.with_votes else None


def decided_of(campaign: Campaign) -> Decided:
    key = f"{campaign.pk}:{campaign.consensus_method}:decided"
    return kept(key, campaign.task_count, lambda: _decided(campaign))


def _decided(campaign: Campaign) -> Decided:
    with connection.cursor() as cursor:
        cursor.execute(
            _DECIDED.format(task=joined_task(campaign)), {"campaign": campaign.pk, "method": campaign.consensus_method}
        )
        return Decided(*cursor.fetchone())


_DECIDED = """
SELECT count(*), count(*) FILTER (WHERE is_decided OR is_adjudicated), count(*) FILTER (WHERE is_adjudicated),
       count(*) FILTER (WHERE NOT is_decided AND NOT is_adjudicated AND is_full),
       coalesce(sum(votes), 0), avg(effective_votes), count(effective_votes)
FROM (
    SELECT k.votes, k.effective_votes, k.label IS NOT NULL OR k.is_both_bad AS is_decided,
           j.id IS NOT NULL AS is_adjudicated, t.judged >= t.cap AND t.cap > 0 AS is_full
    FROM annotation_consensus k
    {task}
    LEFT JOIN annotation_consensus j ON j.campaign_id = k.campaign_id AND j.comparison_id = k.comparison_id
          AND j.method = 'adjudicated'
    WHERE k.campaign_id = %(campaign)s AND k.method = %(method)s
) AS held
"""
