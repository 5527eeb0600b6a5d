"""Keeping words: a changed document is a new version, and nothing kept ever changes."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Conflict
from curation.models import Wording
from curation.wordings.kinds import checked, kind_of
from curation.wordings.queries import Words, newest_words, sha256_of, words_of


class WordsMovedOn(Conflict):
    code = "wording_moved_on"


def save_words(
    *, project: Project, kind: str, document: Any, by: User | None, after_version: int | None = None
) -> Words:
    """A new version if the document says something else than the newest, else that one.

    With `after_version`, only if that one is still the newest, so that nobody overwrites what they have not seen.
    """
    shaped = checked(kind, document)
    with transaction.atomic():
        # One writer per project, so that two savers cannot take the same version number.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        newest = newest_words(project, kind)
        if after_version is not None and after_version != newest.version:
            raise WordsMovedOn(
                f"There is a version {newest.version} of the {kind_of(kind).LABEL.lower()} by now, which this text was "
                "not made from. Look at what it changed, then save again."
            )
        if newest.document == shaped:
            return newest
        saved = Wording.objects.create(
            project=project, kind=kind, version=newest.version + 1, document=shaped, created_by=by
        )
        details = {"kind": kind, "version": saved.version, "sha256": sha256_of(shaped)}
        record(actor=by, project=project, action="save wording", subject=saved, details=details)
    return words_of(saved)
