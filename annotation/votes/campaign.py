"""The closed campaign that imported votes belong to."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from annotation.kinds._base import kind_named, settings_with_defaults
from annotation.models import Campaign, CampaignState
from annotation.votes.shapes import shapes

PRESET = "imported"
KIND = "pairwise"


class BadCampaignName(Invalid):
    code = "invalid_campaign"


class WorkedOn(Conflict):
    """Votes of people here and of a file are never mixed without anybody noticing."""

    code = "campaign_is_worked_on"


def check_name(name: str) -> None:
    if not name.strip() or len(name) > 120 or "\0" in name:
        raise BadCampaignName("A campaign needs a name.", {"campaign": "must have 1 to 120 characters"})


def refuse_other_than_imported(project: Project, name: str) -> None:
    if Campaign.objects.filter(project=project, name=name.strip()).exclude(preset=PRESET).exists():
        message = f"People work in the campaign {name.strip()!r}; give the imported votes a campaign of their own."
        raise WorkedOn(message, {"campaign": "is one that people work in"})


def imported_campaign(*, project: Project, name: str, shape: str, by: User | None) -> Campaign:
    """The one of an earlier import of this name, or a new one without tasks."""
    check_name(name)
    refuse_other_than_imported(project, name)
    found = Campaign.objects.filter(project=project, name=name.strip()).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            made = Campaign.objects.create(
                project=project,
                name=name.strip(),
                kind=KIND,
                preset=PRESET,
                settings=settings_told_by(shape),
                state=CampaignState.CLOSED,
                created_by=by,
            )
            record(actor=by, project=project, action="import votes", subject=made, details={"name": made.name})
    except IntegrityError:
        # Somebody made it at the same moment.
        return imported_campaign(project=project, name=name, shape=shape, by=by)
    return made


def settings_told_by(shape: str) -> dict[str, Any]:
    """`order_known` is false as soon as one vote came without the order in which its author saw the sides."""
    return {**settings_with_defaults(kind_named(KIND), shapes()[shape].SETTINGS), "order_known": True}
