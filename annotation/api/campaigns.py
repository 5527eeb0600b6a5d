"""Campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from annotation.access import campaign_for
from annotation.campaigns.create import create_campaign, extend_overlap, set_state
from annotation.campaigns.queries import campaigns_of
from annotation.models import Campaign, CampaignState
from annotation.rubrics.of_campaign import change_rubric

router = Router(tags=["campaigns"])


class CampaignIn(Schema):
    name: str
    kind: str | None = None
    # comparison, prompt or response; left out, what the kind judges by default.
    unit: str | None = None
    overlap: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    # For kind rubric: the name of a rubric of the project, or its criteria; also taken from settings.rubric.
    rubric: Any = None
    # Names of sources; empty = all of the project.
    sources: list[str] = Field(default_factory=list)
    guidelines: str | None = None
    lease_seconds: int = 900


class CampaignChange(Schema):
    state: CampaignState | None = None
    overlap: int | None = None
    # Another version of the campaign's rubric; answers under the old one are then refused as stale.
    rubric_version: int | None = None


class RubricName(Schema):
    id: int
    name: str
    version: int


class CampaignOut(Schema):
    id: int
    name: str
    kind: str
    unit: str
    settings: dict[str, Any]
    overlap: int
    lease_seconds: int
    state: str
    tasks: int
    guidelines_version: int | None
    rubric: RubricName | None = None
    consensus_method: str
    created_at: datetime


class CampaignList(Schema):
    items: list[CampaignOut]
    next: str | None = None


@router.post("/projects/{slug}/campaigns", response={201: CampaignOut})
def create(request: HttpRequest, slug: str, body: CampaignIn) -> Status[CampaignOut]:
    """An open campaign with a task per comparison."""
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)
    return Status(201, _campaign_out(create_campaign(project=project, created_by=caller.user, **body.dict())))


@router.get("/projects/{slug}/campaigns", response=CampaignList)
def list_campaigns(request: HttpRequest, slug: str) -> CampaignList:
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    return CampaignList(items=[_campaign_out(campaign) for campaign in campaigns_of(project)])


@router.patch("/campaigns/{campaign_id}", response=CampaignOut)
def change(request: HttpRequest, campaign_id: int, body: CampaignChange) -> CampaignOut:
    """Pause, open or close; ask for more judgments per comparison."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    if body.overlap is not None:
        extend_overlap(campaign=campaign, overlap=body.overlap, by=caller.user)
    if body.rubric_version is not None:
        change_rubric(campaign=campaign, version=body.rubric_version, by=caller.user)
    if body.state is not None:
        set_state(campaign=campaign, state=body.state, by=caller.user)
    return _campaign_out(campaign)


def _campaign_out(campaign: Campaign) -> CampaignOut:
    rubric = campaign.rubric
    return CampaignOut(
        id=campaign.id,
        name=campaign.name,
        kind=campaign.kind,
        unit=campaign.unit,
        settings=campaign.settings,
        overlap=campaign.overlap,
        lease_seconds=campaign.lease_seconds,
        state=campaign.state,
        tasks=campaign.task_count,
        guidelines_version=campaign.guidelines_version,
        rubric=RubricName(id=rubric.id, name=rubric.name, version=rubric.version) if rubric else None,
        consensus_method=campaign.consensus_method,
        created_at=campaign.created_at,
    )
