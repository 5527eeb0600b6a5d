"""Files to import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Project
from corpus.ingest import ingest, local_file
from corpus.read_file import ImportOptions
from ledger.reporter import Reporter
from tests.corpus.rows import Import


@pytest.fixture
def bring(project: Project, tmp_path: Path) -> Import:
    """Write rows as JSON lines (or take bytes as they are) and import them."""

    def bring(*rows: Any, name: str = "eggs.jsonl", raw: bytes | None = None, **options: Any) -> dict[str, Any]:
        path = tmp_path / name
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        path.write_bytes(b"\n".join(lines) + b"\n" if raw is None else raw)
        return ingest(
            project=project,
            files=[local_file(path)],
            options=ImportOptions(**options),
            reporter=Reporter(),
            rejects_name="imports/test/rejects.jsonl",
        )

    return bring
