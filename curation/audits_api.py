"""Audits over the API: draw a sample, answer it blind, read the bound; and how noisy the labels are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from accounts.models import Scope
from accounts.paging import DEFAULT_LIMIT, Limit, last_id, page
from curation import probes_api
from curation.access import audit_for, curated_project, owned_project, readable_project
from curation.audits.answer import answer_item, cancel_audit, finish_audit, undo_answer
from curation.audits.claim_asked import Claimed
from curation.audits.claims import claim_of_audit, claim_words
from curation.audits.draw import BANDS, PER_BAND, CannotAudit, Sampling, draw_labels, draw_rule
from curation.audits.noise import noise_of
from curation.audits.policy import policy_of, set_policy, threshold
from curation.audits.queries import Asked, audits_of, next_asked, progress_of, state_of
from curation.models import Audit, Question
from curation.recipes import newest_recipe

router = Router(tags=["audits"])
router.add_router("", probes_api.router)


class AuditIn(Schema):
    """A rule of a kept recipe; without both, a sample of all labelled rows."""

    recipe: str | None = None
    rule: str | None = None
    per_band: int = PER_BAND
    bands: int = BANDS
    seed: int = 0


class AuditOut(Schema):
    """`findings` is empty until the audit is finished: it shows nothing of its answers before."""

    id: int
    recipe: str | None
    recipe_version: int | None
    rule: str | None
    action: str | None
    # label: is it wrong? given: is the one that the rule gives right? claim: does what the rule says of the text hold?
    # That is in `claim`, in words.
    question: Question
    claim: str | None
    # open, cancelled, audited, not shown; measured where no rule was asked about.
    state: str
    threshold: float | None
    seed: int
    population: int
    size: int
    answered: int
    bands: list[dict[str, Any]]
    findings: dict[str, Any]
    runs: dict[str, int | None]
    created_at: datetime
    finished_at: datetime | None


class AuditPage(Schema):
    items: list[AuditOut]
    next: str | None


class AskedResponse(Schema):
    # Name it as the answer if it is the better one; it says nothing of the label.
    answer: Literal["a", "b"]
    content: str


class AskedOut(Schema):
    position: int
    prompt: list[dict[str, Any]]
    responses: list[AskedResponse]


class TextsOut(Schema):
    prompt: list[dict[str, Any]]
    # In the order of those asked about.
    responses: list[str]


class OtherOut(TextsOut):
    comparison: int


class BenchmarkOut(Schema):
    """The text is null where the benchmark was a file on the worker's machine."""

    name: str
    text: str | None


class ClaimAskedOut(TextsOut):
    """Does `claim` hold? Beside it what it speaks of, if anything."""

    position: int
    claim: str
    other: OtherOut | None
    benchmarks: list[BenchmarkOut]


class AnswerIn(Schema):
    """a, b, tie or unsure to a pair; yes, no or unsure to a claim."""

    position: int = Field(ge=0)
    answer: Literal["a", "b", "tie", "yes", "no", "unsure"]


class PolicyIn(Schema):
    unaudited: Literal["mark", "review", "refuse"]
    drop_threshold: float = 0.35
    # What P(holds) of a drop that claims something of the text has to exceed; left out, it stays.
    claim_threshold: float | None = None


class RateOut(Schema):
    """Null with a reason where nothing can be said."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str
    simulated: int


class NoiseOut(Schema):
    """Wrong labels by a blind sample; wrong single votes and wrong imported labels by the votes' disagreement."""

    sampled: RateOut
    votes: RateOut
    labels: RateOut
    audit_id: int | None


