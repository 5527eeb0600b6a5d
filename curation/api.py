"""Comparisons and decisions over the API; methods, recipes and releases join in from their own files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts.access import caller_of
from accounts.paging import DEFAULT_LIMIT, Limit
from curation import audits_api, methods_api, model_servers_api, recipes_api, releases_api, wordings_api
from curation.access import batch_for, comparison_for, curated_project, readable_project
from curation.decide import decide, undo
from curation.models import Decision, DecisionBatch
from curation.queries import Order, Row, page_of, rows_of
from curation.row_filter import RowFilter

router = Router(tags=["curation"])


class PromptOut(Schema):
    id: int
    messages: list[dict[str, Any]]


class ResponseOut(Schema):
    id: int
    content: str


class ConsensusOut(Schema):
    label: int | None
    method: str | None
    votes: int
    # How many of them are no person's: annotators that the sample or a benchmark made up.
    simulated_votes: int
    confidence: float | None
    both_bad: bool
    # Of each answer that got a share: a, tie, b, both_bad.
    posterior: dict[str, float]
    # How many votes of equal weight would say as much; null where the method weighs none.
    effective_votes: float | None


class DecisionOut(Schema):
    """Who decided is a person (`author`) or a recipe with its rule."""

    id: int
    batch: int
    action: str
    label: int | None
    soften_to: float | None
    reason: str
    author: str | None
    recipe: str | None
    rule: str | None
    at: datetime


class ComparisonOut(Schema):
    id: int
    external_id: str
    source: str
    row_number: int
    prompt: PromptOut
    response_a: ResponseOut
    response_b: ResponseOut
    label: int | None
    imported_labels: list[int]
    contradicted: bool
    consensus: ConsensusOut | None
    signals: dict[str, dict[str, Any]]
    decision: DecisionOut | None
    metadata: dict[str, Any]


class ComparisonPage(Schema):
    items: list[ComparisonOut]
    next: str | None


class DecisionsIn(Schema):
    comparison_ids: list[int] = Field(min_length=1, max_length=100_000)
    action: str
    reason: str = Field("", max_length=2000)
    label: int | None = None
    soften_to: float | None = None


class BatchOut(Schema):
    id: int
    action: str | None
    comparisons: int
    reason: str
    author: str | None
    at: datetime
    undone_at: datetime | None


@router.get("/projects/{slug}/comparisons", response=ComparisonPage)
def list_comparisons(
    request: HttpRequest,
    slug: str,
    rows: Query[RowFilter],
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    order: Order = "id",
) -> ComparisonPage:
    """Rows with everything that is believed of them. Strengths and shares are toward the label in force."""
    project = readable_project(request, slug)
    page = page_of(project, rows, order=order, cursor=cursor, limit=limit)
    return ComparisonPage(items=[_comparison_out(row) for row in page.rows], next=page.next)


@router.get("/comparisons/{comparison_id}", response=ComparisonOut)
def get_comparison(request: HttpRequest, comparison_id: int) -> ComparisonOut:
    comparison = comparison_for(caller_of(request), comparison_id)
    return _comparison_out(rows_of(comparison.project, [comparison.pk])[0])


@router.post("/projects/{slug}/decisions", response={201: BatchOut})
def post_decisions(request: HttpRequest, slug: str, payload: DecisionsIn) -> Status[BatchOut]:
    """Decide by hand: all of these comparisons, or none. A hand outranks every recipe."""
    project = curated_project(request, slug)
    batch = decide(project=project, author=caller_of(request).user, **payload.dict())
    return Status(201, _batch_out(batch))


@router.post("/decisions/{batch_id}/undo", response=BatchOut)
def post_undo(request: HttpRequest, batch_id: int) -> BatchOut:
    """On each row of the batch the decision before it stands again; asking twice is harmless."""
    caller = caller_of(request)
    return _batch_out(undo(batch=batch_for(caller, batch_id), by=caller.user))


def _comparison_out(row: Row) -> ComparisonOut:
    comparison = row.comparison
    return ComparisonOut(
        id=comparison.pk,
        external_id=comparison.external_id,
        source=comparison.source.name,
        row_number=comparison.row_number,
        prompt=PromptOut(id=comparison.prompt_id, messages=comparison.prompt.messages),
        response_a=ResponseOut(id=comparison.response_a_id, content=comparison.response_a.content),
        response_b=ResponseOut(id=comparison.response_b_id, content=comparison.response_b.content),
        label=row.label,
        imported_labels=comparison.labels,
        contradicted=comparison.is_contradicted,
        consensus=ConsensusOut(**vars(row.consensus)) if row.consensus else None,
        signals={method: dict(fields) for method, fields in row.signals.items()},
        decision=_decision_out(row.decision) if row.decision else None,
        metadata=comparison.metadata,
    )


def _decision_out(decision: Decision) -> DecisionOut:
    batch = decision.batch
    return DecisionOut(
        id=decision.pk,
        batch=batch.pk,
        action=decision.action,
        label=decision.label,
        soften_to=decision.soften_to,
        reason=batch.reason or decision.rule,
        author=batch.author.email if decision.is_by_hand and batch.author else None,
        recipe=f"{batch.recipe.name} v{batch.recipe.version}" if batch.recipe else None,
        rule=decision.rule or None,
        at=batch.created_at,
    )


def _batch_out(batch: DecisionBatch) -> BatchOut:
    first = batch.decisions.values_list("action", flat=True).first()
    return BatchOut(
        id=batch.pk,
        action=first,
        comparisons=batch.decisions.count(),
        reason=batch.reason,
        author=batch.author.email if batch.author else None,
        at=batch.created_at,
        undone_at=batch.undone_at,
    )


for _part in (audits_api, methods_api, model_servers_api, recipes_api, releases_api, wordings_api):
    router.add_router("", _part.router)
