"""Who may bring rows in, and see where they came from."""

from __future__ import annotations

from django.core import signing

from accounts.access import Caller, project_for
from accounts.models import Project, Role, Scope
from accounts.problems import NotFound
from corpus.uploads import PENDING_FOR, UploadGone
from ledger.access import run_for
from ledger.models import Run, RunKind

PENDING_SALT = "corpus.pending"


def project_to_fill(caller: Caller, slug: str) -> Project:
    return project_for(caller, slug, role=Role.CURATOR, scope=Scope.CURATE)


def sources_for(caller: Caller, slug: str) -> Project:
    return project_for(caller, slug, role=Role.CURATOR, scope=Scope.READ)


def import_for(caller: Caller, run_id: int, slug: str = "") -> Run:
    run = run_for(caller, run_id)
    if run.kind != RunKind.IMPORT or (slug and run.project.slug != slug):
        raise NotFound(f"There is no import {run_id} that you can see.")
    return run


def seal_pending(caller: Caller, project: Project, stored: str, name: str) -> str:
    """What the confirming form carries: only this person can use it, and only in this project."""
    return signing.dumps([caller.user.pk, project.pk, stored, name], salt=PENDING_SALT)


def pending_for(caller: Caller, project: Project, sealed: str) -> tuple[str, str]:
    """Where the upload is stored, and the name it came with."""
    try:
        user, where, stored, name = signing.loads(sealed, salt=PENDING_SALT, max_age=PENDING_FOR)
    except signing.BadSignature as bad:
        raise UploadGone("The uploaded file is no longer there; choose it again.") from bad
    if (user, where) != (caller.user.pk, project.pk):
        raise UploadGone("The uploaded file is no longer there; choose it again.")
    return stored, name