@router.get("/projects/{slug}/audits", response=AuditPage)
def list_audits(request: HttpRequest, slug: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> AuditPage:
    """Newest first."""
    rows = audits_of(readable_project(request, slug)).select_related("project", "recipe")
    if cursor is not None:
        rows = rows.filter(pk__lt=last_id(cursor))
    shown, following = page(rows[: limit + 1], limit=limit, position=lambda audit: {"id": audit.pk})
    return AuditPage(items=[audit_out(audit) for audit in shown], next=following)


@router.post("/projects/{slug}/audits", response={201: AuditOut})
def post_audit(request: HttpRequest, slug: str, payload: AuditIn) -> Status[AuditOut]:
    """Draw a sample; its size and seed are fixed from now on."""
    project = curated_project(request, slug)
    sampling = Sampling(payload.per_band, payload.bands, payload.seed)
    by = caller_of(request).user
    if payload.recipe is None and payload.rule is None:
        return Status(201, audit_out(draw_labels(project=project, sampling=sampling, by=by)))
    if payload.recipe is None or payload.rule is None:
        raise CannotAudit("Name a recipe and one of its rules, or neither.", fields={"rule": "with recipe only"})
    recipe = newest_recipe(project, payload.recipe)
    return Status(201, audit_out(draw_rule(recipe=recipe, rule=payload.rule, sampling=sampling, by=by)))


@router.get("/audits/{audit_id}", response=AuditOut)
def get_audit(request: HttpRequest, audit_id: int) -> AuditOut:
    return audit_out(audit_for(caller_of(request), audit_id))


@router.get("/audits/{audit_id}/next", response={200: ClaimAskedOut | AskedOut, 204: None})
def get_next(request: HttpRequest, audit_id: int) -> Status[Any]:
    """The next pair without its label or anybody's votes; 204 when all are answered."""
    asked = next_asked(audit_for(caller_of(request), audit_id, scope=Scope.CURATE))
    if asked is None:
        return Status(204, None)
    if asked.claimed is not None:
        return Status(200, _claim_out(asked, asked.claimed))
    sides = [{"answer": asked.first_is, "content": asked.first.content}]
    sides.append({"answer": asked.second_is, "content": asked.second.content})
    return Status(200, {"position": asked.position, "prompt": asked.prompt.messages, "responses": sides})


@router.post("/audits/{audit_id}/answers", response={201: AuditOut})
def post_answer(request: HttpRequest, audit_id: int, payload: AnswerIn) -> Status[AuditOut]:
    audit = audit_for(caller_of(request), audit_id, scope=Scope.CURATE)
    answer_item(audit=audit, position=payload.position, answer=payload.answer, by=caller_of(request).user)
    return Status(201, audit_out(audit))


@router.post("/audits/{audit_id}/undo", response=AuditOut)
def post_undo(request: HttpRequest, audit_id: int) -> AuditOut:
    """Take back your last answer."""
    audit = audit_for(caller_of(request), audit_id, scope=Scope.CURATE)
    undo_answer(audit=audit, by=caller_of(request).user)
    return audit_out(audit)


@router.post("/audits/{audit_id}/finish", response=AuditOut)
def post_finish(request: HttpRequest, audit_id: int) -> AuditOut:
    """Once all are answered: work out the bound. The answers stay as they are from now on."""
    audit = audit_for(caller_of(request), audit_id, scope=Scope.CURATE)
    finish_audit(audit=audit, by=caller_of(request).user)
    return audit_out(audit_for(caller_of(request), audit_id))


@router.post("/audits/{audit_id}/cancel", response=AuditOut)
def post_cancel(request: HttpRequest, audit_id: int) -> AuditOut:
    audit = audit_for(caller_of(request), audit_id, scope=Scope.CURATE)
    cancel_audit(audit=audit, by=caller_of(request).user)
    return audit_out(audit_for(caller_of(request), audit_id))


@router.get("/projects/{slug}/audit-policy", response=PolicyIn)
def get_policy(request: HttpRequest, slug: str) -> PolicyIn:
    policy = policy_of(readable_project(request, slug))
    names = ("unaudited", "drop_threshold", "claim_threshold")
    return PolicyIn.model_validate({name: getattr(policy, name) for name in names})


@router.put("/projects/{slug}/audit-policy", response=PolicyIn, exclude_unset=True)
def put_policy(request: HttpRequest, slug: str, payload: PolicyIn) -> PolicyIn:
    """For owners: what becomes of rules that flip or drop on an opinion that no audit bears out."""
    project = owned_project(request, slug)
    set_policy(
        project=project,
        unaudited=payload.unaudited,
        drop_threshold=payload.drop_threshold,
        claim_threshold=payload.claim_threshold,
        by=caller_of(request).user,
    )
    return payload


@router.get("/projects/{slug}/noise", response=NoiseOut)
def get_noise(request: HttpRequest, slug: str) -> NoiseOut:
    return NoiseOut.model_validate(noise_of(readable_project(request, slug)).as_document())


def _claim_out(asked: Asked, claimed: Claimed) -> dict[str, Any]:
    other = claimed.other
    return {
        "position": asked.position,
        "claim": claimed.words,
        "prompt": asked.prompt.messages,
        "responses": [asked.first.content, asked.second.content],
        "other": other
        and {"comparison": other.number, "prompt": other.prompt.messages, "responses": [other.first, other.second]},
        "benchmarks": [{"name": each.name, "text": each.text} for each in claimed.benchmarks],
    }


def audit_out(audit: Audit) -> AuditOut:
    progress = progress_of(audit)
    return AuditOut(
        id=audit.pk,
        recipe=audit.recipe.name if audit.recipe else None,
        recipe_version=audit.recipe.version if audit.recipe else None,
        rule=audit.rule or None,
        action=audit.action or None,
        question=Question(audit.question),
        claim=claim_words(claim_of_audit(audit)) or None,
        state=state_of(audit),
        threshold=threshold(policy_of(audit.project), audit.action, audit.question) if audit.rule_key else None,
        seed=audit.seed,
        population=audit.population,
        size=progress.size,
        answered=progress.answered,
        bands=audit.bands,
        findings=audit.findings,
        runs=audit.runs,
        created_at=audit.created_at,
        finished_at=audit.finished_at,
    )
