"""Upload, look at what would be read, confirm, watch; and where all rows came from."""

from __future__ import annotations

from itertools import islice
from typing import Any

import orjson
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import Caller, caller_of, role_in
from accounts.models import Project
from accounts.problems import Problem
from corpus import queries
from corpus.access import import_for, pending_for, project_to_fill, seal_pending, sources_for
from corpus.formats import formats
from corpus.forms import OptionsForm, UploadForm
from corpus.ingest import stored_file
from corpus.preview import preview
from corpus.uploads import keep_pending, refuse_announced_size, start_pending_import
from ledger.models import FINISHED_STATES, Run, RunKind
from ledger.queries import progress_of, runs_of, waiting_for

REJECTS_SHOWN = 50
RECENT = 5


@require_http_methods(["GET", "POST"])
def import_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Posting a file shows its first rows; nothing is imported yet."""
    caller = caller_of(request)
    project = project_to_fill(caller, slug)
    refuse_announced_size(request)
    if request.method == "GET":
        return _upload_page(request, caller, project, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _upload_page(request, caller, project, form, status=422)
    stored, name = keep_pending(form.cleaned_data["file"])
    try:
        shown = preview(stored_file(stored, name), form.options())
    except Problem as problem:
        default_storage.delete(stored)
        form.add_error("file", problem.message)
        return _upload_page(request, caller, project, form, status=422)
    context = {
        "preview": shown,
        "name": name,
        "sealed": seal_pending(caller, project, stored, name),
        "confirm": OptionsForm(request.POST),
        "size": form.cleaned_data["file"].size,
    }
    return render(request, "corpus/preview.html", _with(caller, project, context))


@require_POST
def import_confirm(request: HttpRequest, slug: str) -> HttpResponse:
    caller = caller_of(request)
    project = project_to_fill(caller, slug)
    form = OptionsForm(request.POST)
    stored, name = pending_for(caller, project, request.POST.get("upload", ""))
    if not form.is_valid():
        return _upload_page(request, caller, project, UploadForm(request.POST), status=422)
    run = start_pending_import(project=project, by=caller.user, pending=stored, name=name, options=form.options())
    return redirect("corpus:import_run", slug, run.id)


@require_GET
def import_run(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    caller = caller_of(request)
    run = import_for(caller, run_id, slug)
    template = "corpus/_import_run.html" if request.headers.get("HX-Request") else "corpus/import_run.html"
    return render(request, template, _with(caller, run.project, _told(run)))


@require_GET
def sources(request: HttpRequest, slug: str) -> HttpResponse:
    caller = caller_of(request)
    project = sources_for(caller, slug)
    rows = queries.sources_of(project)
    context = {"sources": rows, "total": sum(row.labels.rows for row in rows)}
    return render(request, "corpus/sources.html", _with(caller, project, context))


def _upload_page(
    request: HttpRequest, caller: Caller, project: Project, form: UploadForm, status: int = 200
) -> HttpResponse:
    recent = runs_of(project, kind=RunKind.IMPORT)[:RECENT]
    context = {"form": form, "formats": formats().items(), "recent": recent}
    return render(request, "corpus/import.html", _with(caller, project, context), status=status)


def _with(caller: Caller, project: Project, context: dict[str, Any]) -> dict[str, Any]:
    return {"project": project, "role": role_in(caller.user, project), **context}


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
    stored = f"imports/{run.id}/rejects.jsonl"
    if not default_storage.exists(stored):
        return []
    with default_storage.open(stored) as lines:
        return [orjson.loads(line) for line in islice(lines, REJECTS_SHOWN)]
