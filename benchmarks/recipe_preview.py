"""Seconds until a curator sees what a recipe would do, over a million comparisons with votes and duplicates."""

from __future__ import annotations

import statistics
import time
from typing import Any

from benchmarks.bed import make_bed

ROWS = 1_000_000
ROUNDS = 3


def main(rows: int = ROWS, rounds: int = ROUNDS) -> None:
    make_bed()
    project = _project(rows)

    from curation.preview import preview
    from curation.recipes import STARTER
    from curation.rules import parse

    rules, taken = parse(STARTER), []
    for _ in range(rounds):
        started = time.perf_counter()
        found = preview(project=project, rules=rules)
        taken.append(time.perf_counter() - started)
    print(f"{found.total:,} comparisons, {len(rules.rules)} rules, median of {rounds} rounds")
    print(f"  preview with counts and examples {statistics.median(taken):6.2f} s   (target 5 s for 1,000,000)")


def _project(rows: int) -> Any:
    """Short texts: what is measured reads labels, votes and groups, and only those responses that are empty."""
    from django.db import connection

    from accounts.models import Project
    from corpus.models import Source
    from ledger.models import Run

    project = Project.objects.create(slug="bench-preview", name="Bench")
    source = Source.objects.create(project=project, name="bench", format="generic")
    cuts = {"sources": {str(source.pk): {"rms_margin": 1.0, "strong_cut": 1.2}}}
    runs = [
        Run.objects.create(project=project, kind="method", method=method, queue="cpu", state="done", result=cuts)
        for method in ("model_vote", "near_duplicates")
    ]
    names = {"rows": rows, "project": project.pk, "source": source.pk, "vote": runs[0].pk, "duplicate": runs[1].pk}
    with connection.cursor() as cursor:
        for statement in _SEED:
            cursor.execute(statement, names)
    return project


_SEED = (
    "INSERT INTO corpus_prompt (project_id, messages, content_hash, metadata) SELECT %(project)s,"
    " jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'Question ' || g)),"
    " sha256(('preview' || g)::bytea), '{}' FROM generate_series(1, %(rows)s) g",
    "INSERT INTO corpus_response (prompt_id, content, generator, content_hash) SELECT p.id, side || ' ' || p.id, '',"
    " sha256((side || p.id)::bytea) FROM corpus_prompt p, unnest(ARRAY['a', 'b']) side"
    " WHERE p.project_id = %(project)s ORDER BY p.id",
    "INSERT INTO corpus_comparison (project_id, source_id, prompt_id, response_a_id, response_b_id, labels, label,"
    " row_number, external_id, metadata) SELECT %(project)s, %(source)s, prompt_id, min(corpus_response.id),"
    " max(corpus_response.id),"
    " ARRAY[2 * (prompt_id %% 2) - 1]::smallint[], (2 * (prompt_id %% 2) - 1)::smallint, prompt_id, '', '{}'"
    " FROM corpus_response JOIN corpus_prompt ON corpus_prompt.id = prompt_id AND project_id = %(project)s"
    " GROUP BY prompt_id ORDER BY prompt_id",
    "INSERT INTO curation_signal (run_id, comparison_id, value, fields) SELECT %(vote)s, id, sin(id),"
    " jsonb_build_object('mean', sin(id), 'spread', 0.5, 'share_b', CASE WHEN sin(id) > 0 THEN 1 ELSE 0 END, 'n', 10)"
    " FROM corpus_comparison WHERE project_id = %(project)s ORDER BY id",
    "INSERT INTO curation_signal (run_id, comparison_id, value, fields) SELECT %(duplicate)s, id, 0.5,"
    " jsonb_build_object('group', id, 'is_duplicate', id %% 20 = 0, 'exact', id %% 40 = 0, 'similarity', 0.5)"
    " FROM corpus_comparison WHERE project_id = %(project)s ORDER BY id",
    "VACUUM ANALYZE",
)
