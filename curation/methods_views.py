"""The pages of methods: which one to use, what it costs here, and starting it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import caller_of, role_in
from accounts.models import Project
from accounts.problems import NotFound
from curation.access import curated_project, readable_project
from curation.method_cost import cost_of
from curation.method_docs import sections_of
from curation.method_form import fields_of, texts_in
from curation.models import Signal
from curation.parameters import InvalidParameters, from_texts
from curation.run_examples import answers_of, examples_of
from curation.runs import start_method
from curation.standing import newest_runs
from ledger import catalogue
from ledger.access import run_for


@login_required
@require_GET
def methods(request: HttpRequest, slug: str) -> HttpResponse:
    """Which method should I use?"""
    project = readable_project(request, slug)
    newest = newest_runs(project)
    rows = [(entry, _summary(entry.card.documentation), newest.get(entry.method)) for entry in catalogue.catalogue()]
    return render(request, "curation/methods.html", _context(request, project, rows=rows))


@login_required
@require_http_methods(["GET", "POST"])
def method(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What does it do, what does it cost here, and go."""
    project = curated_project(request, slug) if request.method == "POST" else readable_project(request, slug)
    entry = catalogue.entry(name)
    if entry is None:
        raise NotFound(f"No worker has published a method {name!r}.")
    fields = fields_of(entry.card.parameters)
    if request.method == "POST":
        params = from_texts(entry.card.parameters, texts_in(entry.card.parameters, request.POST.dict()))
        try:
            run = start_method(project=project, method=name, params=params, requested_by=caller_of(request).user)
            return redirect("ledger:run", project.slug, run.pk)
        except InvalidParameters as wrong:
            fields = fields_of(entry.card.parameters, values=params, errors=wrong.fields)
    context = _context(request, project, **_about(project, entry), fields=fields)
    return render(request, "curation/method.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_GET
def examples(request: HttpRequest, slug: str, run_id: int) -> HttpResponse:
    """A few rows that a run found, for its page."""
    run = run_for(caller_of(request), run_id)
    if run.project.slug != slug:
        raise NotFound(f"There is no run {run_id} in this project.")
    has_signals = Signal.objects.filter(run=run).exists()
    shown = {"groups": examples_of(run), "answers": answers_of(run), "has_signals": has_signals}
    context = _context(request, run.project, run=run, **shown)
    return render(request, "curation/_run_examples.html", context)


def _about(project: Project, entry: catalogue.Entry) -> dict[str, Any]:
    return {
        "entry": entry,
        "cost": cost_of(project, entry),
        "newest": newest_runs(project).get(entry.method),
        "sections": sections_of(entry.card.documentation),
    }


def _summary(documentation: str) -> str:
    return documentation.strip().splitlines()[0] if documentation.strip() else ""


def _context(request: HttpRequest, project: Project, **more: Any) -> dict[str, Any]:
    return {"project": project, "role": role_in(caller_of(request).user, project), **more}
