"""The words that methods put to models, over the API: read a version, keep another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.access import caller_of
from curation.access import curated_project, readable_project
from curation.wordings.kinds import NAMES, kind_of
from curation.wordings.queries import Words, bundled_words, newest_words, versions, words_of, words_version
from curation.wordings.save import save_words

router = Router(tags=["wordings"])


class WordingOut(Schema):
    """Version 0 is what comes with Winnow: it has no author and no time. sha256 is of the canonical JSON."""

    kind: str
    version: int
    sha256: str
    document: dict[str, Any]
    author: str | None
    created_at: datetime | None


class VersionOut(Schema):
    version: int
    sha256: str
    author: str | None
    created_at: datetime | None


class KindOut(Schema):
    """The version in force, and all of them, newest first."""

    kind: str
    label: str
    version: int
    versions: list[VersionOut]


class WordingIn(Schema):
    """With `after_version`, it is kept only if that one is still the newest."""

    document: dict[str, Any]
    after_version: int | None = None


@router.get("/projects/{slug}/wordings", response=list[KindOut])
def list_wordings(request: HttpRequest, slug: str) -> list[KindOut]:
    project = readable_project(request, slug)
    found = []
    for name in NAMES:
        kept = [*map(words_of, versions(project, name)), bundled_words(name)]
        told = [VersionOut(**_about(words)) for words in kept]
        found.append(KindOut(kind=name, label=kind_of(name).LABEL, version=kept[0].version, versions=told))
    return found


@router.get("/projects/{slug}/wordings/{kind}", response=WordingOut)
def get_wording(request: HttpRequest, slug: str, kind: str, version: int | None = None) -> WordingOut:
    """The newest, or that very version; 0 is the bundled one."""
    project = readable_project(request, slug)
    return _out(newest_words(project, kind) if version is None else words_version(project, kind, version))


@router.post("/projects/{slug}/wordings/{kind}", response={201: WordingOut})
def post_wording(request: HttpRequest, slug: str, kind: str, payload: WordingIn) -> Status[WordingOut]:
    """A new version; the same words again are the same version."""
    project = curated_project(request, slug)
    kept = save_words(
        project=project,
        kind=kind,
        document=payload.document,
        by=caller_of(request).user,
        after_version=payload.after_version,
    )
    return Status(201, _out(kept))


def _out(words: Words) -> WordingOut:
    return WordingOut(kind=words.kind, document=words.document, **_about(words))


def _about(words: Words) -> dict[str, Any]:
    return {
        "version": words.version,
        "sha256": words.sha256,
        "author": words.author,
        "created_at": words.created_at,
    }
