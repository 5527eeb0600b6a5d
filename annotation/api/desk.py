"""Claims and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from ninja import Body, Router, Schema, Status

from accounts.access import caller_of
from accounts.models import Role, Scope
from annotation.access import assignment_for, campaign_for, judgment_for
from annotation.desk.assign import claim, heartbeat, release, skip
from annotation.desk.draft import save_draft
from annotation.desk.flags import raise_flag
from annotation.desk.items import ClaimedItem, claimed_item, own_standing_judgment
from annotation.desk.judge import revise, submit
from annotation.desk.presentation import shown_item
from annotation.desk.rendering import rendered
from annotation.desk.unskip import take_skip_back
from annotation.models import Campaign, Unit
from annotation.quality.feedback import Feedback

router = Router(tags=["desk"])

# Judged by the kind, whose fields no fixed schema can name.
JsonObject = Annotated[dict[str, Any], Body()]


class AssignmentOut(Schema):
    id: int
    expires_at: datetime
    # Response ids in the order to show.
    order: list[int]


class PromptOut(Schema):
    id: int
    messages: list[dict[str, Any]]


class ShownResponseOut(Schema):
    id: int
    content: str


class RubricOut(Schema):
    id: int
    version: int
    criteria: list[dict[str, Any]]


class ItemOut(Schema):
    """What is asked about, named by its unit; `responses` come in the order to show."""

    id: int
    unit: str
    prompt: PromptOut
    responses: list[ShownResponseOut]
    # The ids behind the signs of an answer: negative = response_a better, whatever the order.
    # None where no comparison is asked about.
    response_a: int | None
    response_b: int | None
    rubric: RubricOut | None = None
    draft: dict[str, Any] | None = None
    draft_saved_at: datetime | None = None


class ClaimOut(Schema):
    assignment: AssignmentOut
    item: ItemOut
    # The item as the annotation page shows it, when asked for with ?html=true.
    html: str | None = None


class JudgmentId(Schema):
    id: int


class FeedbackOut(Schema):
    """After an answer in training."""

    is_right: bool
    # In words, sides in the letters as shown, and as the document the curator wrote.
    expected: str
    expected_answer: dict[str, Any]
    explanation: str
    # As the annotation page shows it, when asked for with ?html=true.
    html: str | None = None


class RefusalOut(Schema):
    code: str
    message: str


class SubmittedOut(Schema):
    judgment: JudgmentId
    next: ClaimOut | None
    feedback: FeedbackOut | None = None
    # Why there is no next item, where it is not that nothing is left.
    refusal: RefusalOut | None = None


class RevisedOut(Schema):
    judgment: JudgmentId


class OwnAnswer(Schema):
    id: int
    payload: dict[str, Any]
    created_at: datetime


class OwnJudgmentOut(Schema):
    judgment: OwnAnswer
    claim: ClaimOut


class LeaseOut(Schema):
    expires_at: datetime


class ReleaseIn(Schema):
    # Release only if the lease still ends then: the caller may have claimed again meanwhile.
    expires_at: datetime | None = None


class SkipIn(Schema):
    reason: str = ""


class FlagIn(Schema):
    reason: str = ""
    note: str = ""


class FlagOut(Schema):
    id: int
    reason: str
    note: str


class DraftOut(Schema):
    ok: bool = True
    saved_at: datetime


class Done(Schema):
    ok: bool = True


@router.post("/campaigns/{campaign_id}/claim", response={200: ClaimOut, 204: None})
def claim_next(request: HttpRequest, campaign_id: int, html: bool = False) -> Status[ClaimOut | None]:
    """The live claim you hold, or the next open item; 204 when nothing is left for you."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.ANNOTATOR, scope=Scope.ANNOTATE)
    item = claim(campaign=campaign, annotator=caller.user)
    return Status(200, _claim_out(item, campaign, html)) if item else Status(204, None)


@router.post("/assignments/{assignment_id}/judgment", response={201: SubmittedOut})
def judge(request: HttpRequest, assignment_id: int, body: JsonObject, html: bool = False) -> HttpResponse:
    """Pairwise: {"choice": -3..3 | "both_bad", "reason"?, "seconds"?}; negative = response_a better."""
    assignment = assignment_for(caller_of(request), assignment_id)
    done = submit(assignment=assignment, active_seconds=body.pop("seconds", None), payload=body)
    following = _claim_out(done.next, assignment.campaign, html) if done.next else None
    reply = SubmittedOut(
        judgment=JudgmentId(id=done.judgment_id),
        next=following,
        feedback=_feedback_out(done.feedback, html) if done.feedback else None,
        refusal=RefusalOut(code=done.refusal.code, message=done.refusal.message) if done.refusal else None,
    )
    # Written at once: the framework would validate and copy it once more, on the busiest route of all.
    return HttpResponse(reply.model_dump_json(), content_type="application/json", status=201)


