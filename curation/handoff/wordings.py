"""The words that a run puts to a model, as they were when the run was asked for."""

from __future__ import annotations

from datetime import datetime

from accounts.models import Project
from curation.wordings.queries import Words, newest_words, words_version


def read_wording(project: Project, kind: str, version: int, *, as_of: datetime) -> Words:
    """Version 0 is the project's newest at that moment, or the bundled one; so all pieces of a run read the same."""
    return newest_words(project, kind, as_of=as_of) if version == 0 else words_version(project, kind, version)
