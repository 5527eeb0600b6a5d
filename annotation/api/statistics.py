"""How far people agree, and how each of them does."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope, User
from accounts.paging import DEFAULT_LIMIT, Limit, last_id, page
from annotation.access import campaign_for
from annotation.campaigns.queries import campaigns_of
from annotation.consensus import three_most_similar
from annotation.models import Campaign
from annotation.statistics.agreement import campaign_agreement
from annotation.statistics.own_work import own_work
from annotation.statistics.people import CampaignPeople, people_of_campaign
from annotation.statistics.similar_votes import filtered_kappa
from annotation.statistics.together import together, two_by_two

router = Router(tags=["statistics"])


@router.get("/projects/{slug}/agreement")
def agreement(request: HttpRequest, slug: str, campaign: int | None = None) -> dict[str, Any]:
    """Per campaign: raw agreement, alpha and kappas, each with n and interval or the reason why not.

    Where one campaign is asked for, also Cohen's kappa of people two by two and, under the three most similar votes,
    the kappa before and after that rule has dropped votes.
    """
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    wanted = [c for c in campaigns_of(project) if campaign in {None, c.id}]
    return {"campaigns": [_agreement(c, with_pairs=campaign is not None) for c in wanted]}


def _agreement(campaign: Campaign, *, with_pairs: bool) -> dict[str, Any]:
    all_say = together(campaign)
    told = {"id": campaign.id, "name": campaign.name, **campaign_agreement(campaign).as_dict()}
    told |= {"unanimous": all_say.unanimous.as_dict(), "majority_meets_label": all_say.meets_label.as_dict()}
    if with_pairs:
        told["cohen_kappa"] = two_by_two(campaign).as_dict()
    if with_pairs and campaign.consensus_method == three_most_similar.METHOD:
        told["three_most_similar"] = filtered_kappa(campaign).as_dict()
    return told


class PersonOut(Schema):
    id: int
    name: str
    is_simulated: bool
    is_imported: bool
    # By name, each {value, low, high, n, reason}.
    figures: dict[str, dict[str, Any]]


class PeopleOut(Schema):
    # Of all people together: the share choosing the first, and the longer, at equal quality.
    whole: dict[str, dict[str, Any]]
    items: list[PersonOut]
    next: str | None = None


class OwnWorkOut(Schema):
    answers: int
    figures: dict[str, dict[str, Any]]


@router.get("/campaigns/{campaign_id}/people", response=PeopleOut)
def people(
    request: HttpRequest, campaign_id: int, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> PeopleOut:
    """How each annotator does, by id; every figure with its n and interval, or the reason why there is none."""
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    found = people_of_campaign(campaign)
    first = int(np.searchsorted(found.annotators, last_id(cursor), side="right")) if cursor else 0
    places = range(first, min(first + limit + 1, len(found.annotators)))
    shown, following = page(places, limit=limit, position=lambda place: {"id": int(found.annotators[place])})
    users = User.objects.in_bulk([int(found.annotators[place]) for place in shown])
    return PeopleOut(
        whole={"first": found.whole.first.as_dict(), "longer": found.whole.longer.as_dict()},
        items=[_person_out(found, place, users[int(found.annotators[place])]) for place in shown],
        next=following,
    )


@router.get("/campaigns/{campaign_id}/my-work", response={200: OwnWorkOut, 204: None})
def my_work(request: HttpRequest, campaign_id: int) -> Status[OwnWorkOut | None]:
    """Your own pace, biases, consistency and agreement; 204 before your first answer."""
    caller = caller_of(request)
    campaign = campaign_for(caller, campaign_id, role=Role.ANNOTATOR, scope=Scope.READ)
    own = own_work(campaign, caller.user)
    if own is None:
        return Status(204, None)
    return Status(200, OwnWorkOut(answers=own.answers, figures={one.name: one.figure.as_dict() for one in own.told}))


def _person_out(found: CampaignPeople, place: int, user: User) -> PersonOut:
    return PersonOut(
        id=user.id,
        name=str(user),
        is_simulated=user.is_simulated,
        is_imported=user.is_imported,
        figures={name: figure.as_dict() for name, figure in found.figures(place).items()},
    )
