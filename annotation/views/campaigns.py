"""Campaigns: the list, a new one, and what is changed with one button."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of, project_for
from accounts.models import Project, Role, Scope
from accounts.problems import Problem
from annotation.campaigns import queries
from annotation.campaigns.create import create_campaign, extend_overlap, set_state
from annotation.campaigns.forms import CampaignForm, ChangeForm, SettingsForm
from annotation.campaigns.from_preset import free_name, presets_of, shown_preset
from annotation.kinds._base import kinds
from annotation.kinds.presets import preset_named
from annotation.models import Campaign, CampaignState
from annotation.views._page import campaign_of, context

STATE_MEANS = {
    CampaignState.OPEN: "annotators get items from it.",
    CampaignState.PAUSED: "nobody gets further items; what people hold they may still answer.",
    CampaignState.CLOSED: "it takes no more answers, and can be opened again.",
}


@login_required
@require_GET
def campaigns(request: HttpRequest, slug: str) -> HttpResponse:
    """What do we ask people, and how far are they?"""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    work = queries.work_of(project, caller_of(request).user)
    return render(request, "annotation/campaigns.html", context(request, project, work=work))


@login_required
@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Presets that make one at once, and the form for everything else."""
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)
    if request.method == "GET":
        return _form_page(request, project, *_empty_forms(request, project))
    form = CampaignForm(request.POST, project=project)
    settings = SettingsForm(form.kind_chosen, request.POST)
    is_asked_for = "show" not in request.POST
    if is_asked_for and form.is_valid() & settings.is_valid():
        chosen = form.as_arguments() | {"settings": settings.cleaned_data, "preset": request.POST.get("preset", "")}
        try:
            made = create_campaign(project=project, created_by=caller.user, **chosen)
        except Problem as problem:
            form.take(problem, settings)
        else:
            return _made(request, made)
    return _form_page(request, project, form, settings if is_asked_for else SettingsForm(form.kind_chosen))


@login_required
@require_POST
def campaign_preset(request: HttpRequest, slug: str) -> HttpResponse:
    """One click: what the preset asks, of everything the project holds."""
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)
    preset = preset_named(request.POST.get("preset", ""))
    name = free_name(project, preset.label)
    made = create_campaign(project=project, name=name, preset=preset.name, created_by=caller.user)
    return _made(request, made)


@login_required
@require_GET
def campaign_kind(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the form that changes with the kind."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.CURATE)
    form = CampaignForm(project=project, initial={"kind": request.GET.get("kind")})
    page = context(request, project, form=form, settings=SettingsForm(form.kind_chosen))
    return render(request, "annotation/_campaign_kind.html", page)


@login_required
@require_POST
def campaign_state(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    form = ChangeForm(request.POST)
    try:
        if form.is_valid() and form.cleaned_data["overlap"]:
            extend_overlap(campaign=held, overlap=form.cleaned_data["overlap"], by=caller_of(request).user)
            messages.success(request, f"Everything in {held.name} now takes {held.overlap} judgments.")
        elif form.is_valid() and form.cleaned_data["state"]:
            set_state(campaign=held, state=form.cleaned_data["state"], by=caller_of(request).user)
            messages.success(request, f"{held.name} is {held.state}: {STATE_MEANS[CampaignState(held.state)]}")
    except Problem as problem:
        messages.error(request, " ".join([problem.message, *problem.fields.values()]))
    return redirect("annotation:campaign", slug, campaign_id)


def _made(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    tasks = f"{campaign.task_count:,} task{'' if campaign.task_count == 1 else 's'}"
    messages.success(request, f"{campaign.name} is open, with {tasks}. Annotators find it under Annotate.")
    return redirect("annotation:campaign", campaign.project.slug, campaign.pk)


def _empty_forms(request: HttpRequest, project: Project) -> tuple[CampaignForm, SettingsForm]:
    """Filled in from a preset where one is to be adjusted first."""
    initial: dict[str, Any] = {"kind": request.GET.get("kind")}
    settings: dict[str, Any] = {}
    if name := request.GET.get("preset"):
        preset = preset_named(name)
        initial, settings = shown_preset(project, preset)
    form = CampaignForm(project=project, initial=initial)
    return form, SettingsForm(form.kind_chosen, initial=settings)


def _form_page(request: HttpRequest, project: Project, form: CampaignForm, settings: SettingsForm) -> HttpResponse:
    page = context(
        request,
        project,
        form=form,
        settings=settings,
        presets=presets_of(project),
        preset=request.POST.get("preset") or request.GET.get("preset", ""),
        kinds=kinds(),
    )
    status = 422 if form.errors or settings.errors else 200
    return render(request, "annotation/campaign_new.html", page, status=status)
