"""The files of a release: every released row with all that is known of it, in one Arrow schema.

The bytes depend on the rows alone: no clock, no path and no database number is in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from curation.models import Release, ReleaseRow, Split
from curation.row_schema import SCHEMA
from ledger.reporter import Reporter

ROWS_PER_GROUP = 10_000
ROWS_PER_FILE = 100_000
ROWS_PER_READ = 2_500

_READ = """
SELECT r.position, source.name AS source, source.licence, c.external_id, c.row_number, prompt.messages::text AS prompt,
       a.content AS response_a, b.content AS response_b, a.generator AS generator_a, b.generator AS generator_b,
       a.content_hash AS hash_a, b.content_hash AS hash_b, r.label, r.imported_label, r.action, r.reason, r.rule,
       r.is_by_hand, r.soften_to AS label_probability, r.margin, r.weight, r.votes, r.simulated_votes,
       r.consensus_label, r.consensus_confidence, vote.value AS vote_mean,
       (vote.fields->>'spread')::float8 AS vote_spread, (vote.fields->>'share_b')::float8 AS vote_share_b,
       (vote.fields->>'n')::int AS vote_heads, (vote.fields->'scores_a')::text AS scores_a,
       (vote.fields->'scores_b')::text AS scores_b, (duplicate.fields->>'similarity')::float8 AS duplicate_similarity,
       (duplicate.fields->>'is_duplicate')::boolean AS is_duplicate, c.metadata::text AS metadata
FROM curation_releaserow r
JOIN corpus_comparison c ON c.id = r.comparison_id
JOIN corpus_source source ON source.id = c.source_id
JOIN corpus_prompt prompt ON prompt.id = c.prompt_id
JOIN corpus_response a ON a.id = c.response_a_id
JOIN corpus_response b ON b.id = c.response_b_id
LEFT JOIN curation_signal vote ON vote.run_id = %(vote_run)s AND vote.comparison_id = c.id
LEFT JOIN curation_signal duplicate ON duplicate.run_id = %(duplicate_run)s AND duplicate.comparison_id = c.id
WHERE r.release_id = %(release)s AND r.split = %(split)s AND r.position >= %(begin)s AND r.position < %(end)s
ORDER BY r.position
"""


def read_batches(release: Release, split: Split, begin: int, end: int) -> Iterator[pa.RecordBatch]:
    """Rows by their place, a few thousand at a time: constant memory, and no cursor that lives through a long write."""
    for start in range(begin, end, ROWS_PER_READ):
        yield _batch(_read(release, split, start, min(start + ROWS_PER_READ, end)))


def _read(release: Release, split: Split, begin: int, end: int) -> list[dict[str, Any]]:
    runs = release.manifest["runs"]
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "release": release.pk,
                "split": split.value,
                "begin": begin,
                "end": end,
                "vote_run": runs.get("model_vote", {}).get("id", -1),
                "duplicate_run": runs.get("near_duplicates", {}).get("id", -1),
            },
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    for row in rows:
        row["prompt"] = [
            {"role": message.get("role", ""), "content": message.get("content") or ""}
            for message in orjson.loads(row["prompt"])
        ]
        row["id"] = row_id(row["source"], bytes(row["hash_a"]), bytes(row["hash_b"]))
        row["metadata"] = orjson.dumps(orjson.loads(row["metadata"]), option=orjson.OPT_SORT_KEYS).decode()
        for side in ("scores_a", "scores_b"):
            row[side] = orjson.loads(row[side]) if row[side] else None
    return pa.RecordBatch.from_pylist(rows, schema=SCHEMA)


def row_id(source: str, hash_a: bytes, hash_b: bytes) -> str:
    return hashlib.sha256(source.encode() + b"\0" + hash_a + hash_b).hexdigest()[:32]


def write_parquet(batches: Iterator[pa.RecordBatch], schema: pa.Schema, target: Any) -> int:
    """How many rows were written. The same batches give the same bytes."""
    rows = 0
    with open_writer(target, schema) as writer:
        for group in in_groups(batches):
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            rows += group.num_rows
    return rows


def open_writer(target: Any, schema: pa.Schema) -> pq.ParquetWriter:
    # Without dictionaries: nearly all bytes are texts that come once, and zstd finds the rest.
    return pq.ParquetWriter(
        target, schema, compression="zstd", use_dictionary=False, write_page_index=True, version="2.6"
    )


def in_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables of exactly ROWS_PER_GROUP rows (the last may be smaller), however the batches were cut."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        while rows + batch.num_rows >= ROWS_PER_GROUP:
            head = ROWS_PER_GROUP - rows
            yield pa.Table.from_batches([*held, batch.slice(0, head)]).combine_chunks()
            batch = batch.slice(head)
            held, rows = [], 0
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def write_file(release: Release, split: Split, begin: int, end: int, path: Path, reporter: Reporter) -> None:
    done = sum(ReleaseRow.objects.filter(release=release, split=before).count() for before in _before(split)) + begin
    total = release.manifest["counts"]["released"]

    def watched() -> Iterator[pa.RecordBatch]:
        nonlocal done
        for batch in read_batches(release, split, begin, end):
            reporter.check_cancelled()
            yield batch
            done += batch.num_rows
            reporter.progress(done, total, "writing files")

    with open(path, "wb") as target:
        write_parquet(watched(), SCHEMA, target)


def _before(split: Split) -> list[Split]:
    return list(Split)[: list(Split).index(split)]
