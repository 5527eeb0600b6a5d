"""Which rows are like this? The list, the reading pane, and decisions by key and in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.middleware import HtmxDetails

from accounts.access import caller_of
from accounts.models import Project
from accounts.problems import Conflict
from corpus.models import Source
from curation.access import batch_for, comparison_for, curated_project, frame_of, readable_project
from curation.decide import UndecidableRequest, UnknownComparisons, decide, undo
from curation.filter_form import filter_context
from curation.forms import DecideForm
from curation.freshness import is_large
from curation.histogram import histograms, together
from curation.life import life_of
from curation.models import DecisionBatch
from curation.queries import Order, all_ids, count_of, page_of, rows_of
from curation.row_filter import BadFilter, RowFilter
from curation.word_diff import marked

ROWS_PER_PAGE = 50
# Rows that are put back in their place one by one; beyond, the list is fetched again.
SHOWN_AFTER = 100


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


class ChangedMeanwhile(Conflict):
    code = "changed_meanwhile"


@require_GET
def comparisons(request: HtmxRequest, slug: str) -> HttpResponse:
    project = readable_project(request, slug)
    rows = RowFilter.from_query(request.GET.dict())
    order = _order(request)
    page = page_of(project, rows, order=order, cursor=request.GET.get("cursor"), limit=ROWS_PER_PAGE, is_list=True)
    context = {
        **frame_of(request, project),
        "page": page,
        **filter_context(rows, order),
        "is_continued": "cursor" in request.GET,
    }
    if request.htmx.target == "rows":
        return render(request, "curation/_rows.html", context)
    sources = Source.objects.filter(project=project).order_by("name")
    context |= {"sources": sources, **_figures(project, rows, wait=not is_large(project))}
    return render(request, "curation/comparisons.html", context)


@require_GET
def histogram(request: HttpRequest, slug: str) -> HttpResponse:
    """What a large project's page fetches behind its rows."""
    project = readable_project(request, slug)
    rows = RowFilter.from_query(request.GET.dict())
    context = {**frame_of(request, project), "filter": rows, **_figures(project, rows, wait=True)}
    return render(request, "curation/_histogram.html", context)


@require_GET
def every(request: HttpRequest, slug: str) -> HttpResponse:
    """How many rows the filter holds for, before somebody decides them all."""
    project = readable_project(request, slug)
    rows = RowFilter.from_query(request.GET.dict())
    context = {**frame_of(request, project), "filter": rows, "count": count_of(project, rows)}
    return render(request, "curation/_every.html", context)


@require_GET
def comparison(request: HtmxRequest, slug: str, comparison_id: int) -> HttpResponse:
    """The page, or the pane beside the list: both read the same row."""
    found = comparison_for(caller_of(request), comparison_id, slug=slug)
    row = rows_of(found.project, [found.pk])[0]
    context = {**frame_of(request, found.project), "row": row, "form": DecideForm()}
    if request.htmx.target == "pane":
        return render(request, "curation/_reading.html", context)
    context |= {"life": life_of(row), "diff": marked(found.response_a.content, found.response_b.content)}
    return render(request, "curation/comparison.html", context)


@require_POST
def decisions(request: HtmxRequest, slug: str) -> HttpResponse:
    """Decide the chosen rows, or every row of the filter if there are still as many as the page said."""
    project = curated_project(request, slug)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _refused(request, project, [str(error) for errors in form.errors.values() for error in errors])
    try:
        ids = _chosen(request, project, form)
        batch = decide(project=project, comparison_ids=ids, author=caller_of(request).user, **form.decision)
    except (UndecidableRequest, UnknownComparisons, ChangedMeanwhile) as problem:
        return _refused(request, project, [problem.message])
    return _changed(request, project, batch, ids)


@require_POST
def undo_decisions(request: HtmxRequest, slug: str, batch_id: int) -> HttpResponse:
    caller = caller_of(request)
    batch = undo(batch=batch_for(caller, batch_id, slug=slug), by=caller.user)
    ids = list(batch.decisions.values_list("comparison_id", flat=True)[: SHOWN_AFTER + 1])
    return _changed(request, batch.project, batch, ids)


def _changed(request: HtmxRequest, project: Project, batch: DecisionBatch, ids: Sequence[int]) -> HttpResponse:
    """What was done with its undo, and the rows as they are now."""
    context = {**frame_of(request, project), "batch": batch, "count": batch.decisions.count()}
    context["action"] = batch.decisions.values_list("action", flat=True).first()
    if not request.htmx:
        messages.success(request, f"{'Taken back' if batch.undone_at else 'Decided'}: {context['count']:,} rows.")
        return redirect("curation:comparisons", project.slug)
    is_few = len(ids) <= SHOWN_AFTER
    context["rows"] = rows_of(project, ids, is_list=True) if is_few else []
    response = render(request, "curation/_decided.html", context)
    response["HX-Trigger"] = "row-decided" if is_few else "rows-changed"
    return response


def _chosen(request: HttpRequest, project: Project, form: DecideForm) -> list[int]:
    if not form.cleaned_data["every"]:
        return list(form.cleaned_data["ids"])
    ids = all_ids(project, RowFilter.from_query(dict(parse_qsl(form.cleaned_data["filter"]))))
    if len(ids) != form.cleaned_data["expected"]:
        raise ChangedMeanwhile(f"The filter now holds for {len(ids):,} rows; load the page again and look.")
    return ids


def _refused(request: HttpRequest, project: Project, reasons: Sequence[str]) -> HttpResponse:
    context = {**frame_of(request, project), "reasons": reasons}
    return render(request, "curation/_refused.html", context, status=422)


def _figures(project: Project, rows: RowFilter, *, wait: bool) -> dict[str, Any]:
    if not wait:
        return {"histogram": None, "is_later": True}
    parts = histograms(project, rows)
    return {"histogram": together(parts), "parts": parts, "is_later": False}


def _order(request: HttpRequest) -> Order:
    order = request.GET.get("order") or "id"
    if order not in get_args(Order):
        raise BadFilter("Rows come by id, strength or -strength.", fields={"order": "unknown"})
    return order  # type: ignore[return-value]  # just checked
