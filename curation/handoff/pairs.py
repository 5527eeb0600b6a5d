"""Comparisons as a run reads them: in order of id, in batches, with the base label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Project
from curation.standing import Standing


@dataclass(frozen=True, slots=True)
class PairRow:
    id: int
    source_id: int
    prompt_id: int
    messages: list[dict[str, Any]]
    a_id: int
    a: str
    b_id: int
    b: str
    # -3..3: decided by hand, else imported, else the consensus of people; never what a recipe decided.
    label: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """Comparisons with after < id <= until; `items` of them."""

    # None where the range spans all sources.
    source_id: int | None
    after: int
    until: int
    items: int


def ranges(project: Project, *, size: int) -> list[Range]:
    """The project's comparisons as they are now, in pieces of at most `size` of one source."""
    with connection.cursor() as cursor:
        cursor.execute(RANGES, {"project": project.id, "size": size})
        return [Range(*row) for row in cursor.fetchall()]


def read_pairs(
    project: Project, *, source_id: int | None, after: int, until: int, batch: int = 2000
) -> Iterator[PairRow]:
    standing = Standing.of(project, sees="base")
    label = standing.label
    for table in ("prompt", "response_a", "response_b"):
        standing.join(table)
    of_source = f" AND c.source_id = {standing.param(source_id)}" if source_id is not None else ""
    start, end = standing.param(after), standing.param(until)
    sql = (
        "SELECT c.id, c.source_id, c.prompt_id, prompt.messages::text, c.response_a_id, response_a.content,"
        f" c.response_b_id, response_b.content, {label} {standing.from_sql}{of_source}"
        f" AND c.id > {start} AND c.id <= {end} ORDER BY c.id LIMIT {int(batch)}"
    )
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, standing.params)
            rows = cursor.fetchall()
        for row in rows:
            yield PairRow(row[0], row[1], row[2], json.loads(row[3]), *row[4:])
        if len(rows) < batch:
            return
        standing.params[start.removeprefix("%(").removesuffix(")s")] = rows[-1][0]


RANGES = """
    WITH numbered AS (
        SELECT source_id, id, (row_number() OVER (PARTITION BY source_id ORDER BY id) - 1) / %(size)s AS piece
          FROM corpus_comparison
         WHERE project_id = %(project)s
    )
    SELECT source_id, min(id) - 1, max(id), count(*)
      FROM numbered
  GROUP BY source_id, piece
  ORDER BY source_id, piece
"""
