"""Is the crowd doing well? One campaign, in parts with an address of their own."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import caller_of
from accounts.models import Role, Scope
from annotation.campaigns import queries
from annotation.campaigns.charts import bars_of, curve_of
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.decided import decided_of
from annotation.campaigns.freshness import LARGE
from annotation.campaigns.looks import (
    agreement_of,
    disagreements_of,
    over_time_of,
    per_subject_of,
    ratings_of,
    together_of,
    top_people_of,
    two_by_two_of,
)
from annotation.campaigns.progress import forecast, judgments_by_day, pace_of
from annotation.desk.presentation import split_rows
from annotation.models import Campaign, Unit
from annotation.views._page import campaign_of, context

FEW = 5
SUBJECTS = 30


def tab_context(request: HttpRequest, campaign: Campaign, tab: str, **more: Any) -> dict[str, Any]:
    """What each part of a campaign's pages needs for its head."""
    waits = queries.what_waits(campaign)
    return context(request, campaign.project, campaign=campaign, tab=tab, waits=waits, **more)


@login_required
@require_GET
def campaign(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """How far it is; what takes longer to count than a page may comes behind it."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    work = queries.work_in(held, caller_of(request).user)
    is_later = held.task_count >= LARGE
    figures = {} if is_later else _figures(held, work)
    page = tab_context(request, held, "progress", work=work, is_later=is_later, **figures)
    return render(request, "annotation/campaign.html", page)


@login_required
@require_GET
def campaign_figures(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    work = queries.work_in(held, caller_of(request).user)
    page = context(request, held.project, campaign=held, work=work, **_figures(held, work))
    return render(request, "annotation/_campaign_figures.html", page)


@login_required
@require_GET
def campaign_agreement(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Do people agree, and where not?"""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    is_later = held.task_count >= LARGE
    figures = {} if is_later else _agreement(held)
    page = tab_context(request, held, "agreement", is_later=is_later, **figures)
    return render(request, "annotation/campaign_agreement.html", page)


@login_required
@require_GET
def campaign_agreement_figures(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    page = context(request, held.project, campaign=held, **_agreement(held))
    return render(request, "annotation/_campaign_agreement.html", page)


def _figures(campaign: Campaign, work: queries.CampaignWork) -> dict[str, Any]:
    now = timezone.now()
    by_day = judgments_by_day(campaign)
    shown: dict[str, Any] = {
        "pace": bars_of(pace_of(by_day, today=now.astimezone(UTC).date())),
        "forecast": forecast(campaign, by_day, left=work.left, now=now),
        "balance": queries.order_balance(campaign),
        "people": top_people_of(campaign, FEW),
        "ratings": ratings_of(campaign),
    }
    if campaign.unit == Unit.COMPARISON:
        shown |= {
            "decided": decided_of(campaign),
            "method_words": METHODS.get(campaign.consensus_method, campaign.consensus_method),
            "agreement": agreement_of(campaign),
            "curve": curve_of(over_time_of(campaign)),
            "split": split_rows(disagreements_of(campaign)[:FEW]),
        }
    return shown


def _subjects(campaign: Campaign) -> dict[str, Any]:
    """The largest that have a figure; the others are folded."""
    found = per_subject_of(campaign)
    shown = [row for row in found if row.raw.value is not None][:SUBJECTS]
    return {"subjects": shown, "further_subjects": [row for row in found if row not in shown]}


def _agreement(campaign: Campaign) -> dict[str, Any]:
    return {
        "agreement": agreement_of(campaign),
        "together": together_of(campaign),
        "two_by_two": two_by_two_of(campaign),
        "curve": curve_of(over_time_of(campaign)),
        **_subjects(campaign),
        "split": split_rows(disagreements_of(campaign)),
    }
