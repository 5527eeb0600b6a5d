"""Several changes of a campaign at once: all of them, or none."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.problems import Invalid
from annotation.campaigns.consensus_method import change_consensus_method
from annotation.campaigns.create import NameTaken, extend_overlap, set_state
from annotation.campaigns.guidelines import change_guidelines
from annotation.campaigns.invite import set_invited_only
from annotation.campaigns.ordering import change_reorder_every
from annotation.campaigns.stop_rule import change_stop_rule
from annotation.models import Campaign, CampaignState
from annotation.quality.settings import checked_quality
from annotation.rubrics.of_campaign import change_rubric


class InvalidName(Invalid):
    code = "invalid_name"


def change_campaign(*, campaign: Campaign, by: User | None, changes: dict[str, Any]) -> Campaign:
    """By field, as the API names them; a field that is left out or null stays, but for `stop_rule`: null ends it."""
    with transaction.atomic():
        if changes.get("name") is not None:
            rename(campaign=campaign, name=changes["name"], by=by)
        if "stop_rule" in changes:
            change_stop_rule(campaign=campaign, stop_rule=changes["stop_rule"], by=by)
        if changes.get("overlap") is not None:
            extend_overlap(campaign=campaign, overlap=changes["overlap"], by=by)
        if changes.get("guidelines") is not None:
            change_guidelines(campaign=campaign, text=changes["guidelines"], by=by)
        if changes.get("rubric_version") is not None:
            change_rubric(campaign=campaign, version=changes["rubric_version"], by=by)
        if changes.get("quality") is not None:
            change_quality(campaign=campaign, quality=changes["quality"], by=by)
        if changes.get("is_invited_only") is not None:
            set_invited_only(campaign=campaign, is_invited_only=changes["is_invited_only"], by=by)
        if changes.get("reorder_every") is not None:
            change_reorder_every(campaign=campaign, reorder_every=changes["reorder_every"], by=by)
        if changes.get("consensus_method") is not None:
            change_consensus_method(campaign=campaign, method=changes["consensus_method"], by=by)
        if changes.get("state") is not None:
            set_state(campaign=campaign, state=CampaignState(changes["state"]), by=by)
    return campaign


def rename(*, campaign: Campaign, name: str, by: User | None) -> Campaign:
    name = name.strip()
    if not 1 <= len(name) <= 120 or "\0" in name:
        raise InvalidName("This name cannot be used.", {"name": "must have 1 to 120 characters"})
    if Campaign.objects.filter(project=campaign.project_id, name=name).exclude(id=campaign.id).exists():
        raise NameTaken(f"There is a campaign {name!r} in this project already.", {"name": "is taken"})
    change = {"from": campaign.name, "to": name}
    with transaction.atomic():
        campaign.name = name
        campaign.save(update_fields=["name"])
        record(actor=by, project=campaign.project, action="rename campaign", subject=campaign, details=change)
    return campaign


def change_quality(*, campaign: Campaign, quality: dict[str, Any], by: User | None) -> Campaign:
    """How training, qualification, gold and quiet repeats go from now on."""
    quality = checked_quality(quality)
    change = {"from": campaign.quality, "to": quality}
    with transaction.atomic():
        campaign.quality = quality
        campaign.save(update_fields=["quality"])
        record(actor=by, project=campaign.project, action="change quality", subject=campaign, details=change)
    return campaign
