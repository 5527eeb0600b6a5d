"""Rubrics and their versions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.access import caller_of, project_for
from accounts.models import Role, Scope
from annotation.access import campaign_for
from annotation.models import Rubric
from annotation.rubrics.access import rubric_for
from annotation.rubrics.difference import difference
from annotation.rubrics.of_campaign import UnknownRubricVersion
from annotation.rubrics.queries import newest_rubrics, version_named, versions_of
from annotation.rubrics.read import criteria_in
from annotation.rubrics.save import save_rubric
from annotation.statistics.ratings import ratings_summary

router = Router(tags=["rubrics"])


class RubricIn(Schema):
    name: str
    # Criteria, or one scored criterion as {"criteria": text, "score1_description": text, ...}.
    criteria: Any = None
    score_rubric: dict[str, Any] | None = None
    origin: str = ""


class RubricVersion(Schema):
    id: int
    version: int
    created_at: datetime


class RubricOut(Schema):
    id: int
    name: str
    version: int
    criteria: list[dict[str, Any]]
    origin: str
    created_at: datetime


class RubricWithVersions(RubricOut):
    # Newest first.
    versions: list[RubricVersion]


class RubricList(Schema):
    items: list[RubricOut]
    next: str | None = None


class RubricChanges(Schema):
    before: int
    after: int
    changes: list[dict[str, Any]]


@router.get("/projects/{slug}/rubrics", response=RubricList)
def list_rubrics(request: HttpRequest, slug: str) -> RubricList:
    """The newest version of each, by name."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    return RubricList(items=[RubricOut(**_fields(rubric)) for rubric in newest_rubrics(project)])


@router.post("/projects/{slug}/rubrics", response={201: RubricOut})
def create(request: HttpRequest, slug: str, body: RubricIn) -> Status[RubricOut]:
    """A rubric, or a new version of the one with this name; criteria that say nothing new give the newest version."""
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)
    criteria = body.criteria if body.score_rubric is None else criteria_in({"score_rubric": body.score_rubric})
    saved = save_rubric(project=project, name=body.name, criteria=criteria, origin=body.origin, by=caller.user)
    return Status(201, RubricOut(**_fields(saved)))


@router.get("/rubrics/{rubric_id}", response=RubricWithVersions)
def read(request: HttpRequest, rubric_id: int) -> RubricWithVersions:
    rubric = rubric_for(caller_of(request), rubric_id, role=Role.CURATOR, scope=Scope.READ)
    versions = [RubricVersion(id=v.id, version=v.version, created_at=v.created_at) for v in versions_of(rubric)]
    return RubricWithVersions(**_fields(rubric), versions=versions)


@router.get("/rubrics/{rubric_id}/changes", response=RubricChanges)
def changes(request: HttpRequest, rubric_id: int, since: int) -> RubricChanges:
    """What this version changed since an earlier (or later) one: criteria added, removed, changed and moved."""
    rubric = rubric_for(caller_of(request), rubric_id, role=Role.CURATOR, scope=Scope.READ)
    before = version_named(rubric.project, rubric.name, since) if 0 < since < 2**31 else None
    if before is None:
        raise UnknownRubricVersion(f"{rubric.name!r} has no version {since}.", {"since": "is unknown"})
    found = [asdict(change) for change in difference(before.criteria, rubric.criteria)]
    return RubricChanges(before=before.version, after=rubric.version, changes=found)


@router.get("/campaigns/{campaign_id}/ratings")
def ratings(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    """Per attribute or criterion: mean or rate, agreement and distribution, each with n and interval or the reason."""
    campaign = campaign_for(caller_of(request), campaign_id, role=Role.CURATOR, scope=Scope.READ)
    return ratings_summary(campaign).as_dict()


def _fields(rubric: Rubric) -> dict[str, Any]:
    names = ("id", "name", "version", "criteria", "origin", "created_at")
    return {name: getattr(rubric, name) for name in names}
