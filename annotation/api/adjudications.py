"""What a curator decides where the votes leave it open."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from accounts.models import Role, Scope
from accounts.paging import DEFAULT_LIMIT, Limit, last_id, page
from annotation.access import campaign_for
from annotation.consensus.adjudicate import adjudicate, adjudications_of, take_back
from annotation.models import Adjudication

router = Router(tags=["campaigns"])


class AdjudicationIn(Schema):
    comparison: int = Field(ge=1, lt=2**63)
    # -3..3, negative = response_a better; or both_bad.
    label: int | None = None
    both_bad: bool = False
    reason: str = ""
    # Takes the standing decision back, so that the votes speak for themselves again.
    take_back: bool = False


class AdjudicationOut(Schema):
    id: int
    comparison: int
    label: int | None
    both_bad: bool
    is_taken_back: bool
    reason: str
    # A number, not a name: who it is stands on the pages.
    decided_by: int
    decided_at: datetime


class AdjudicationList(Schema):
    items: list[AdjudicationOut]
    next: str | None = None


@router.post("/campaigns/{campaign_id}/adjudications", response={201: AdjudicationOut})
def decide(request: HttpRequest, campaign_id: int, body: AdjudicationIn) -> Status[AdjudicationOut]:
    """In force at once, whatever consensus method the campaign uses; the same again changes nothing."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    if body.take_back:
        return Status(201, _out(take_back(campaign=campaign, comparison_id=body.comparison, by=caller.user)))
    made = adjudicate(
        campaign=campaign,
        comparison_id=body.comparison,
        by=caller.user,
        label=body.label,
        is_both_bad=body.both_bad,
        reason=body.reason,
    )
    return Status(201, _out(made))


@router.get("/campaigns/{campaign_id}/adjudications", response=AdjudicationList)
def list_adjudications(
    request: HttpRequest,
    campaign_id: int,
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> AdjudicationList:
    """All that was ever decided, newest first; of a comparison the newest stands."""
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    rows = adjudications_of(campaign, before=last_id(cursor) if cursor else None)
    shown, following = page(rows[: limit + 1], limit=limit, position=lambda row: {"id": row.pk})
    return AdjudicationList(items=[_out(row) for row in shown], next=following)


def _out(made: Adjudication) -> AdjudicationOut:
    return AdjudicationOut(
        id=made.pk,
        comparison=made.comparison_id,
        label=made.label,
        both_bad=made.is_both_bad,
        is_taken_back=made.is_taken_back,
        reason=made.reason,
        decided_by=made.decided_by_id,
        decided_at=made.decided_at,
    )
