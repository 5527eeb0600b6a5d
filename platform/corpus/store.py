"""Write a batch of prepared rows: look up what is known, COPY only what is new, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psycopg
from django.db import connection, transaction

from corpus.copy_rows import (
    COPY_COMPARISONS,
    COPY_PROMPTS,
    COPY_RESPONSES,
    HEADER,
    TRAILER,
    comparison_row,
    prompt_row,
    response_row,
)
from corpus.models import Source, SourceFile
from corpus.prepare import PreparedRow

# With the project's id it is the key of the advisory lock that keeps imports of one project apart.
IMPORT_LOCK = 0x57696E6E << 32
COPY_PIECE = 100


@dataclass(frozen=True)
class FileFacts:
    name: str
    sha256: str
    size: int
    format: str
    licence: str


@dataclass(frozen=True)
class Contradiction:
    """A row that gives a known pair another label, and the row that was first."""

    source: str
    row: int
    first_row: int
    comparison_id: int


@dataclass
class Written:
    accepted: int = 0
    unchanged: int = 0
    contradicted: int = 0
    # Of the accepted ones.
    identical: int = 0
    empty: int = 0
    contradictions: list[Contradiction] = field(default_factory=list)


@dataclass(slots=True)
class _Comparison:
    id: int
    labels: tuple[int, ...]
    first_row: int
    # The row that created it in this batch; None if it was in the table before.
    new_from: PreparedRow | None
    prompt_id: int
    is_changed: bool = False


Key = tuple[int, int, int]


class BatchWriter:
    """Writes the batches of one file into one project."""

    def __init__(self, project_id: int, file: FileFacts) -> None:
        self._project_id = project_id
        self._file = file
        self._source_ids: dict[str, int] = {}

    def write(self, rows: Sequence[PreparedRow]) -> Written:
        with transaction.atomic():
            connection.ensure_connection()
            # Server-side binding and binary results, which Django's own cursors do not use.
            with psycopg.Cursor(connection.connection) as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK | self._project_id])
                self._find_sources(rows)
                prompt_ids, new_prompts = self._prompts(cursor, rows)
                response_ids, new_responses = self._responses(cursor, rows, prompt_ids, new_prompts)
                return self._comparisons(cursor, rows, prompt_ids, response_ids, new_responses)

    def _find_sources(self, rows: Sequence[PreparedRow]) -> None:
        for name in {row.source for row in rows} - self._source_ids.keys():
            source, _ = Source.objects.get_or_create(
                project_id=self._project_id,
                name=name,
                defaults={"format": self._file.format, "licence": self._file.licence},
            )
            SourceFile.objects.get_or_create(
                source=source, sha256=self._file.sha256, defaults={"name": self._file.name, "size": self._file.size}
            )
            self._source_ids[name] = source.id

    def _prompts(self, cursor: psycopg.Cursor[Any], rows: Sequence[PreparedRow]) -> tuple[dict[bytes, int], set[int]]:
        wanted = {row.prompt_hash: row.messages for row in rows}
        cursor.execute(
            "SELECT content_hash, id FROM corpus_prompt WHERE project_id = %s AND content_hash = ANY(%b)",
            [self._project_id, list(wanted)],
            binary=True,
        )
        ids: dict[bytes, int] = dict(cursor.fetchall())
        new = [content_hash for content_hash in wanted if content_hash not in ids]
        new_ids = _allocate(cursor, "corpus_prompt", len(new))
        ids.update(zip(new, new_ids, strict=True))
        _copy(cursor, COPY_PROMPTS, (prompt_row(ids[hash_], self._project_id, wanted[hash_], hash_) for hash_ in new))
        return ids, set(new_ids)

    def _responses(
        self,
        cursor: psycopg.Cursor[Any],
        rows: Sequence[PreparedRow],
        prompt_ids: dict[bytes, int],
        new_prompts: set[int],
    ) -> tuple[dict[tuple[int, bytes], int], set[int]]:
        wanted: dict[tuple[int, bytes], tuple[bytes, bytes]] = {}
        for row in rows:
            prompt_id = prompt_ids[row.prompt_hash]
            wanted.setdefault((prompt_id, row.hash_a), (row.content_a, row.generator_a))
            wanted.setdefault((prompt_id, row.hash_b), (row.content_b, row.generator_b))
        ids: dict[tuple[int, bytes], int] = {}
        old = [key for key in wanted if key[0] not in new_prompts]
        if old:
            cursor.execute(
                "SELECT r.prompt_id, r.content_hash, r.id FROM corpus_response r"
                " JOIN unnest(%b::bigint[], %b::bytea[]) AS w (prompt_id, content_hash)"
                " USING (prompt_id, content_hash)",
                [[key[0] for key in old], [key[1] for key in old]],
                binary=True,
            )
            ids = {(prompt_id, content_hash): id_ for prompt_id, content_hash, id_ in cursor.fetchall()}
        # By prompt and hash: annotators see the ids, and what comes first in a file is often the best one.
        new = sorted(key for key in wanted if key not in ids)
        new_ids = _allocate(cursor, "corpus_response", len(new))
        ids.update(zip(new, new_ids, strict=True))
        _copy(cursor, COPY_RESPONSES, (response_row(ids[key], key[0], *wanted[key], key[1]) for key in new))
        return ids, set(new_ids)

    def _comparisons(
        self,
        cursor: psycopg.Cursor[Any],
        rows: Sequence[PreparedRow],
        prompt_ids: dict[bytes, int],
        response_ids: dict[tuple[int, bytes], int],
        new_responses: set[int],
    ) -> Written:
        keyed: list[tuple[Key, int, PreparedRow]] = []
        for row in rows:
            prompt_id = prompt_ids[row.prompt_hash]
            response_a, response_b = response_ids[prompt_id, row.hash_a], response_ids[prompt_id, row.hash_b]
            keyed.append(((self._source_ids[row.source], response_a, response_b), prompt_id, row))
        keys = {key for key, _, _ in keyed}
        known = _known(cursor, [key for key in keys if key[1] not in new_responses and key[2] not in new_responses])
        new_ids = iter(_allocate(cursor, "corpus_comparison", len(keys) - len(known)))
        written = Written()
        for key, prompt_id, row in keyed:
            comparison = known.get(key)
            if comparison is None:
                labels = () if row.label is None else (row.label,)
                known[key] = _Comparison(next(new_ids), labels, row.number, row, prompt_id)
                written.accepted += 1
                written.identical += row.hash_a == row.hash_b
                written.empty += _is_empty(row.content_a) or _is_empty(row.content_b)
            else:
                _meet_again(comparison, row, written)
        _copy(cursor, COPY_COMPARISONS, (self._row(key, new) for key, new in known.items() if new.new_from))
        _update(cursor, [old for old in known.values() if old.is_changed and not old.new_from])
        return written

    def _row(self, key: Key, comparison: _Comparison) -> bytes:
        row = comparison.new_from
        assert row is not None  # noqa: S101 - the caller has filtered
        numbers = (comparison.id, self._project_id, key[0], comparison.prompt_id, key[1], key[2], row.number)
        return comparison_row(numbers, comparison.labels, row.external_id, row.metadata)


def _meet_again(comparison: _Comparison, row: PreparedRow, written: Written) -> None:
    """A pair that is known already: the same again, its first label, or another label."""
    if row.label is None or row.label in comparison.labels:
        written.unchanged += 1
        return
    if comparison.labels:
        written.contradicted += 1
        written.contradictions.append(Contradiction(row.source, row.number, comparison.first_row, comparison.id))
    else:
        written.accepted += 1
    comparison.labels = (*comparison.labels, row.label)
    comparison.is_changed = True


def _known(cursor: psycopg.Cursor[Any], keys: list[Key]) -> dict[Key, _Comparison]:
    if not keys:
        return {}
    cursor.execute(
        "SELECT c.source_id, c.response_a_id, c.response_b_id, c.id, c.labels, c.row_number, c.prompt_id"
        " FROM corpus_comparison c"
        " JOIN unnest(%b::bigint[], %b::bigint[], %b::bigint[]) AS w (source_id, response_a_id, response_b_id)"
        " USING (source_id, response_a_id, response_b_id)",
        [list(column) for column in zip(*keys, strict=True)],
        binary=True,
    )
    return {
        (source, response_a, response_b): _Comparison(id_, tuple(labels), row_number, None, prompt)
        for source, response_a, response_b, id_, labels, row_number, prompt in cursor.fetchall()
    }


def _update(cursor: psycopg.Cursor[Any], changed: list[_Comparison]) -> None:
    for comparison in changed:
        labels = list(comparison.labels)
        cursor.execute(
            "UPDATE corpus_comparison SET labels = %s::smallint[], label = %s WHERE id = %s",
            [labels, labels[0] if len(labels) == 1 else None, comparison.id],
        )


def _allocate(cursor: psycopg.Cursor[Any], table: str, count: int) -> list[int]:
    if not count:
        return []
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')::regclass) FROM generate_series(1, %s)",
        [table, count],
        binary=True,
    )
    return [id_ for (id_,) in cursor.fetchall()]


def _copy(cursor: psycopg.Cursor[Any], statement: str, rows: Iterator[bytes]) -> None:
    """In pieces, so that PostgreSQL is busy with one while the next is built."""
    piece = b"".join(islice(rows, COPY_PIECE))
    if not piece:
        return
    with cursor.copy(statement.encode()) as copy:
        copy.write(HEADER)
        while piece:
            copy.write(piece)
            piece = b"".join(islice(rows, COPY_PIECE))
        copy.write(TRAILER)


def _is_empty(content: bytes) -> bool:
    # The first character settles nearly every row.
    return not content or (content[:1].isspace() and content.isspace())
