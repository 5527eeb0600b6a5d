"""What state is this data in?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Project
from curation.access import frame_of, readable_project
from curation.freshness import is_large
from curation.histogram import histograms
from curation.overview import funnel, opinions, sources
from curation.row_filter import RowFilter


@require_GET
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    project = readable_project(request, slug)
    context = {**frame_of(request, project), "funnel": funnel(project), "is_later": is_large(project)}
    if not context["is_later"]:
        context |= _figures(project)
    return render(request, "curation/overview.html", context)


@require_GET
def overview_figures(request: HttpRequest, slug: str) -> HttpResponse:
    """What a large project's page fetches behind its funnel."""
    project = readable_project(request, slug)
    return render(request, "curation/_figures.html", {**frame_of(request, project), **_figures(project)})


def _figures(project: Project) -> dict[str, object]:
    return {
        "histograms": histograms(project, RowFilter()),
        "sources": sources(project),
        "opinions": opinions(project),
    }
