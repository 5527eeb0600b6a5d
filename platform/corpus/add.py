"""Add responses and comparisons that models made to prompts that are here already.

What is there is left as it is, so that the same again adds nothing. Imports of the project wait meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection, transaction

from corpus.hashing import content_hash
from corpus.models import Source
from corpus.prepare import GENERATOR_LENGTH
from corpus.store import IMPORT_LOCK


@dataclass(frozen=True)
class NewResponse:
    prompt_id: int
    content: str
    # Who wrote it; cut to what the column holds.
    generator: str


@dataclass(frozen=True)
class NewComparison:
    """Of two responses to one prompt, whichever is stored first."""

    prompt_id: int
    one_id: int
    other_id: int
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Added:
    """`ids`: of each response asked for, in their order; `new`: how many were not there."""

    ids: list[int]
    new: int


def add_responses(project_id: int, rows: Sequence[NewResponse]) -> Added:
    keys = [(row.prompt_id, content_hash(row.content)) for row in rows]
    wanted = dict(zip(keys, rows, strict=True))
    with transaction.atomic(), connection.cursor() as cursor:
        _hold_imports(cursor, project_id)
        cursor.execute(
            "CREATE TEMP TABLE incoming_responses (prompt_id bigint, content text, generator text, content_hash bytea)"
            " ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming_responses FROM STDIN") as copy:
            # By prompt and hash: annotators see the ids, and what was written first must not tell.
            for (prompt_id, hash_), row in sorted(wanted.items()):
                copy.write_row((prompt_id, row.content, row.generator[:GENERATOR_LENGTH], hash_))
        cursor.execute(INSERT_RESPONSES, {"project": project_id})
        new = int(cursor.rowcount)
        cursor.execute(FIND_RESPONSES)
        found = {(prompt_id, bytes(hash_)): id_ for id_, prompt_id, hash_ in cursor.fetchall()}
        cursor.execute("DROP TABLE incoming_responses")
    return Added([found[key] for key in keys], new)


INSERT_RESPONSES = """
    INSERT INTO corpus_response (prompt_id, content, generator, content_hash)
    SELECT i.prompt_id, i.content, i.generator, i.content_hash
      FROM incoming_responses i JOIN corpus_prompt p ON p.id = i.prompt_id AND p.project_id = %(project)s
  ORDER BY i.prompt_id, i.content_hash
        ON CONFLICT (prompt_id, content_hash) DO NOTHING
"""
FIND_RESPONSES = """
    SELECT r.id, r.prompt_id, r.content_hash
      FROM corpus_response r JOIN incoming_responses i USING (prompt_id, content_hash)
"""


def add_comparisons(project_id: int, source: str, rows: Sequence[NewComparison]) -> int:
    """Without a label, in a source of its own; how many were not there."""
    if not rows:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        _hold_imports(cursor, project_id)
        into, _ = Source.objects.get_or_create(project_id=project_id, name=source, defaults={"format": "generated"})
        cursor.execute(
            "CREATE TEMP TABLE incoming_comparisons (place bigint, prompt_id bigint, one_id bigint, other_id bigint,"
            " metadata jsonb) ON COMMIT DROP"
        )
        with cursor.copy("COPY incoming_comparisons FROM STDIN") as copy:
            for place, row in enumerate(rows):
                metadata = orjson.dumps(row.metadata).decode()
                copy.write_row((place, row.prompt_id, row.one_id, row.other_id, metadata))
        cursor.execute(INSERT_COMPARISONS, {"project": project_id, "source": into.pk})
        new = int(cursor.rowcount)
        cursor.execute("DROP TABLE incoming_comparisons")
    return new


# response_a is the one with the smaller content hash, so that the order tells nothing.
INSERT_COMPARISONS = """
    INSERT INTO corpus_comparison (project_id, source_id, prompt_id, response_a_id, response_b_id, labels, label,
                                   row_number, external_id, metadata)
    SELECT %(project)s, %(source)s, i.prompt_id,
           CASE WHEN one.content_hash <= other.content_hash THEN one.id ELSE other.id END,
           CASE WHEN one.content_hash <= other.content_hash THEN other.id ELSE one.id END,
           '{}', NULL,
           (SELECT COALESCE(max(row_number), 0) FROM corpus_comparison WHERE source_id = %(source)s) + i.place + 1,
           '', i.metadata
      FROM incoming_comparisons i
      JOIN corpus_prompt p ON p.id = i.prompt_id AND p.project_id = %(project)s
      JOIN corpus_response one ON one.id = i.one_id AND one.prompt_id = i.prompt_id
      JOIN corpus_response other ON other.id = i.other_id AND other.prompt_id = i.prompt_id
  ORDER BY i.place
        ON CONFLICT (source_id, response_a_id, response_b_id) DO NOTHING
"""


def _hold_imports(cursor: Any, project_id: int) -> None:
    """An import looks for what it knows, then writes the rest: nobody may come in between."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK | project_id])
