"""The pages of somebody who runs campaigns."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from accounts.problems import Problem
from annotation.campaigns import queries
from annotation.campaigns.create import create_campaign, extend_overlap, set_state
from annotation.campaigns.forms import CampaignForm, ChangeForm
from annotation.desk.presentation import split_rows
from annotation.desk.rendering import rendered
from annotation.statistics.agreement import campaign_agreement
from annotation.views._page import campaign_of, context


@login_required
@require_GET
def campaigns(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    work = queries.work_of(project, caller_of(request).user)
    return render(request, "annotation/campaigns.html", context(request, project, work=work))


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
    return render(request, "annotation/campaign_new.html", context(request, project, form=form), status=status)


@login_required
@require_GET
def campaign(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Is the crowd doing well?"""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    work = next(w for w in queries.work_of(held.project, caller_of(request).user) if w.campaign.id == held.id)
    page = context(
        request,
        held.project,
        campaign=held,
        work=work,
        agreement=campaign_agreement(held),
        people=queries.people_of(held),
        balance=queries.order_balance(held),
        split=split_rows(queries.disagreements(held)),
        guidelines=rendered(queries.guidelines_of(held)),
    )
    return render(request, "annotation/campaign.html", page)


@login_required
@require_POST
def campaign_state(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    form = ChangeForm(request.POST)
    if form.is_valid() and form.cleaned_data["overlap"]:
        extend_overlap(campaign=held, overlap=form.cleaned_data["overlap"], by=caller_of(request).user)
        messages.success(request, f"Every comparison of {held.name} now takes {held.overlap} judgments.")
    elif form.is_valid() and form.cleaned_data["state"]:
        set_state(campaign=held, state=form.cleaned_data["state"], by=caller_of(request).user)
        messages.success(request, f"{held.name} is {held.state}.")
    return redirect("annotation:campaign", slug, campaign_id)