@router.post("/judgments/{judgment_id}/revise", response={201: RevisedOut})
def revise_judgment(request: HttpRequest, judgment_id: int, body: JsonObject) -> Status[RevisedOut]:
    """Puts a new answer in the place of your own old one; the old one is kept and named as replaced."""
    judgment = judgment_for(caller_of(request), judgment_id)
    new_id = revise(judgment=judgment, active_seconds=body.pop("seconds", None), payload=body)
    return Status(201, RevisedOut(judgment=JudgmentId(id=new_id)))


@router.get("/campaigns/{campaign_id}/mine", response={200: OwnJudgmentOut, 204: None})
def own_judgment(
    request: HttpRequest,
    campaign_id: int,
    before: int | None = None,
    after: int | None = None,
    judgment: int | None = None,
    html: bool = False,
) -> Status[OwnJudgmentOut | None]:
    """Your newest standing answer here, or the one before or after another; 204 at either end."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.ANNOTATOR, scope=Scope.READ)
    own = own_standing_judgment(campaign, caller.user, before=before, after=after, exactly=judgment)
    if own is None:
        return Status(204, None)
    answer = OwnAnswer(id=own.id, payload=own.payload, created_at=own.created_at)
    return Status(
        200,
        OwnJudgmentOut(
            judgment=answer, claim=_claim_out(claimed_item(own.assignment_id, Unit(campaign.unit), own), campaign, html)
        ),
    )


@router.put("/assignments/{assignment_id}/draft", response=DraftOut)
def draft(request: HttpRequest, assignment_id: int, body: JsonObject) -> DraftOut:
    kept = save_draft(assignment=assignment_for(caller_of(request), assignment_id), payload=body)
    return DraftOut(saved_at=kept.updated_at)


@router.post("/assignments/{assignment_id}/skip", response=Done)
def skip_item(request: HttpRequest, assignment_id: int, body: SkipIn | None = None) -> Done:
    skip(assignment=assignment_for(caller_of(request), assignment_id), reason=body.reason if body else "")
    return Done()


@router.post("/assignments/{assignment_id}/unskip", response=ClaimOut)
def unskip_item(request: HttpRequest, assignment_id: int, html: bool = False) -> ClaimOut:
    """Takes your skip back while there is a place for you; what you hold instead is given back."""
    assignment = assignment_for(caller_of(request), assignment_id)
    return _claim_out(take_skip_back(assignment=assignment), assignment.campaign, html)


@router.post("/assignments/{assignment_id}/flag", response={201: FlagOut})
def flag_item(request: HttpRequest, assignment_id: int, body: FlagIn) -> Status[FlagOut]:
    """Tells the curator something about this item, which you can still answer."""
    assignment = assignment_for(caller_of(request), assignment_id)
    flag = raise_flag(assignment=assignment, reason=body.reason, note=body.note)
    return Status(201, FlagOut(id=flag.id, reason=flag.reason, note=flag.note))


@router.post("/assignments/{assignment_id}/release", response=Done)
def release_item(request: HttpRequest, assignment_id: int, body: ReleaseIn | None = None) -> Done:
    assignment = assignment_for(caller_of(request), assignment_id)
    return Done(ok=release(assignment=assignment, held_until=body.expires_at if body else None))


@router.post("/assignments/{assignment_id}/heartbeat", response=LeaseOut)
def keep_item(request: HttpRequest, assignment_id: int) -> LeaseOut:
    return LeaseOut(expires_at=heartbeat(assignment=assignment_for(caller_of(request), assignment_id)))


def _claim_out(item: ClaimedItem, campaign: Campaign, html: bool) -> ClaimOut:
    return ClaimOut(
        assignment=AssignmentOut(id=item.assignment_id, expires_at=item.expires_at, order=item.order),
        item=ItemOut(
            id=item.item_id,
            unit=item.unit,
            prompt=PromptOut(id=item.prompt_id, messages=item.messages),
            responses=[ShownResponseOut(id=r.id, content=r.content) for r in item.responses],
            response_a=item.response_a_id,
            response_b=item.response_b_id,
            rubric=_rubric_out(campaign),
            draft=item.draft,
            draft_saved_at=item.draft_saved_at,
        ),
        html=render_to_string("annotation/_item.html", shown_item(item, campaign)) if html else None,
    )


def _feedback_out(feedback: Feedback, html: bool) -> FeedbackOut:
    shown = {"feedback": feedback, "explanation": rendered(feedback.explanation)}
    return FeedbackOut(
        is_right=feedback.is_right,
        expected=feedback.words,
        expected_answer=feedback.expected,
        explanation=feedback.explanation,
        html=render_to_string("annotation/_feedback.html", shown) if html else None,
    )


def _rubric_out(campaign: Campaign) -> RubricOut | None:
    rubric = campaign.rubric
    return RubricOut(id=rubric.id, version=rubric.version, criteria=rubric.criteria) if rubric else None
