"""The order in which a run would ask people, as the priorities of a campaign's open tasks."""

from __future__ import annotations

from collections.abc import Sequence

from annotation.campaigns.prioritise import prioritise_by_run
from annotation.models import Campaign, Unit
from curation.handoff.votes import WhichCampaign, campaign_to_read
from ledger.models import Run


def campaign_to_order(run: Run, campaign_id: int) -> Campaign:
    """A sentence where there is no such campaign, or one whose tasks are no comparisons."""
    campaign = campaign_to_read(run.project, campaign_id)
    if campaign.unit != Unit.COMPARISON:
        raise WhichCampaign(f"{campaign.name} asks about a {campaign.unit} at a time, so comparisons cannot order it.")
    return campaign


def write_order(run: Run, campaign_id: int, comparisons: Sequence[int]) -> int:
    """In the transaction that marks the run's last piece done, so that neither comes without the other; how many open
    tasks have another place now."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(project=run.project_id, pk=campaign_id)
    return prioritise_by_run(campaign=campaign, run=run, ordered=comparisons)
