"""What people say together, after an answer and for a whole campaign: the majority always, and the method in force."""

from __future__ import annotations

from datetime import datetime

from annotation.consensus import majority, three_most_similar
from annotation.models import Campaign


def refresh(*, campaign: Campaign, comparison_id: int, now: datetime) -> None:
    """After an answer; the caller holds the lock of the task. Fitted methods wait for their next run."""
    majority.refresh_comparison(campaign_id=campaign.id, comparison_id=comparison_id, now=now)
    if campaign.consensus_method == three_most_similar.METHOD:
        three_most_similar.refresh_similar_comparison(campaign_id=campaign.id, comparison_id=comparison_id, now=now)


def refresh_campaign(*, campaign: Campaign, method: str) -> int:
    """Computes a method that needs no worker anew; how many comparisons it speaks of."""
    if method == three_most_similar.METHOD:
        return three_most_similar.refresh_similar(campaign_id=campaign.id)
    return majority.refresh_majority(campaign_id=campaign.id)
