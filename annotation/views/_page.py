"""What every page of the human side passes on."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.access import caller_of, project_for, role_in
from accounts.models import Project, Role, Scope
from accounts.problems import NotFound
from annotation.access import campaign_for
from annotation.models import Campaign


class HtmxRequest(HttpRequest):
    htmx: HtmxDetails


def campaign_of(request: HttpRequest, slug: str, campaign_id: int, *, role: Role, scope: Scope) -> Campaign:
    """The campaign of this address: another project's number is not here."""
    project = project_for(caller_of(request), slug, role=role, scope=scope)
    held = campaign_for(caller_of(request), campaign_id, role=role, scope=scope)
    if held.project_id != project.id:
        raise NotFound(f"There is no campaign {campaign_id} in {slug}.")
    return held


def number_in(text: str) -> int | None:
    """The number of a row in an address, if it is one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def context(request: HttpRequest, project: Project, **more: Any) -> dict[str, Any]:
    return {"project": project, "role": role_in(caller_of(request).user, project), **more}
