"""What people said, a row per judgment, under pseudonyms; streamed, so that a million cost no more memory than ten."""

from __future__ import annotations

import csv
import io
import itertools
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection, transaction

from accounts.problems import NotFound
from annotation.models import Campaign
from annotation.votes.formulas import neutral
from annotation.votes.pseudonyms import Pseudonyms

ROWS_AT_ONCE = 2_000
COLUMNS = (
    "campaign_id", "campaign", "judgment", "kind", "unit", "purpose", "annotator", "annotator_kind", "comparison_id",
    "external_id", "source", "prompt_id", "response_a_id", "response_b_id", "response_ids", "order", "choice",
    "both_bad", "response_id", "reason", "seconds", "created_at", "guidelines_version", "rubric", "rubric_version",
    "superseded", "payload", "prompt_sha256", "response_a_sha256", "response_b_sha256",
)  # fmt: skip
TEXT_COLUMNS = ("prompt_messages", "response_a", "response_b")
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}

Row = dict[str, Any]


@dataclass(frozen=True)
class VotesExport:
    """Raw votes of one campaign."""

    campaign: Campaign
    extension: str
    # Also what its author has replaced.
    has_replaced: bool = False
    # Also prompt and responses, so that the file stands by itself.
    has_texts: bool = False
    is_packed: bool = False

    def __post_init__(self) -> None:
        if self.extension not in CONTENT_TYPES:
            raise NotFound(f"Raw votes come as {' or '.join(CONTENT_TYPES)}, not as {self.extension[:20]!r}.")

    @property
    def content_type(self) -> str:
        return "application/gzip" if self.is_packed else CONTENT_TYPES[self.extension]

    @property
    def file_name(self) -> str:
        ending = f"{self.extension}.gz" if self.is_packed else self.extension
        return f"{self.campaign.project.slug}-campaign-{self.campaign.pk}-votes.{ending}"

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS + TEXT_COLUMNS if self.has_texts else COLUMNS

    def stream(self) -> Iterator[bytes]:
        pieces = _csv(self.rows(), self.columns) if self.extension == "csv" else _json_lines(self.rows())
        return _packed(pieces) if self.is_packed else pieces

    def rows(self) -> Iterator[Row]:
        """In the order in which they were given."""
        pseudonyms = Pseudonyms(self.campaign.project)
        texts = _TEXTS if self.has_texts else ""
        standing = "" if self.has_replaced else "AND j.superseded_by_id IS NULL"
        with transaction.atomic():
            connection.ensure_connection()
            with connection.connection.cursor(name="raw_votes") as cursor:
                cursor.itersize = ROWS_AT_ONCE
                cursor.execute(_VOTES.format(texts=texts, standing=standing), [self.campaign.pk])
                for found in cursor:
                    yield self._row(found, pseudonyms)

    def _row(self, found: tuple[Any, ...], pseudonyms: Pseudonyms) -> Row:
        (
            judgment, kind, purpose, annotator_id, is_simulated, is_imported, comparison_id, external_id, source,
            prompt_id, a, b, shown, choice, is_both_bad, payload_text, seconds, created_at, guidelines, rubric,
            rubric_version, superseded, prompt_hash, hash_a, hash_b, *texts,
        ) = found  # fmt: skip
        payload = orjson.loads(payload_text)
        row = {
            "campaign_id": self.campaign.pk,
            "campaign": self.campaign.name,
            "judgment": judgment,
            "kind": kind,
            "unit": self.campaign.unit,
            "purpose": purpose,
            "annotator": pseudonyms.of(annotator_id),
            "annotator_kind": "simulated" if is_simulated else "imported" if is_imported else "person",
            "comparison_id": comparison_id,
            "external_id": external_id,
            "source": source,
            "prompt_id": prompt_id,
            "response_a_id": a,
            "response_b_id": b,
            "response_ids": shown,
            "order": _order(shown, a, payload),
            "choice": _choice(choice, is_both_bad, payload),
            "both_bad": is_both_bad,
            "response_id": None if not choice else a if choice < 0 else b,
            "reason": payload.get("reason"),
            "seconds": seconds,
            "created_at": created_at.isoformat(),
            "guidelines_version": guidelines,
            "rubric": rubric,
            "rubric_version": rubric_version,
            "superseded": superseded,
            "payload": payload,
            "prompt_sha256": bytes(prompt_hash).hex() if prompt_hash else None,
            "response_a_sha256": bytes(hash_a).hex() if hash_a else None,
            "response_b_sha256": bytes(hash_b).hex() if hash_b else None,
        }
        if texts:
            row |= {"prompt_messages": orjson.loads(texts[0]), "response_a": texts[1], "response_b": texts[2]}
        return row


def _order(shown: list[int], response_a_id: int | None, payload: dict[str, Any]) -> str | None:
    """ab or ba; nothing where there is no comparison, or where an imported vote came without it."""
    imported = payload.get("imported")
    if response_a_id is None or (isinstance(imported, dict) and imported.get("order_known") is False):
        return None
    return "ab" if shown[0] == response_a_id else "ba"


def _choice(choice: int | None, is_both_bad: bool, payload: dict[str, Any]) -> int | str | None:
    if is_both_bad:
        return "both_bad"
    return "both_good" if payload.get("choice") == "both_good" else choice


def _json_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for some in _batched(rows):
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in some)


def _batched(rows: Iterable[Row]) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while some := list(itertools.islice(waiting, ROWS_AT_ONCE)):
        yield some


def _csv(rows: Iterable[Row], columns: tuple[str, ...]) -> Iterator[bytes]:
    """UTF-8; nothing where JSON has null, JSON for lists and objects, and no text that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    yield text.getvalue().encode()
    for some in _batched(rows):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([_cell(row[name]) for name in columns] for row in some)
        yield text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def _packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gzip = zlib.compressobj(level=6, wbits=31)
    for piece in pieces:
        if packed := gzip.compress(piece):
            yield packed
    yield gzip.flush()


_TEXTS = ", p.messages::text, ra.content, rb.content"
_VOTES = """
SELECT j.id, j.kind, j.purpose, j.annotator_id, u.is_simulated, u.is_imported, j.comparison_id, c.external_id, s.name,
       coalesce(c.prompt_id, t.prompt_id), c.response_a_id, c.response_b_id, j.order_shown, j.choice, j.is_both_bad,
       j.payload::text, j.active_seconds, j.created_at, j.guidelines_version, r.name, r.version,
       j.superseded_by_id IS NOT NULL, p.content_hash, ra.content_hash, rb.content_hash{texts}
FROM annotation_judgment j
JOIN annotation_assignment a ON a.id = j.assignment_id
JOIN annotation_task t ON t.id = a.task_id
JOIN accounts_user u ON u.id = j.annotator_id
LEFT JOIN corpus_comparison c ON c.id = j.comparison_id
LEFT JOIN corpus_source s ON s.id = c.source_id
LEFT JOIN corpus_prompt p ON p.id = coalesce(c.prompt_id, t.prompt_id)
LEFT JOIN corpus_response ra ON ra.id = c.response_a_id
LEFT JOIN corpus_response rb ON rb.id = c.response_b_id
LEFT JOIN annotation_rubric r ON r.id = j.rubric_id
WHERE j.campaign_id = %s {standing}
ORDER BY j.id
"""
