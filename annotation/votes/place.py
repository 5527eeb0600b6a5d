"""Which comparison each voted item is, made through the corpus's own importer where it is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.db import connection

from accounts.models import Project
from annotation.votes.importers._base import Reference
from annotation.votes.read_votes import Item
from corpus.importers._base import RowRejected
from corpus.prepare import PreparedRow
from corpus.store import BatchWriter, Written

# Source, prompt, response_a and response_b, the last three by their hashes.
Key = tuple[str, bytes, bytes, bytes]
MAX_REPEATS = 100


class Place(NamedTuple):
    comparison_id: int
    external_id: str
    response_a_id: int
    response_b_id: int


class Placed(NamedTuple):
    items: list[tuple[Item, Place]]
    rejects: list[tuple[int, RowRejected]]
    written: Written


def place(project: Project, items: Sequence[Item], writer: BatchWriter, *, is_apart: bool) -> Placed:
    """`is_apart`: where a pair comes again under another id, that is a comparison of its own, in a source of its own.

    The caller holds a transaction and the lock of the project's imports.
    """
    if is_apart:
        items = _apart(project, items)
    written = _written(items, writer)
    by_key = known_places(project, [key for item in items if (key := _key(item))])
    by_id = _places_by_id(project, items)
    placed, rejects = [], []
    for item in items:
        key = _key(item)
        found = by_key.get(key) if key else by_id.get((item.pair.source, item.pair.external_id))  # type: ignore[arg-type]  # a reference then
        if isinstance(found, Place):
            placed.append((item, found))
        else:
            rejects.append((item.number, found or _unknown(item)))
    _tell_subjects(project, items)
    return Placed(placed, rejects, written)


def _written(items: Sequence[Item], writer: BatchWriter) -> Written:
    """A table has a row per vote: of those that say the same of a pair, the corpus is given the first."""
    pairs = [item.pair for item in items if isinstance(item.pair, PreparedRow)]
    distinct: dict[tuple[Any, ...], PreparedRow] = {}
    for pair in pairs:
        distinct.setdefault((pair.source, pair.prompt_hash, pair.hash_a, pair.hash_b, pair.label), pair)
    if not pairs:
        return Written()
    written = writer.write(list(distinct.values()))
    written.unchanged += len(pairs) - len(distinct)
    return written


def _key(item: Item) -> Key | None:
    pair = item.pair
    if isinstance(pair, PreparedRow):
        return (pair.source, pair.prompt_hash, pair.hash_a, pair.hash_b)
    return (pair.source, *pair.hashes) if pair.hashes else None


def _unknown(item: Item) -> RowRejected:
    source = item.pair.source
    return RowRejected("unknown_comparison", f"The source {source[:60]!r} of this project has no such comparison.")


def known_places(project: Project, keys: Sequence[Key]) -> dict[Key, Place]:
    if not keys:
        return {}
    keys = list(dict.fromkeys(keys))
    with connection.cursor() as cursor:
        sources, prompts, firsts, seconds = (list(column) for column in zip(*keys, strict=True))
        cursor.execute(_PLACES, [sources, prompts, firsts, seconds, project.pk, project.pk])
        return {keys[row[0] - 1]: Place(*row[1:]) for row in cursor.fetchall()}


def _places_by_id(project: Project, items: Sequence[Item]) -> dict[tuple[str, str], Place | RowRejected]:
    """A doubled id names no comparison: it says so instead of choosing one."""
    named = {
        (item.pair.source, item.pair.external_id)
        for item in items
        if isinstance(item.pair, Reference) and item.pair.hashes is None
    }
    found: dict[tuple[str, str], Place | RowRejected] = {}
    if not named:
        return found
    with connection.cursor() as cursor:
        for source in sorted({source for source, _ in named}):
            wanted = [external_id for of, external_id in named if of == source]
            cursor.execute(_PLACES_BY_ID, [project.pk, source, wanted])
            for row in cursor.fetchall():
                key, here = (source, row[1]), Place(*row)
                doubled = RowRejected("ambiguous_comparison", f"The id {row[1][:60]!r} names several comparisons.")
                found[key] = doubled if key in found else here
    return found


def _apart(project: Project, items: Sequence[Item]) -> list[Item]:
    """Each item in the first source where its pair is new, or is known by this very id."""
    settled: dict[int, Item] = {}
    waiting = dict(enumerate(items))
    for repeat in range(1, MAX_REPEATS + 1):
        tried = {place_of: _in_repeat(item, repeat) for place_of, item in waiting.items()}
        keys = [key for item in tried.values() if (key := _key(item))]
        ids = {key: found.external_id for key, found in known_places(project, keys).items()}
        for place_of, item in tried.items():
            key, external_id = _key(item), _external_id(item)
            if not key or not external_id or ids.setdefault(key, external_id) == external_id:
                settled[place_of] = item
                del waiting[place_of]
        if not waiting:
            break
    return [settled.get(place_of, item) for place_of, item in enumerate(items)]


def _in_repeat(item: Item, repeat: int) -> Item:
    if repeat == 1 or not isinstance(item.pair, PreparedRow):
        return item
    name = f"{item.pair.source[:100]}, repeat {repeat}"
    return replace(item, pair=item.pair._replace(source=name))


def _external_id(item: Item) -> str:
    pair = item.pair
    return pair.external_id.decode() if isinstance(pair, PreparedRow) else ""


def _tell_subjects(project: Project, items: Sequence[Item]) -> None:
    """What a prompt is about is said once; a later file does not change it."""
    subjects = {
        item.pair.prompt_hash: item.subject for item in items if item.subject and isinstance(item.pair, PreparedRow)
    }
    if subjects:
        with connection.cursor() as cursor:
            cursor.execute(_TELL_SUBJECTS, [list(subjects), list(subjects.values()), project.pk])


_PLACES = """
SELECT w.n, c.id, c.external_id, c.response_a_id, c.response_b_id
FROM unnest(%s::text[], %s::bytea[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS w (source, prompt, a, b, n)
JOIN corpus_source s ON s.project_id = %s AND s.name = w.source
JOIN corpus_prompt p ON p.project_id = %s AND p.content_hash = w.prompt
JOIN corpus_response a ON a.prompt_id = p.id AND a.content_hash = w.a
JOIN corpus_response b ON b.prompt_id = p.id AND b.content_hash = w.b
JOIN corpus_comparison c ON c.source_id = s.id AND c.response_a_id = a.id AND c.response_b_id = b.id
"""
_PLACES_BY_ID = """
SELECT c.id, c.external_id, c.response_a_id, c.response_b_id
FROM corpus_comparison c JOIN corpus_source s ON s.id = c.source_id
WHERE s.project_id = %s AND s.name = %s AND c.external_id = ANY(%s) AND c.external_id <> ''
ORDER BY c.id
"""
_TELL_SUBJECTS = """
UPDATE corpus_prompt p SET metadata = p.metadata || jsonb_build_object('subject', w.subject)
FROM unnest(%s::bytea[], %s::text[]) AS w (content_hash, subject)
WHERE p.project_id = %s AND p.content_hash = w.content_hash AND NOT p.metadata ? 'subject'
"""
