"""Who may see and decide what in curation: curators and owners only, since it shows votes and model scores."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.access import Caller, caller_of, project_for, role_in
from accounts.models import Project, Role, Scope
from accounts.problems import NotFound
from corpus.models import Comparison
from curation.models import Audit, DecisionBatch, ModelServer, Release
from ledger.models import Run


def readable_project(request: HttpRequest, slug: str) -> Project:
    return project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)


def curated_project(request: HttpRequest, slug: str) -> Project:
    return project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.CURATE)


def owned_project(request: HttpRequest, slug: str) -> Project:
    """For what only the owner sets."""
    return project_for(caller_of(request), slug, role=Role.OWNER, scope=Scope.ADMIN)


def frame_of(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What every page of a project tells the frame around it."""
    return {"project": project, "role": role_in(caller_of(request).user, project)}


def comparison_for(caller: Caller, comparison_id: int, *, slug: str | None = None) -> Comparison:
    """The comparison of that number, in that project where a page names one."""
    hidden = NotFound(f"There is no comparison {comparison_id} that you can see.")
    found = Comparison.objects.select_related("project", "source", "prompt", "response_a", "response_b")
    comparison = found.filter(pk=comparison_id).first()
    if comparison is None or slug not in {None, comparison.project.slug}:
        raise hidden
    _check(caller, comparison.project, Scope.READ, hidden)
    return comparison


def batch_for(caller: Caller, batch_id: int, *, slug: str | None = None) -> DecisionBatch:
    """A batch of decisions, to be undone."""
    hidden = NotFound(f"There are no decisions {batch_id} that you can see.")
    batch = DecisionBatch.objects.select_related("project").filter(pk=batch_id).first()
    if batch is None or slug not in {None, batch.project.slug}:
        raise hidden
    _check(caller, batch.project, Scope.CURATE, hidden)
    return batch


def release_for(caller: Caller, release_id: int, *, scope: Scope = Scope.READ) -> Release:
    hidden = NotFound(f"There is no release {release_id} that you can see.")
    release = Release.objects.select_related("project", "recipe", "run").filter(pk=release_id).first()
    if release is None:
        raise hidden
    _check(caller, release.project, scope, hidden)
    return release


def audit_for(caller: Caller, audit_id: int, *, slug: str | None = None, scope: Scope = Scope.READ) -> Audit:
    hidden = NotFound(f"There is no audit {audit_id} that you can see.")
    found = Audit.objects.select_related("project", "recipe", "created_by")
    audit = found.filter(pk=audit_id).first()
    if audit is None or slug not in {None, audit.project.slug}:
        raise hidden
    _check(caller, audit.project, scope, hidden)
    return audit


def model_server_for(caller: Caller, server_id: int, *, slug: str | None = None) -> ModelServer:
    """For owners, who alone change the list."""
    hidden = NotFound(f"There is no model server {server_id} that you can see.")
    server = ModelServer.objects.select_related("project").filter(pk=server_id).first()
    if server is None or slug not in {None, server.project.slug}:
        raise hidden
    try:
        project_for(caller, server.project.slug, role=Role.OWNER, scope=Scope.ADMIN)
    except NotFound as missing:
        raise hidden from missing
    return server


def run_of(project: Project, run_id: int) -> Run:
    """A run of a project that the caller may see already."""
    run = Run.objects.select_related("project").filter(project=project, pk=run_id).first()
    if run is None:
        raise NotFound(f"There is no run {run_id} in {project.slug}.")
    return run


def named_release(project: Project, name: str) -> Release:
    """In a project that the caller may see already."""
    releases = Release.objects.select_related("project", "recipe", "run", "created_by").filter(project=project)
    release = releases.filter(name=name).first() if "\x00" not in name else None
    if release is None:
        raise NotFound(f"There is no release {name[:120]!r} in {project.slug}.")
    return release


def _check(caller: Caller, project: Project, scope: Scope, hidden: NotFound) -> None:
    """The refusal of a stranger does not name the project."""
    try:
        project_for(caller, project.slug, role=Role.CURATOR, scope=scope)
    except NotFound as missing:
        raise hidden from missing
