"""What the votes leave open, one comparison after the other."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of
from accounts.models import Role, Scope
from accounts.problems import NotFound, Problem
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.dispute import WORDS, dispute_of
from annotation.campaigns.forms import AdjudicationForm
from annotation.campaigns.waiting import waiting
from annotation.consensus.adjudicate import adjudicate, take_back
from annotation.models import Adjudication, Campaign, Unit
from annotation.views._page import HtmxRequest, campaign_of, number_in
from annotation.views.campaign_page import tab_context

STEPS = [(str(place), label, words) for place, (label, words) in enumerate(WORDS.items(), start=1)]


@login_required
@require_GET
def campaign_adjudicate(request: HtmxRequest, slug: str, campaign_id: int) -> HttpResponse:
    """The next one behind `after`, or the one that `comparison` names; `under` sets a threshold."""
    held = _campaign(request, slug, campaign_id, Scope.READ)
    chosen = request.GET.get("comparison", "")
    return _page(request, held, number_in(chosen))


@login_required
@require_POST
def campaign_adjudication(request: HtmxRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Decides, and goes on to the next."""
    held = _campaign(request, slug, campaign_id, Scope.CURATE)
    form = AdjudicationForm(request.POST)
    if not form.is_valid():
        shown = form.cleaned_data.get("comparison")
        return _page(request, held, shown, refused="Choose an answer; the reason takes at most 2,000 characters.")
    chosen = form.as_arguments()
    try:
        made = adjudicate(campaign=held, by=caller_of(request).user, **chosen)
    except Problem as problem:
        return _page(request, held, chosen["comparison_id"], refused=problem.message)
    return _page(request, held, None, made=made) if request.htmx else redirect(_address(request, held))


@login_required
@require_POST
def campaign_adjudication_undo(request: HtmxRequest, slug: str, campaign_id: int, comparison_id: int) -> HttpResponse:
    """Back to the one that was decided."""
    held = _campaign(request, slug, campaign_id, Scope.CURATE)
    try:
        made = take_back(campaign=held, comparison_id=comparison_id, by=caller_of(request).user)
    except Problem as problem:
        return _page(request, held, comparison_id, refused=problem.message)
    if not request.htmx:
        return redirect(_address(request, held, comparison=comparison_id))
    return _page(request, held, comparison_id, made=made)


def _campaign(request: HtmxRequest, slug: str, campaign_id: int, scope: Scope) -> Campaign:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=scope)
    if held.unit != Unit.COMPARISON:
        raise NotFound(f"{held.name} asks about a {held.unit} at a time, so there is no preference to adjudicate.")
    return held


def _page(
    request: HtmxRequest,
    campaign: Campaign,
    chosen: int | None,
    *,
    made: Adjudication | None = None,
    refused: str = "",
) -> HttpResponse:
    asked = _asked(request)
    queue = waiting(campaign, under=asked["under"], after=asked["after"])
    shown = chosen or queue.first
    context: dict[str, Any] = tab_context(
        request,
        campaign,
        "adjudicate",
        dispute=None if shown is None else dispute_of(campaign, shown),
        is_chosen=chosen is not None,
        left=queue.left,
        made=made,
        refused=refused,
        method_words=METHODS.get(campaign.consensus_method, campaign.consensus_method),
        steps=STEPS,
        **asked,
    )
    is_part = request.htmx.target == "adjudication"
    name = "annotation/_adjudication.html" if is_part else "annotation/adjudicate.html"
    return render(request, name, context, status=422 if refused and not is_part else 200)


def _asked(request: HtmxRequest) -> dict[str, Any]:
    """Of the address or of the form: the threshold, and where the queue begins."""
    given = request.POST if request.method == "POST" else request.GET
    after, under = given.get("after", ""), given.get("under", "")
    try:
        threshold = min(1.0, max(0.0, float(under))) if under else None
    except ValueError:
        threshold = None
    return {
        "after": number_in(after),
        "under": None if threshold is None or threshold != threshold else threshold,
    }


def _address(request: HtmxRequest, campaign: Campaign, **more: object) -> str:
    kept = {name: value for name, value in {**_asked(request), **more}.items() if value is not None}
    path = reverse("annotation:campaign_adjudicate", args=[campaign.project.slug, campaign.pk])
    return f"{path}?{urlencode(kept)}" if kept else path
