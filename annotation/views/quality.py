"""Does what is known hold, and who knows it?"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of
from accounts.models import Role, Scope
from accounts.problems import Problem
from annotation.access import gold_in
from annotation.campaigns.taking_part import participant_in
from annotation.models import Campaign
from annotation.quality.forms import GoldForm, example_for
from annotation.quality.gold import unmark_gold
from annotation.quality.participants import let_in, send_away, start_over
from annotation.quality.queries import all_marked, gold_list, parts_of, seat_rows
from annotation.quality.right import OWN_PART
from annotation.views._page import campaign_of
from annotation.views.campaign_page import tab_context

ACTS = {
    "let_in": (let_in, "{person} works on the campaign itself from now on."),
    "start_over": (start_over, "{person} begins again with what comes before the work."),
    "remove": (send_away, "{person} gets no more work here; what they answered stays."),
}


@login_required
@require_GET
def campaign_quality(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    return _page(request, held)


@login_required
@require_POST
def campaign_gold_add(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """From curators' judgments, from unanimous votes, or by list; all of them or none."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    form = GoldForm(request.POST)
    if form.is_valid():
        try:
            count = form.mark(held, caller_of(request).user)
        except Problem as problem:
            form.take(problem)
        else:
            messages.success(request, f"{count:,} item{'' if count == 1 else 's'} marked; nobody gets them as work.")
            return redirect("annotation:campaign_quality", slug, campaign_id)
    return _page(request, held, form, status=422)


@login_required
@require_POST
def campaign_gold_remove(request: HttpRequest, slug: str, campaign_id: int, gold_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    unmark_gold(gold=gold_in(held, gold_id), by=caller_of(request).user)
    messages.success(request, "It is work again, for those who have not seen it.")
    return redirect("annotation:campaign_quality", slug, campaign_id)


@login_required
@require_POST
def campaign_seat(request: HttpRequest, slug: str, campaign_id: int, person_id: int) -> HttpResponse:
    """Let in, start over or remove somebody who takes part."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    person = participant_in(held, person_id)
    act, words = ACTS.get(request.POST.get("act", ""), (None, ""))
    if act is not None:
        act(campaign=held, person=person, by=caller_of(request).user)
        messages.success(request, words.format(person=person))
    return redirect("annotation:campaign_quality", slug, campaign_id)


def _page(request: HttpRequest, campaign: Campaign, form: GoldForm | None = None, status: int = 200) -> HttpResponse:
    answers = all_marked(campaign)
    gold = gold_list(campaign, answers)
    page: dict[str, Any] = tab_context(
        request,
        campaign,
        "quality",
        gold=gold,
        parts=parts_of(campaign, gold.counts),
        seats=seat_rows(campaign, answers),
        form=form or GoldForm(),
        example=example_for(campaign),
        may_have_gold=campaign.kind in OWN_PART,
    )
    return render(request, "annotation/quality.html", page, status=status)
