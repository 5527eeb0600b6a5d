"""Runs over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from accounts.paging import DEFAULT_LIMIT, Limit
from ledger import queries
from ledger.access import run_for
from ledger.models import Run
from ledger.runs import request_cancel, resume_run

router = Router(tags=["runs"])


class ProgressOut(Schema):
    done: int
    total: int | None
    fraction: float | None
    stage: str
    rate: float | None
    eta_seconds: float | None


class RunOut(Schema):
    id: int
    project: str
    state: str
    kind: str
    method: str
    queue: str
    params: dict[str, Any]
    progress: ProgressOut
    result: dict[str, Any]
    error: str
    waiting_for: str
    is_cancel_requested: bool
    code_version: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunPage(Schema):
    items: list[RunOut]
    next: str | None


def run_out(run: Run) -> RunOut:
    return RunOut(
        id=run.id,
        project=run.project.slug,
        state=run.state,
        kind=run.kind,
        method=run.method,
        queue=run.queue,
        params=run.params,
        progress=ProgressOut(**vars(queries.progress_of(run))),
        result=run.result,
        error=run.error,
        waiting_for=queries.waiting_for(run),
        is_cancel_requested=run.cancel_requested_at is not None,
        code_version=run.code_version,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


@router.get("/runs/{run_id}", response=RunOut)
def get_run(request: HttpRequest, run_id: int) -> RunOut:
    return run_out(run_for(caller_of(request), run_id))


@router.get("/projects/{slug}/runs", response=RunPage)
def list_runs(
    request: HttpRequest,
    slug: str,
    cursor: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    state: str = "",
    kind: str = "",
) -> RunPage:
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    runs = queries.runs_of(project, states=[state] if state else None, kind=kind)
    found, following = queries.page_of_runs(runs, cursor=cursor, limit=limit)
    return RunPage(items=[run_out(run) for run in found], next=following)


@router.post("/runs/{run_id}/cancel", response=RunOut)
def cancel_run(request: HttpRequest, run_id: int) -> RunOut:
    caller = caller_of(request)
    run = run_for(caller, run_id, scope=Scope.CURATE)
    return run_out(request_cancel(run=run, by=caller.user))


@router.post("/runs/{run_id}/resume", response=RunOut)
def post_resume(request: HttpRequest, run_id: int) -> RunOut:
    caller = caller_of(request)
    run = run_for(caller, run_id, scope=Scope.CURATE)
    return run_out(resume_run(run=run, by=caller.user))
