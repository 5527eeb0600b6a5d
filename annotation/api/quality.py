"""Known answers, and the people of a campaign."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from accounts.models import Role, Scope, User
from accounts.problems import NotFound
from annotation.access import campaign_for, gold_in
from annotation.models import Campaign, Purpose
from annotation.quality.gold import mark_gold, unmark_gold
from annotation.quality.known_from import LEAST_VOTES, mark_own_judgments, mark_unanimous
from annotation.quality.participants import let_in, send_away, start_over
from annotation.quality.queries import GoldRow, SeatRow, all_marked, gold_list, seat_rows
from annotation.quality.reassign import reassign
from ledger.shares import Share

router = Router(tags=["quality"])
MOST_LISTED = 10_000


class ShareOut(Schema):
    right: int
    n: int
    # 95 %, by Wilson; null without answers.
    low: float | None
    high: float | None


class GoldOut(Schema):
    id: int
    phase: str
    comparison: int | None
    prompt: int | None
    responses: list[int]
    expected: dict[str, Any]
    explanation: str
    answers: ShareOut


class GoldPage(Schema):
    """The surest misses first."""

    items: list[GoldOut]
    next: str | None = None


class GoldIn(Schema):
    """A list of known answers, or where to take them from."""

    # [{"comparison" | "prompt" | "response": ID, "expected": {...}, "explanation"?, "phase"?}]
    items: list[Any] = Field(default_factory=list)
    source: Literal["list", "judgments", "consensus"] = "list"
    phase: Literal["gold", "training", "qualification"] = "gold"
    limit: int = Field(default=1000, ge=1, le=MOST_LISTED)
    # Of a consensus: how many people at least, all of one opinion.
    least_votes: int = Field(default=LEAST_VOTES, ge=1)


class Marked(Schema):
    marked: int


class ParticipantOut(Schema):
    person: int
    name: str
    state: str
    training: ShareOut
    # {"right", "n", "threshold", "low", "high", "decided_at"}; empty before the end of the round.
    qualification: dict[str, Any]
    gold: ShareOut
    reserved: int


class ParticipantPage(Schema):
    items: list[ParticipantOut]
    next: str | None = None


class ParticipantAct(Schema):
    act: Literal["let_in", "start_over", "remove"]


class ReassignIn(Schema):
    to: int
    # Assignments under which others hold items, or tasks by number.
    assignments: list[int] = Field(default_factory=list, max_length=1000)
    tasks: list[int] = Field(default_factory=list, max_length=1000)


class Reassigned(Schema):
    reassigned: int


@router.get("/campaigns/{campaign_id}/gold", response=GoldPage)
def list_gold(request: HttpRequest, campaign_id: int) -> GoldPage:
    """Known answers, and how often people gave them."""
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    rows = gold_list(campaign, all_marked(campaign), limit=MOST_LISTED).rows
    return GoldPage(items=[_gold_out(row) for row in rows])


@router.post("/campaigns/{campaign_id}/gold", response={201: Marked})
def add_gold(request: HttpRequest, campaign_id: int, body: GoldIn) -> Status[Marked]:
    """All of them or none; marking again changes the answer. Their items are not given out as work any more."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    return Status(201, Marked(marked=_mark(campaign, body, caller.user)))


@router.delete("/campaigns/{campaign_id}/gold/{gold_id}", response={204: None})
def remove_gold(request: HttpRequest, campaign_id: int, gold_id: int) -> Status[None]:
    """The item is work again."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    unmark_gold(gold=gold_in(campaign, gold_id), by=caller.user)
    return Status(204, None)


@router.get("/campaigns/{campaign_id}/participants", response=ParticipantPage)
def list_participants(request: HttpRequest, campaign_id: int) -> ParticipantPage:
    """Who takes part, how far they are, and how they do on what has a known answer."""
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    rows = seat_rows(campaign, all_marked(campaign), limit=MOST_LISTED)
    return ParticipantPage(items=[_participant_out(row) for row in rows])


@router.post("/campaigns/{campaign_id}/participants/{person_id}", response=ParticipantOut)
def act_on_participant(request: HttpRequest, campaign_id: int, person_id: int, body: ParticipantAct) -> ParticipantOut:
    """Let in whatever the rounds said, start over, or remove."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    person = _member(campaign, person_id)
    act = {"let_in": let_in, "start_over": start_over, "remove": send_away}[body.act]
    act(campaign=campaign, person=person, by=caller.user)
    rows = seat_rows(campaign, all_marked(campaign), limit=MOST_LISTED)
    return next(_participant_out(row) for row in rows if row.person.annotator_id == person.pk)


@router.post("/campaigns/{campaign_id}/reassign", response=Reassigned)
def reassign_items(request: HttpRequest, campaign_id: int, body: ReassignIn) -> Reassigned:
    """Gives held items back and puts them first for somebody else; others may still claim them before."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    to = _member(campaign, body.to)
    count = reassign(campaign=campaign, to=to, by=caller.user, assignments=body.assignments, tasks=body.tasks)
    return Reassigned(reassigned=count)


def _mark(campaign: Campaign, body: GoldIn, by: User) -> int:
    phase = Purpose(body.phase)
    if body.source == "judgments":
        return mark_own_judgments(campaign=campaign, phase=phase, by=by, limit=body.limit)
    if body.source == "consensus":
        return mark_unanimous(campaign=campaign, phase=phase, by=by, limit=body.limit, least_votes=body.least_votes)
    items = [{"phase": phase.value, **one} if isinstance(one, dict) else one for one in body.items]
    return len(mark_gold(campaign=campaign, items=items, by=by))


def _member(campaign: Campaign, person_id: int) -> User:
    found = User.objects.filter(id=person_id, memberships__project=campaign.project).first()
    if found is None:
        raise NotFound(f"Nobody with the number {person_id} is a member of {campaign.project.slug}.")
    return found


def _gold_out(row: GoldRow) -> GoldOut:
    task = row.gold.task
    sides = [task.comparison.response_a_id, task.comparison.response_b_id] if task.comparison else task.response_ids
    return GoldOut(
        id=row.gold.pk,
        phase=row.gold.phase,
        comparison=task.comparison_id,
        prompt=task.prompt_id,
        responses=sides or [],
        expected=row.gold.expected,
        explanation=row.gold.explanation,
        answers=_share_out(row.share),
    )


def _participant_out(row: SeatRow) -> ParticipantOut:
    return ParticipantOut(
        person=row.person.annotator_id,
        name=str(row.person.annotator),
        state=row.person.state,
        training=_share_out(row.training),
        qualification=row.person.qualification,
        gold=_share_out(row.gold),
        reserved=len(row.person.queue),
    )


def _share_out(share: Share) -> ShareOut:
    low, high = share.interval or (None, None)
    return ShareOut(right=share.hits, n=share.n, low=low, high=high)
