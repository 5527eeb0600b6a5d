"""Votes from elsewhere in, raw votes out."""

from __future__ import annotations

from itertools import islice
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import caller_of
from accounts.models import Role, Scope
from accounts.problems import NotFound, Problem
from annotation.models import Judgment
from annotation.views._page import HtmxRequest, campaign_of, context
from annotation.votes.export import COLUMNS, TEXT_COLUMNS
from annotation.votes.forms import VotesForm
from annotation.votes.ingest import METHOD
from annotation.votes.request import start_votes_import
from annotation.votes.shapes import shapes
from corpus.access import import_for, project_to_fill
from corpus.uploads import refuse_announced_size
from ledger.models import FINISHED_STATES, Run, RunKind
from ledger.queries import progress_of, runs_of, waiting_for

REJECTS_SHOWN = 50
RECENT = 5


@login_required
@require_http_methods(["GET", "POST"])
def votes_import(request: HttpRequest, slug: str) -> HttpResponse:
    """Posting files of a known shape starts a run; of no known shape, they come back with the reason."""
    caller = caller_of(request)
    project = project_to_fill(caller, slug)
    refuse_announced_size(request)
    form = VotesForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            run = start_votes_import(
                project=project, by=caller.user, uploads=form.cleaned_data["file"], options=form.options()
            )
        except Problem as problem:
            form.take(problem)
        else:
            return redirect("annotation:campaign_votes_run", slug, run.pk)
    recent = runs_of(project, kind=RunKind.IMPORT).filter(method=METHOD)[:RECENT]
    page = context(request, project, form=form, shapes=shapes().items(), recent=recent)
    return render(request, "annotation/votes_import.html", page, status=422 if form.errors else 200)


@login_required
@require_GET
def votes_run(request: HtmxRequest, slug: str, run_id: int) -> HttpResponse:
    """What came in, and what did not?"""
    run = import_for(caller_of(request), run_id, slug)
    if run.method != METHOD:
        raise NotFound(f"There is no import of votes {run_id} in {slug}.")
    template = "annotation/_votes_run.html" if request.htmx else "annotation/votes_run.html"
    return render(request, template, context(request, run.project, **_told(run)))


@login_required
@require_GET
def campaign_votes(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """How do I get what people said?"""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    given = Judgment.objects.filter(campaign=held)
    page = context(
        request,
        held.project,
        campaign=held,
        standing=given.filter(superseded_by__isnull=True).count(),
        replaced=given.filter(superseded_by__isnull=False).count(),
        columns=COLUMNS,
        text_columns=TEXT_COLUMNS,
        address=request.build_absolute_uri(f"/api/v1/campaigns/{held.pk}/votes"),
    )
    return render(request, "annotation/campaign_votes.html", page)


def _told(run: Run) -> dict[str, Any]:
    is_over = run.state in FINISHED_STATES
    return {
        "run": run,
        "is_over": is_over,
        "progress": progress_of(run),
        "waiting_for": waiting_for(run),
        "rejects": _first_rejects(run) if is_over else [],
        "rejects_shown": REJECTS_SHOWN,
    }


def _first_rejects(run: Run) -> list[dict[str, Any]]:
    stored = f"imports/{run.pk}/rejects.jsonl"
    if not default_storage.exists(stored):
        return []
    with default_storage.open(stored) as lines:
        return [orjson.loads(line) for line in islice(lines, REJECTS_SHOWN)]
