"""How a campaign is run: who takes part, what they read, when it has judgments enough, which consensus counts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import caller_of
from accounts.models import Role, Scope
from accounts.problems import NotFound, Problem
from annotation.campaigns import invite, queries
from annotation.campaigns.change import change_campaign
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.methods import methods_of
from annotation.campaigns.setting_words import preset_words, setting_words
from annotation.campaigns.settings_forms import SECTIONS, invite_form
from annotation.campaigns.taking_part import open_links_of, participants_of, who_can_be_invited
from annotation.consensus.fitted import request_consensus
from annotation.desk.rendering import rendered
from annotation.kinds._base import kind_named
from annotation.models import Campaign
from annotation.views._page import campaign_of
from annotation.views.campaign_page import tab_context

SAVED = {
    "name": "The campaign has its new name.",
    "guidelines": "The guidelines are saved; annotators read this version from now on.",
    "amount": "Saved: how many judgments each item takes.",
    "quality": "Saved: what comes beside the work.",
    "consensus": "Another consensus counts from now on, in pages, recipes and new releases.",
    "people": "Saved: who may work here.",
    "order": "Saved: when the work is ordered again.",
}


@login_required
@require_GET
def campaign_settings(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    return _page(request, held)


@login_required
@require_POST
def campaign_change(request: HttpRequest, slug: str, campaign_id: int, section: str) -> HttpResponse:
    """One section of the page at a time; what cannot be kept stays in its form, with the reason beside it."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    if section not in SECTIONS:
        raise NotFound(f"A campaign has no settings called {section!r}.")
    form = SECTIONS[section](held, request.POST)
    if form.is_valid():
        try:
            change_campaign(campaign=held, by=caller_of(request).user, changes=form.changes)
        except Problem as problem:
            form.take(problem)
        else:
            messages.success(request, SAVED[section])
            return redirect(f"{reverse('annotation:campaign_settings', args=[slug, campaign_id])}#{section}")
    held.refresh_from_db()
    return _page(request, held, {section: form}, status=422)


@login_required
@require_POST
def campaign_invite(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """People of the project by choice; by e-mail only those who may invite into the project."""
    is_by_email = bool(request.POST.get("email"))
    role, scope = (Role.OWNER, Scope.ADMIN) if is_by_email else (Role.CURATOR, Scope.CURATE)
    held = campaign_of(request, slug, campaign_id, role=role, scope=scope)
    form = invite_form(held, request.POST)
    if not form.is_valid():
        return _page(request, held, {"invite": form}, status=422)
    people, email = form.cleaned_data["people"], form.cleaned_data["email"]
    if people:
        invited = invite.invite_people(campaign=held, people=people, by=caller_of(request).user)
        messages.success(request, f"Invited: {', '.join(str(person) for person in invited)}.")
    made = invite.invite_by_email(campaign=held, email=email, by=caller_of(request).user) if email else None
    if made is None:
        return redirect("annotation:campaign_settings", slug, campaign_id)
    link = request.build_absolute_uri(reverse("accounts:invitation", args=[made[1]]))
    said = f"Send this link to {email}; it is shown only now, and good for seven days."
    return _page(request, held, link=link, link_said=said)


@login_required
@require_POST
def campaign_fit(request: HttpRequest, slug: str, campaign_id: int, method: str) -> HttpResponse:
    """A worker fits the method to all votes; the run's page shows how far it is."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    try:
        run = request_consensus(campaign=held, model=method, requested_by=caller_of(request).user)
    except Problem as problem:
        messages.error(request, problem.message)
        return redirect(f"{reverse('annotation:campaign_settings', args=[slug, campaign_id])}#consensus")
    words = METHODS[method]
    messages.success(request, f"{words} is being fitted. When it is done, put it in force in the campaign's settings.")
    return redirect("ledger:run", slug, run.pk)


def _page(
    request: HttpRequest, campaign: Campaign, forms: dict[str, Any] | None = None, status: int = 200, **more: Any
) -> HttpResponse:
    shown = {name: make(campaign) for name, make in SECTIONS.items()} | {"invite": invite_form(campaign)}
    page = tab_context(
        request,
        campaign,
        "settings",
        forms=shown | (forms or {}),
        participants=participants_of(campaign),
        links=open_links_of(campaign),
        free=who_can_be_invited(campaign),
        kind_label=kind_named(campaign.kind).LABEL,
        preset_label=preset_words(campaign),
        asked_settings=setting_words(campaign),
        methods=methods_of(campaign),
        guidelines=rendered(queries.guidelines_of(campaign)),
        **more,
    )
    return render(request, "annotation/campaign_settings.html", page, status=status)
