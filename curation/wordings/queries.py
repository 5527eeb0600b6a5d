"""Reading words: a project's own versions, and the bundled ones beneath them as version 0."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Project
from accounts.problems import NotFound
from curation.models import Wording
from curation.wordings.kinds import bundled, kind_of


class UnknownVersion(NotFound):
    code = "unknown_version"


@dataclass(frozen=True)
class Words:
    """One version of the words of a kind; 0 is what comes with Winnow, by nobody and of no time."""

    kind: str
    version: int
    document: dict[str, Any]
    author: str | None = None
    created_at: datetime | None = None

    @property
    def sha256(self) -> str:
        return sha256_of(self.document)

    @property
    def label(self) -> str:
        return kind_of(self.kind).LABEL

    @property
    def is_bundled(self) -> bool:
        return self.version == 0


def sha256_of(document: dict[str, Any]) -> str:
    """Of the canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def bundled_words(kind: str) -> Words:
    return Words(kind, 0, bundled(kind))


def newest_words(project: Project, kind: str, *, as_of: datetime | None = None) -> Words:
    """The project's newest, of those that were there at a moment; the bundled ones where it has none."""
    kind_of(kind)
    rows = versions(project, kind)
    found = (rows.filter(created_at__lte=as_of) if as_of else rows).first()
    return words_of(found) if found else bundled_words(kind)


def words_version(project: Project, kind: str, version: int) -> Words:
    """That very version; 0 is the bundled one."""
    kind_of(kind)
    if version == 0:
        return bundled_words(kind)
    found = versions(project, kind).filter(version=version).first() if 0 < version < 2**31 else None
    if found is None:
        raise UnknownVersion(f"{project.slug} has no version {version} of its {kind_of(kind).LABEL.lower()}.")
    return words_of(found)


def versions(project: Project, kind: str) -> QuerySet[Wording]:
    """Newest first; the bundled one is not among them."""
    return Wording.objects.filter(project=project, kind=kind).order_by("-version").select_related("created_by")


def words_of(row: Wording) -> Words:
    author = row.created_by.email if row.created_by else None
    return Words(row.kind, row.version, row.document, author, row.created_at)
