"""Releases over the API: freeze one, read its manifest, stream it in a trainer's format."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from ninja import Router, Schema

from accounts.access import caller_of
from accounts.paging import DEFAULT_LIMIT, Limit, last_id, page
from accounts.problems import NotFound
from curation.access import curated_project, readable_project, release_for
from curation.export import CONTENT_TYPES, EXTENSIONS, Export
from curation.exports import find_format, format_names
from curation.freeze import request_release
from curation.models import Release
from curation.splits import Shares
from ledger.api import RunOut, run_out

router = Router(tags=["releases"])


class SharesIn(Schema):
    """Percent of the prompts."""

    train: float = 90
    validation: float = 5
    test: float = 5


class ReleaseIn(Schema):
    name: str
    recipe: str | dict[str, Any]
    splits: SharesIn | None = None


class ReleaseOut(Schema):
    id: int
    name: str
    project: str
    # The run's state until it is frozen: queued, running, failed, cancelled.
    state: str
    recipe: str
    recipe_version: int
    rows: int | None
    content_sha256: str
    created_at: datetime
    frozen_at: datetime | None


class ReleasePage(Schema):
    items: list[ReleaseOut]
    next: str | None


class RequestedOut(Schema):
    release: ReleaseOut
    run: RunOut


class FormatOut(Schema):
    name: str
    label: str
    documentation: str


@router.post("/projects/{slug}/releases", response={202: RequestedOut})
def post_release(request: HttpRequest, slug: str, payload: ReleaseIn) -> tuple[int, RequestedOut]:
    """`recipe` is the name of a kept one or the document itself. A run freezes it; ask for the run or the release."""
    project = curated_project(request, slug)
    shares = Shares(**payload.splits.dict()) if payload.splits else None
    release = request_release(
        project=project, name=payload.name, recipe=payload.recipe, by=caller_of(request).user, shares=shares
    )
    assert release.run is not None  # noqa: S101 - it was asked for just now
    return 202, RequestedOut(release=release_out(release), run=run_out(release.run))


@router.get("/projects/{slug}/releases", response=ReleasePage)
def list_releases(
    request: HttpRequest, slug: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> ReleasePage:
    """Newest first."""
    rows = Release.objects.filter(project=readable_project(request, slug)).order_by("-id")
    if cursor is not None:
        rows = rows.filter(id__lt=last_id(cursor))
    found = rows.select_related("project", "recipe", "run")[: limit + 1]
    shown, following = page(found, limit=limit, position=lambda release: {"id": release.pk})
    return ReleasePage(items=[release_out(release) for release in shown], next=following)


@router.get("/releases/{release_id}", response=dict[str, Any])
def get_release(request: HttpRequest, release_id: int) -> dict[str, Any]:
    """The manifest: counts, splits, sources, recipe, pinned runs, files with sha256; before that, where it stands."""
    release = release_for(caller_of(request), release_id)
    manifest = release.manifest if release.frozen_at else {}
    run = run_out(release.run).model_dump(mode="json") if release.run else None
    return {
        **manifest,
        **release_out(release).model_dump(mode="json", exclude={"recipe", "recipe_version"} if manifest else None),
        "run": run,
    }


@router.get("/releases/{release_id}/export/{format_name}/{split}.{extension}", response={200: Any})
def export_release(
    request: HttpRequest, release_id: int, format_name: str, split: str, extension: str, profile: str = "minimal"
) -> HttpResponseBase:
    """One split as Parquet or JSON lines, streamed. `profile=full` adds where each row comes from and why."""
    export = Export.of(release_for(caller_of(request), release_id), format_name, profile)
    if extension not in EXTENSIONS:
        raise NotFound(f"Exports end in {' or '.join(EXTENSIONS)}, not {extension[:20]!r}.")
    if request.headers.get("If-None-Match") == export.etag:
        return HttpResponse(status=304)
    response = StreamingHttpResponse(export.stream(split, extension), content_type=CONTENT_TYPES[extension])
    response["ETag"] = export.etag
    name = f"{export.release.project.slug}-{export.release.name}-{format_name}-{split}.{extension}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.get("/export-formats", response=list[FormatOut])
def list_formats(request: HttpRequest) -> list[FormatOut]:
    """What a release can be exported as."""
    found = [(name, find_format(name)) for name in format_names()]
    return [FormatOut(name=name, label=module.LABEL, documentation=module.__doc__ or "") for name, module in found]


def release_out(release: Release) -> ReleaseOut:
    return ReleaseOut(
        id=release.pk,
        name=release.name,
        project=release.project.slug,
        state=release_state(release),
        recipe=release.recipe.name,
        recipe_version=release.recipe.version,
        rows=release.manifest["counts"]["released"] if release.frozen_at else None,
        content_sha256=release.content_sha256,
        created_at=release.created_at,
        frozen_at=release.frozen_at,
    )


def release_state(release: Release) -> str:
    if release.frozen_at:
        return "frozen"
    return release.run.state if release.run else "running"
