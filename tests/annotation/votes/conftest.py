from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Project
from annotation.votes.ingest import VoteOptions, ingest_votes
from corpus.ingest import local_file
from ledger.reporter import Reporter
from tests.annotation.votes.files import BringVotes


@pytest.fixture
def bring(project: Project, tmp_path: Path) -> BringVotes:
    """Writes files of these contents and imports them as votes."""

    def bring(*, campaign: str = "Eggs", into: Project = project, **files: Any) -> dict[str, Any]:
        options = {name: files.pop(name) for name in ("source", "format", "repeats") if name in files}
        paths = []
        for name, content in files.items():
            stem, ending = name.split("__")
            paths.append(tmp_path / f"{stem}.{ending.replace('_', '.')}")
            paths[-1].write_bytes(content)
        return ingest_votes(
            project=into,
            files=[local_file(path) for path in paths],
            options=VoteOptions(campaign=campaign, **options),
            by=None,
            reporter=Reporter(),
            rejects_name="imports/test/rejects.jsonl",
        )

    return bring
