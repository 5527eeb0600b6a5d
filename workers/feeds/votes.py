"""All votes of one campaign at once; what people said together and how reliable each of them is come back."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotation.models import Campaign
from curation.handoff.consensus import write_consensus
from curation.handoff.votes import campaign_to_read, count_votes, read_votes
from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.feeds._base import WrongOutcome
from workers.feeds.people import named
from workers.methods._base import Ballot, Method, Outcome


def drafts(run: Run, method: Method, params: Any) -> list[Draft]:
    """One piece: `params` name the campaign and what consensus method the verdicts will be those of."""
    campaign = campaign_to_read(run.project, params.campaign)
    scope = {"campaign": campaign.pk, "method": params.model}
    return [Draft(stage=1, scope=scope, items=count_votes(campaign))]


def read(run: Run, shard: Shard) -> Ballot:
    rows = read_votes(Campaign.objects.get(project=run.project, pk=shard.scope["campaign"]))
    return Ballot(**vars(rows))


def check(method: Method, records: Ballot, outcome: Outcome) -> None:
    said = [verdict.comparison_id for verdict in outcome.verdicts]
    asked = np.unique(records.comparison)
    if said != asked.tolist():
        raise WrongOutcome(f"{method.LABEL} gave {len(said)} verdicts for {len(asked)} comparisons.")


def write(run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]:
    write_consensus(
        campaign_id=shard.scope["campaign"],
        method=shard.scope["method"],
        rows=(
            (v.comparison_id, v.label, v.is_both_bad, v.confidence, v.votes, v.effective_votes, v.posterior)
            for v in outcome.verdicts
        ),
        reliabilities=((r.annotator_id, r.value, r.low, r.high, r.n, r.details) for r in outcome.reliabilities),
    )
    campaign = Campaign.objects.get(pk=shard.scope["campaign"])
    people = named(outcome.result.get("people", []))
    return outcome.result | {"campaign": {"id": campaign.pk, "name": campaign.name}, "people": people}


def about(params: Any) -> dict[str, Any]:
    return {}
