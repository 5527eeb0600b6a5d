"""How far people agree, and how each of them does."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from annotation.campaigns.queries import campaigns_of
from annotation.statistics.agreement import campaign_agreement

router = Router(tags=["statistics"])


@router.get("/projects/{slug}/agreement")
def agreement(request: HttpRequest, slug: str, campaign: int | None = None) -> dict[str, Any]:
    """Per campaign: raw agreement, alpha and Fleiss' kappa, each with n and interval or the reason why not."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    wanted = [c for c in campaigns_of(project) if campaign in {None, c.id}]
    return {"campaigns": [{"id": c.id, "name": c.name, **campaign_agreement(c).as_dict()} for c in wanted]}
