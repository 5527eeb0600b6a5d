"""Who works on what at the moment, what comes first, what annotators flagged, and how a campaign is run."""

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
from accounts.problems import Problem
from annotation.campaigns import held as holding
from annotation.campaigns.add_tasks import extend_with_new_rows
from annotation.campaigns.flagged import flag_in, flag_rows
from annotation.campaigns.forms import PriorityForm
from annotation.campaigns.ordering import order_of, request_order
from annotation.campaigns.prioritise import reprioritise
from annotation.campaigns.taking_part import who_can_take_work
from annotation.desk.flags import resolve_flag
from annotation.models import Assignment, Campaign
from annotation.quality.reassign import CannotBeReassigned, reassign
from annotation.views._page import campaign_of
from annotation.views.campaign_page import tab_context


@login_required
@require_GET
def campaign_work(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    return _page(request, held, PriorityForm(project=held.project))


@login_required
@require_POST
def campaign_priorities(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    form = PriorityForm(request.POST, project=held.project)
    if not form.is_valid():
        return _page(request, held, form, status=422)
    try:
        count = reprioritise(campaign=held, by=caller_of(request).user, **form.as_arguments())
    except Problem as problem:
        form.add_error(None, " ".join([problem.message, *problem.fields.values()]))
        return _page(request, held, form, status=422)
    if count:
        messages.success(request, f"{_tasks(count)} another priority now; whoever claims next follows it.")
    else:
        messages.warning(request, "Nothing changed: no open task is one of those, or all have this priority already.")
    return redirect("annotation:campaign_work", slug, campaign_id)


@login_required
@require_POST
def campaign_order(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """A worker finds where a minute is worth most; the tasks get that order when it is done."""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    try:
        run = request_order(campaign=held, requested_by=caller_of(request).user)
        messages.success(request, f"Run {run.pk} finds the order; the work goes on meanwhile.")
    except Problem as problem:
        messages.error(request, problem.message)
    return redirect(f"{reverse('annotation:campaign_work', args=[slug, campaign_id])}#order")


@login_required
@require_POST
def campaign_extend(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    added = extend_with_new_rows(campaign=held, by=caller_of(request).user)
    messages.success(
        request,
        f"{added:,} new task{'' if added == 1 else 's'}." if added else "There is nothing new: everything has a task.",
    )
    return redirect("annotation:campaign_work", slug, campaign_id)


@login_required
@require_POST
def campaign_give_back(request: HttpRequest, slug: str, campaign_id: int, assignment_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    assignment = holding.held_item(held, assignment_id)
    if request.POST.get("give"):
        return _give(request, held, assignment)
    if holding.give_back(assignment=assignment, by=caller_of(request).user):
        messages.success(request, f"The item that {assignment.annotator} held goes to whoever comes next.")
    else:
        messages.warning(request, f"{assignment.annotator} did not hold this item any more.")
    return redirect("annotation:campaign_work", slug, campaign_id)


def _give(request: HttpRequest, campaign: Campaign, assignment: Assignment) -> HttpResponse:
    """To the head of somebody's queue."""
    chosen = request.POST.get("person", "")
    people = {str(person.pk): person for person in who_can_take_work(campaign)}
    try:
        if chosen not in people:
            raise CannotBeReassigned("Choose somebody of this project.")
        to, by = people[chosen], caller_of(request).user
        reassign(campaign=campaign, to=to, by=by, assignments=[assignment.pk])
        messages.success(request, f"{to} gets it as their next item.")
    except Problem as problem:
        messages.error(request, problem.message)
    return redirect("annotation:campaign_work", campaign.project.slug, campaign.pk)


@login_required
@require_POST
def campaign_flag_resolve(request: HttpRequest, slug: str, campaign_id: int, flag_id: int) -> HttpResponse:
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    flag = flag_in(held, flag_id)
    if resolve_flag(flag=flag, by=caller_of(request).user):
        messages.success(request, "The flag is resolved.")
    else:
        messages.warning(request, "Somebody resolved this flag before.")
    return redirect("annotation:campaign_work", slug, campaign_id)


def _tasks(count: int) -> str:
    return "1 open task has" if count == 1 else f"{count:,} open tasks have"


def _page(request: HttpRequest, campaign: Campaign, form: PriorityForm, status: int = 200) -> HttpResponse:
    page: dict[str, Any] = tab_context(
        request,
        campaign,
        "work",
        form=form,
        order=order_of(campaign),
        held=holding.held_items(campaign),
        flags=flag_rows(campaign),
        people=who_can_take_work(campaign),
    )
    return render(request, "annotation/campaign_work.html", page, status=status)
