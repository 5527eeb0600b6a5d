"""Which consensus method is in force: what people said together is read by it everywhere."""

from __future__ import annotations

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.problems import Conflict, Invalid
from annotation.consensus.refresh import refresh_campaign
from annotation.models import Campaign, Consensus

DEFAULT_METHOD = "majority"
# Computed at once, and with every answer.
PLAIN = {"majority": "Majority", "three_most_similar": "Three most similar"}
# Fitted to all votes by a worker.
FITTED = {"dawid_skene": "Dawid-Skene", "mace": "MACE", "glad": "GLAD", "bradley_terry": "Bradley-Terry"}
METHODS = {**PLAIN, **FITTED}


class UnknownConsensusMethod(Invalid):
    code = "unknown_consensus_method"


class NotFitted(Conflict):
    code = "not_fitted"


def change_consensus_method(*, campaign: Campaign, method: str, by: User | None) -> Campaign:
    """Puts the method in force; a fitted one must have been fitted, so that no comparison loses its answer."""
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise UnknownConsensusMethod("There is no such method.", {"consensus_method": f"must be one of: {known}"})
    change = {"from": campaign.consensus_method, "to": method}
    with transaction.atomic():
        if method in PLAIN:
            refresh_campaign(campaign=campaign, method=method)
        elif not Consensus.objects.filter(campaign=campaign, method=method).exists():
            raise NotFitted(
                f"{METHODS[method]} has not been fitted to the votes of {campaign.name}; fit it first.",
                {"consensus_method": "has not been fitted yet"},
            )
        campaign.consensus_method = method
        campaign.save(update_fields=["consensus_method"])
        record(actor=by, project=campaign.project, action="change consensus", subject=campaign, details=change)
        if method in PLAIN:
            # Once more, for answers that came in meanwhile and knew only of the method before.
            transaction.on_commit(lambda: refresh_campaign(campaign=campaign, method=method))
    return campaign
