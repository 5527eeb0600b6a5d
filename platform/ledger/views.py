"""The pages of runs: is it working, and what did it find?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of, project_for, role_in
from accounts.models import Role, Scope
from accounts.problems import Conflict, NotFound
from ledger import catalogue, queries
from ledger.access import run_for
from ledger.models import FINISHED_STATES, Run, State
from ledger.runs import request_cancel, resume_run

RUNS_ON_A_PAGE = 50


@login_required
@require_GET
def runs(request: HttpRequest, slug: str) -> HttpResponse:
    """What runs, what ran, what failed; the list renews itself while something is unfinished."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    state, cursor = request.GET.get("state", ""), request.GET.get("cursor")
    wanted = queries.runs_of(project, states=[state] if state in State.values else None)
    found, following = queries.page_of_runs(wanted, cursor=cursor, limit=RUNS_ON_A_PAGE)
    context = {
        "project": project,
        "role": role_in(caller_of(request).user, project),
        "rows": [(run, queries.progress_of(run), queries.waiting_for(run)) for run in found],
        "next": following,
        "state": state,
        "states": State.values,
        "is_moving": any(run.state not in FINISHED_STATES for run in found),
        "workers": list(catalogue.live_workers()),
    }
    return render(request, "ledger/_runs.html" if request.htmx else "ledger/runs.html", context)  # type: ignore[attr-defined]  # set by django-htmx


@login_required
@require_GET
def run(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    found = _run(request, slug, run_id, scope=Scope.READ)
    template = "ledger/_run.html" if request.htmx else "ledger/run.html"  # type: ignore[attr-defined]  # set by django-htmx
    return render(request, template, _run_context(request, found))


@login_required
@require_POST
def cancel(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    found = _run(request, slug, run_id, scope=Scope.CURATE)
    try:
        request_cancel(run=found, by=caller_of(request).user)
    except Conflict as problem:
        messages.warning(request, problem.message)
    return redirect("ledger:run", slug, run_id)


@login_required
@require_POST
def resume(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    found = _run(request, slug, run_id, scope=Scope.CURATE)
    try:
        resume_run(run=found, by=caller_of(request).user)
    except Conflict as problem:
        messages.warning(request, problem.message)
    return redirect("ledger:run", slug, run_id)


def _run(request: HttpRequest, slug: str, run_id: int, *, scope: Scope) -> Run:
    found = run_for(caller_of(request), run_id, scope=scope)
    if found.project.slug != slug:
        raise NotFound(f"There is no run {run_id} in this project.")
    return found


def _run_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    return {
        "project": run.project,
        "role": role_in(caller_of(request).user, run.project),
        "run": run,
        "progress": queries.progress_of(run),
        "waiting_for": queries.waiting_for(run),
        "shards": queries.shard_strip(run),
        "is_moving": run.state not in FINISHED_STATES,
        "result_templates": [f"ledger/results/{run.method}.html", "ledger/results/_any.html"],
    }
