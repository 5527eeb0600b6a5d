"""The page of a recipe's gain: is it better than leaving the labels alone?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import caller_of
from accounts.problems import Problem
from curation.access import curated_project, frame_of, readable_project
from curation.gains import words
from curation.gains.pictures import ACTIONS, panels_of
from curation.gains.reports import (
    METHOD,
    document_of,
    last_failed,
    newest_report,
    older_signals,
    seconds_of,
    unfinished,
)
from curation.models import Recipe
from curation.recipes import newest_recipe, version_of
from curation.runs import start_method
from curation.standing import newest_runs
from ledger.models import Run
from ledger.queries import progress_of, waiting_for


@require_http_methods(["GET", "POST"])
def recipe_gain(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """The newest report of this version; POST measures it anew."""
    project = curated_project(request, slug) if request.method == "POST" else readable_project(request, slug)
    asked = request.POST.get("version") if request.method == "POST" else request.GET.get("version")
    recipe = version_of(newest_recipe(project, name), asked)
    if request.method == "POST":
        return _start(request, recipe)
    context = {**frame_of(request, project), **page_of(recipe)}
    is_part = request.htmx  # type: ignore[attr-defined]  # set by django-htmx
    return render(request, "curation/_gain.html" if is_part else "curation/gain.html", context)


def _start(request: HttpRequest, recipe: Recipe) -> HttpResponse:
    params = {"recipe": recipe.name, "version": recipe.version}
    try:
        if unfinished(recipe) is None:
            start_method(project=recipe.project, method=METHOD, params=params, requested_by=caller_of(request).user)
    except Problem as problem:
        messages.error(request, problem.message)
    address = reverse("curation:recipe_gain", args=[recipe.project.slug, recipe.name])
    return redirect(f"{address}?version={recipe.version}")


def page_of(recipe: Recipe) -> dict[str, Any]:
    """What is known, and what is under way."""
    report, moving = newest_report(recipe), unfinished(recipe)
    context: dict[str, Any] = {"recipe": recipe, "report": report, "moving": moving}
    if moving is not None:
        context |= {"progress": progress_of(moving), "waiting_for": waiting_for(moving)}
    else:
        context |= {"seconds": seconds_of(recipe), "failed": last_failed(recipe, report)}
    if report is not None:
        older = older_signals(recipe, report, newest_runs(recipe.project))
        context |= {"older": older, **told(document_of(report))}
    return context


def told(document: dict[str, Any]) -> dict[str, Any]:
    """A report, also one that a release keeps, as sentences and pictures."""
    overall = document["overall"]
    return {
        "gain": document,
        "headline": words.headline(overall),
        "beside": words.beside(overall),
        "verified": words.verified(document["sources"]),
        "panels": panels_of(document),
        "actions": ACTIONS,
        "tone": {"gain shown": "good", "harm shown": "bad"}.get(overall["verdict"] if overall else "", ""),
    }


def sentence_of(recipe: Recipe) -> tuple[str, Run | None]:
    """For the recipe's own page: the headline alone, or an empty one."""
    report = newest_report(recipe)
    return (words.headline(report.result["overall"]) if report else "", report)
