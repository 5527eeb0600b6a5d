"""How each person does: all of them for a curator, oneself for an annotator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope, User
from accounts.problems import NotFound
from annotation.campaigns.queries import campaigns_of
from annotation.statistics.curves import curves_of
from annotation.statistics.over_time import person_over_time
from annotation.statistics.own_work import own_work
from annotation.statistics.people import is_order_known, people_of_campaign
from annotation.statistics.people_table import Asked, person_cells, table_of
from annotation.statistics.read import votes_of
from annotation.views._page import campaign_of, context
from annotation.views.campaign_page import tab_context


@login_required
@require_GET
def campaign_people(request: HttpRequest, slug: str, campaign_id: int) -> HttpResponse:
    """Who judges well here, and who leans to a side or to length?"""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    asked = Asked.of(request.GET.get("sort", ""), request.GET.get("order", ""), request.GET.get("page", ""))
    page = tab_context(request, held, "people", table=table_of(held, asked))
    return render(request, "annotation/people_of_campaign.html", page)


@login_required
@require_GET
def campaign_person(request: HttpRequest, slug: str, campaign_id: int, user_id: int) -> HttpResponse:
    """How does this person judge here, and does it change?"""
    held = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.READ)
    people = people_of_campaign(held)
    place = people.place_of(user_id)
    if place is None:
        raise NotFound(f"Nobody with the number {user_id} has answered in this campaign.")
    page: dict[str, Any] = {"person": User.objects.get(id=user_id), "cells": person_cells(held, people, place)}
    page["curves"] = curves_of(person_over_time(votes_of(held), user_id), has_order=is_order_known(held))
    return render(request, "annotation/person_of_campaign.html", tab_context(request, held, "people", **page))


@login_required
@require_GET
def my_work(request: HttpRequest, slug: str) -> HttpResponse:
    """How do I judge? One's own figures only; nobody's single answer can be read off them."""
    project = project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)
    me = caller_of(request).user
    parts = [part for campaign in campaigns_of(project) if (part := own_work(campaign, me))]
    return render(request, "annotation/my_work.html", context(request, project, parts=parts))
