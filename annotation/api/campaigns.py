"""Campaigns: made, looked at, changed, and put in another order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from annotation.access import campaign_for
from annotation.campaigns.add_tasks import ORDERS, extend_with_new_rows
from annotation.campaigns.change import change_campaign
from annotation.campaigns.create import create_campaign
from annotation.campaigns.decided import decided_of
from annotation.campaigns.ordering import request_order
from annotation.campaigns.prioritise import MAX_NAMED, reprioritise
from annotation.campaigns.queries import campaigns_of, people_count, work_in
from annotation.models import Campaign, CampaignState

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
    # The file name of a preset, which gives what is left out here.
    preset: str = ""
    # Training, qualification, gold and quiet repeats.
    quality: dict[str, Any] | None = None
    # {"max": judgments at most, "until": posterior}: one more only while undecided.
    stop_rule: dict[str, Any] | None = None
    consensus_method: str | None = None
    is_invited_only: bool = False
    # imported, shuffled (by `seed`) or shortest first
    order: str = ORDERS[0]
    seed: int = Field(default=0, ge=0, lt=2**31)
    lease_seconds: int = 900


class CampaignChange(Schema):
    """What is left out stays; `stop_rule: null` takes the rule away."""

    name: str | None = None
    state: CampaignState | None = None
    overlap: int | None = None
    guidelines: str | None = None
    consensus_method: str | None = None
    quality: dict[str, Any] | None = None
    stop_rule: dict[str, Any] | None = None
    is_invited_only: bool | None = None
    # After so many judgments a fresh run orders the open tasks by where a minute is worth most; 0 = never.
    reorder_every: int | None = None
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


class CampaignProgress(CampaignOut):
    """For those who run it: annotators are not told of gold."""

    preset: str
    quality: dict[str, Any]
    stop_rule: dict[str, Any] | None
    is_invited_only: bool
    # Judgments that are in, and those that are asked for in all.
    judged: int
    wanted: int
    # Of those judged, by simulated annotators and by those of imported files.
    simulated: int
    imported: int
    # Comparisons with votes, by the method in force; adjudicated ones are decided.
    decided: int
    undecided: int
    adjudicated: int
    # How many have judged.
    people: int
    reorder_every: int
    # When the order of its tasks was set last, and by which run; null for a person.
    reordered_at: datetime | None
    order_run: int | None


class OrderingRun(Schema):
    # For GET /runs/ID.
    run: int


class PrioritiesIn(Schema):
    """One of comparisons, source, undecided and shuffled says which open tasks."""

    comparisons: list[Annotated[int, Field(ge=1, lt=2**63)]] | None = Field(default=None, max_length=MAX_NAMED)
    source: str | None = None
    undecided: bool = False
    # A seed; gives every open task a priority by chance.
    shuffled: int | None = Field(default=None, ge=0, lt=2**31)
    # Higher comes first; all tasks begin with 0.
    priority: int = 0


class ChangedTasks(Schema):
    tasks: int


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


@router.get("/campaigns/{campaign_id}", response=CampaignProgress)
def read(request: HttpRequest, campaign_id: int) -> CampaignProgress:
    """Its settings and how far it is; the counts of a large campaign may be a minute old."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    work, decided = work_in(campaign, caller.user), decided_of(campaign)
    return CampaignProgress(
        **_campaign_out(campaign).dict(),
        preset=campaign.preset,
        quality=campaign.quality,
        stop_rule=campaign.stop_rule,
        is_invited_only=campaign.is_invited_only,
        judged=work.judged,
        wanted=work.wanted,
        simulated=work.simulated,
        imported=work.imported,
        decided=decided.decided,
        undecided=decided.undecided,
        adjudicated=decided.adjudicated,
        people=people_count(campaign),
        reorder_every=campaign.reorder_every,
        reordered_at=campaign.reordered_at,
        order_run=campaign.order_run_id,
    )


@router.patch("/campaigns/{campaign_id}", response=CampaignOut)
def change(request: HttpRequest, campaign_id: int, body: CampaignChange) -> CampaignOut:
    """All of the changes, or none."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    changes = body.dict(exclude_unset=True)
    return _campaign_out(change_campaign(campaign=campaign, by=caller.user, changes=changes))


@router.post("/campaigns/{campaign_id}/priorities", response=ChangedTasks)
def change_priorities(request: HttpRequest, campaign_id: int, body: PrioritiesIn) -> ChangedTasks:
    """What is asked first, from the next claim on; tasks that are full are left alone."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    return ChangedTasks(tasks=reprioritise(campaign=campaign, by=caller.user, **body.dict()))


@router.post("/campaigns/{campaign_id}/order", response={202: OrderingRun})
def order(request: HttpRequest, campaign_id: int) -> Status[OrderingRun]:
    """Starts the run that orders the open tasks by where a minute is worth most, or names the one under way."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    return Status(202, OrderingRun(run=request_order(campaign=campaign, requested_by=caller.user).pk))


@router.post("/campaigns/{campaign_id}/extend", response=ChangedTasks)
def extend(request: HttpRequest, campaign_id: int) -> ChangedTasks:
    """Tasks for what its sources have gained since it was made."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    return ChangedTasks(tasks=extend_with_new_rows(campaign=campaign, by=caller.user))


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
