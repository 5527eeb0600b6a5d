"""Is this label right? One pair at a time, the most worthwhile first."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of
from accounts.models import Project
from curation.access import batch_for, comparison_for, curated_project, frame_of, readable_project
from curation.comparisons_views import HtmxRequest
from curation.decide import UndecidableRequest, decide, undo
from curation.forms import DecideForm
from curation.freshness import is_large
from curation.models import DecisionBatch
from curation.queries import rows_of
from curation.review_queue import Place, left, next_in_queue, why
from curation.word_diff import marked

LABELS = [(place, label) for place, label in enumerate(range(-3, 4), start=1)]


@require_GET
def review(request: HtmxRequest, slug: str) -> HttpResponse:
    """The next pair behind `after`, or the one that `id` names."""
    project = readable_project(request, slug)
    after = request.GET.get("after", "")
    chosen = request.GET.get("id", "")
    if chosen.isdecimal():
        found = comparison_for(caller_of(request), int(chosen), slug=slug)
        return _page(request, project, found.pk, after=after)
    return _page(request, project, next_in_queue(project, after or None), after=after)


@require_GET
def review_left(request: HtmxRequest, slug: str) -> HttpResponse:
    project = readable_project(request, slug)
    return render(request, "curation/_left.html", {"project": project, "left": left(project)})


@require_POST
def review_decide(request: HtmxRequest, slug: str) -> HttpResponse:
    """Decide the pair and go on; the queue begins where this pair stood."""
    project = curated_project(request, slug)
    form = DecideForm(request.POST)
    after = request.POST.get("after", "")
    if not form.is_valid():
        return _page(request, project, next_in_queue(project, after or None), after=after, refused="Choose an answer.")
    ids = form.cleaned_data["ids"]
    try:
        batch = decide(project=project, comparison_ids=ids, author=caller_of(request).user, **form.decision)
    except UndecidableRequest as problem:
        return _page(request, project, ids[0], after=after, refused=problem.message)
    if not request.htmx:
        return redirect(reverse("curation:review", args=[slug]) + (f"?after={after}" if after else ""))
    return _page(request, project, next_in_queue(project, after or None), after=after, batch=batch)


@require_POST
def review_undo(request: HtmxRequest, slug: str, batch_id: int) -> HttpResponse:
    """Back to the pair that was decided."""
    caller = caller_of(request)
    batch = undo(batch=batch_for(caller, batch_id, slug=slug), by=caller.user)
    first = batch.decisions.values_list("comparison_id", flat=True)[0]
    if not request.htmx:
        return redirect(reverse("curation:review", args=[slug]) + f"?id={first}")
    return _page(request, batch.project, first, after=request.POST.get("after", ""), batch=batch)


def _page(
    request: HtmxRequest,
    project: Project,
    place: Place | int | None,
    *,
    after: str,
    batch: DecisionBatch | None = None,
    refused: str = "",
) -> HttpResponse:
    key = place.comparison_id if isinstance(place, Place) else place
    context: dict[str, Any] = {
        **frame_of(request, project),
        **_pair(project, key),
        "after": after,
        "skip_to": place.cursor if isinstance(place, Place) else after,
        "batch": batch,
        "refused": refused,
        "left": None if is_large(project) else left(project),
    }
    name = "curation/_review.html" if request.htmx.target == "review" else "curation/review.html"
    return render(request, name, context)


def _pair(project: Project, key: int | None) -> dict[str, Any]:
    if key is None:
        return {"row": None}
    row = rows_of(project, [key])[0]
    diff = marked(row.comparison.response_a.content, row.comparison.response_b.content)
    return {"row": row, "why": why(row), "diff": diff, "labels": LABELS}
