"""The pages of the human side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of, project_for, role_in
from accounts.models import Project, Role, Scope
from accounts.problems import NotFound, Problem
from annotation import queries
from annotation.access import campaign_for, judgment_for
from annotation.agreement import campaign_agreement
from annotation.campaigns import create_campaign, extend_overlap, set_state
from annotation.forms import CampaignForm, ChangeForm
from annotation.models import Campaign
from annotation.presentation import HISTORY_ROWS, SKIP_REASONS, history_rows, split_rows
from annotation.rendering import rendered


@login_required
@require_GET
def annotate(request: HttpRequest, slug: str) -> HttpResponse:
    """What can I work on, and how much is left for me?"""
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    work = queries.work_of(project, caller_of(request).user, only_open=True)
    return render(request, "annotation/annotate.html", _context(request, project, work=work))


@login_required
@require_GET
def campaigns(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    work = queries.work_of(project, caller_of(request).user)
    return render(request, "annotation/campaigns.html", _context(request, project, work=work))


@login_required
@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest, slug: str) -> HttpResponse:
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)
    form = CampaignForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_campaign(project=project, created_by=caller.user, **form.as_arguments())
        except Problem as problem:
            form.take(problem)
        else:
            return redirect("annotation:campaign", slug, made.id)
    status = 422 if form.errors else 200
    return render(request, "annotation/campaign_new.html", _context(request, project, form=form), status=status)


@login_required
@require_GET
def campaign(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Is the crowd doing well?"""
    held = _campaign(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    work = next(w for w in queries.work_of(held.project, caller_of(request).user) if w.campaign.id == held.id)
    page = _context(
        request,
        held.project,
        campaign=held,
        work=work,
        agreement=campaign_agreement(held.id),
        people=queries.people_of(held),
        balance=queries.order_balance(held),
        split=split_rows(queries.disagreements(held)),
        guidelines=rendered(queries.guidelines_of(held)),
    )
    return render(request, "annotation/campaign.html", page)


@login_required
@require_POST
def campaign_state(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = _campaign(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    form = ChangeForm(request.POST)
    if form.is_valid() and form.cleaned_data["overlap"]:
        extend_overlap(campaign=held, overlap=form.cleaned_data["overlap"], by=caller_of(request).user)
        messages.success(request, f"Every comparison of {held.name} now takes {held.overlap} judgments.")
    elif form.is_valid() and form.cleaned_data["state"]:
        set_state(campaign=held, state=form.cleaned_data["state"], by=caller_of(request).user)
        messages.success(request, f"{held.name} is {held.state}.")
    return redirect("annotation:campaign", slug, campaign_id)


@login_required
@require_GET
def judge(request: HttpRequest, slug: str, campaign_id: int, judgment_id: int | None = None) -> HttpResponse:
    """The desk; its item comes by the API, so that opening the page claims nothing by itself."""
    held = _campaign(request, slug, campaign_id, role=Role.ANNOTATOR, scope=Scope.READ)
    work = next(w for w in queries.work_of(held.project, caller_of(request).user) if w.campaign.id == held.id)
    page = _context(
        request,
        held.project,
        campaign=held,
        work=work,
        start=judgment_id,
        guidelines=rendered(queries.guidelines_of(held)),
        skip_reasons=SKIP_REASONS,
    )
    return render(request, "annotation/judge.html", page)


@login_required
@require_GET
def answer(request: HttpRequest, slug: str, campaign_id: int, judgment_id: int) -> HttpResponse:
    """The desk, opened at one of one's own answers."""
    judgment_for(caller_of(request), judgment_id)
    return judge(request, slug, campaign_id, judgment_id)


@login_required
@require_GET
def history(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    before = request.GET.get("before", "")
    own = queries.own_judgments(project, caller_of(request).user, before=int(before) if before.isdigit() else None)
    found = list(own[: HISTORY_ROWS + 1])
    page = _context(request, project, rows=history_rows(found[:HISTORY_ROWS]), is_filtered=bool(before))
    page["before"] = found[HISTORY_ROWS - 1].id if len(found) > HISTORY_ROWS else None
    return render(request, "annotation/history.html", page)


def _campaign(request: HttpRequest, slug: str, campaign_id: int, *, role: Role, scope: Scope) -> Campaign:
    """The campaign of this address: another project's number is not here."""
    project = project_for(caller_of(request), slug, role=role, scope=scope)
    held = campaign_for(caller_of(request), campaign_id, role=role, scope=scope)
    if held.project_id != project.id:
        raise NotFound(f"There is no campaign {campaign_id} in {slug}.")
    return held


def _context(request: HttpRequest, project: Project, **more: Any) -> dict[str, Any]:
    return {"project": project, "role": role_in(caller_of(request).user, project), **more}
