"""Rows a second out of a frozen release, beside PostgreSQL's own COPY TO of the same texts."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.bed import make_bed
from benchmarks.import_rows import PeakMemory, write_rows

ROWS = 40_000
ROUNDS = 5
# Without ties, so that every row of the release is a row of the export.
RECIPE = {
    "rules": [
        {
            "when": {"field": "label", "op": "!=", "value": 0},
            "then": "keep",
            "margin": "model_vote.strength",
        }
    ]
}


def main(rows: int = ROWS, rounds: int = ROUNDS) -> None:
    home = make_bed()
    project = _project(home / "export-rows.jsonl", rows)
    release, frozen = _frozen(project)
    count = release.manifest["splits"]["train"]["pairs"]
    print(f"{count:,} pairs of about {_bytes_per_row(home, release):,.0f} bytes of text, median of {rounds} rounds")
    print(f"  freeze                  {count / frozen:10,.0f} rows/s   ({frozen:.1f} s)")
    exports = [(name, kind) for name in ("trl_preference", "trl_reward") for kind in ("parquet", "jsonl")]
    taken: dict[Any, list[float]] = {key: [] for key in ("copy", *exports)}
    # In turns, so that whatever else the machine does falls on all of them alike.
    with PeakMemory() as memory:
        for _ in range(rounds):
            taken["copy"].append(_copy_to(project.pk))
            for name, kind in exports:
                taken[name, kind].append(_export(release, name, kind))
    copy = statistics.median(taken["copy"])
    print(f"  PostgreSQL's COPY TO    {count / copy:10,.0f} rows/s   (the same rows: prompt, both responses, label)")
    for name, kind in exports:
        seconds = statistics.median(taken[name, kind])
        print(
            f"  {name + '.' + kind:<23} {count / seconds:10,.0f} rows/s   (target 20,000)   "
            f"ratio {copy / seconds:.2f} (target 0.50)"
        )
    print(f"  peak memory above idle  {memory.above_idle / 2**20:10.0f} MiB      (target under 300)")


def _project(file: Path, rows: int) -> Any:
    from django.db import connection

    from accounts.models import Project
    from corpus.ingest import ingest, local_file
    from corpus.read_file import ImportOptions
    from ledger.models import Run
    from ledger.reporter import Reporter

    write_rows(file, rows)
    project = Project.objects.create(slug="bench-export", name="Bench")
    ingest(
        project=project,
        files=[local_file(file)],
        options=ImportOptions(),
        reporter=Reporter(),
        rejects_name="imports/bench-export/rejects.jsonl",
    )
    run = Run.objects.create(project=project, kind="method", method="model_vote", queue="cpu", state="done")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO curation_signal (run_id, comparison_id, value, fields) SELECT %s, id, m, jsonb_build_object("
            "'mean', m, 'spread', 0.5, 'share_b', 1.0, 'n', 10) FROM (SELECT id, sin(id) AS m FROM corpus_comparison"
            " WHERE project_id = %s) x",
            [run.pk, project.pk],
        )
        cursor.execute("VACUUM ANALYZE")
    return project


def _frozen(project: Any) -> tuple[Any, float]:
    from curation.freeze import freeze, new_release
    from curation.splits import Shares
    from ledger.reporter import Reporter

    release = new_release(project=project, name="v1", recipe=RECIPE, by=None, shares=Shares(100, 0, 0))
    started = time.perf_counter()
    freeze(release, Reporter())
    return release, time.perf_counter() - started


def _export(release: Any, name: str, extension: str) -> float:
    from curation.export import Export

    started = time.perf_counter()
    for piece in Export.of(release, name).stream("train", extension):
        assert piece is not None
    return time.perf_counter() - started


def _copy_to(project_id: int) -> float:
    from django.db import connection

    started = time.perf_counter()
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY (SELECT p.messages, a.content, b.content, c.label FROM corpus_comparison c"
            " JOIN corpus_prompt p ON p.id = c.prompt_id JOIN corpus_response a ON a.id = c.response_a_id"
            f" JOIN corpus_response b ON b.id = c.response_b_id WHERE c.project_id = {int(project_id)}"
            " AND c.label <> 0) TO STDOUT"
        ) as copy,
    ):
        for piece in copy:
            assert piece
    return time.perf_counter() - started


def _bytes_per_row(home: Path, release: Any) -> float:
    from curation.export import Export

    written = sum(len(piece) for piece in Export.of(release, "trl_preference").stream("train", "jsonl"))
    return float(written / max(release.manifest["splits"]["train"]["pairs"], 1))
