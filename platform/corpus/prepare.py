"""A parsed row made ready for PostgreSQL: bytes, hashes, and the order of the two sides that tells nothing."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from corpus.hashing import Message, canonical_json
from corpus.importers._base import ParsedRow, RowRejected

METADATA_BYTES = 32 * 1024
ID_LENGTH = 1000
GENERATOR_LENGTH = 200


class PreparedRow(NamedTuple):
    """response_a is the side with the smaller content hash, whatever the file called it."""

    number: int
    source: str
    prompt_hash: bytes
    # Canonical JSON.
    messages: bytes
    hash_a: bytes
    content_a: bytes
    generator_a: bytes
    hash_b: bytes
    content_b: bytes
    generator_b: bytes
    # -3..3, negative = response_a better; None also where both sides are the same text.
    label: int | None
    external_id: bytes
    # JSON.
    metadata: bytes


def prepare(number: int, row: ParsedRow, source: str) -> PreparedRow:
    try:
        messages = canonical_json(row.messages)
        content_a, content_b = row.response_a.encode(), row.response_b.encode()
        external_id = row.external_id.encode()
        generator_a, generator_b = row.generator_a.encode(), row.generator_b.encode()
        metadata = _metadata(row.metadata)
        (row.source or source).encode()
    except (UnicodeEncodeError, orjson.JSONEncodeError) as error:
        raise RowRejected("lone_surrogate", "The row holds half of a surrogate pair, which no text may.") from error
    if b"\0" in content_a or b"\0" in content_b or b"\0" in external_id + generator_a + generator_b:
        raise _holds_nul()
    if b"\\u0000" in messages + metadata or "\0" in row.source:
        _refuse_nul(row.messages, row.metadata, row.source)
    if len(external_id) > ID_LENGTH:
        raise RowRejected("bad_id", f"The id is longer than {ID_LENGTH} characters.")
    if len(generator_a) > GENERATOR_LENGTH or len(generator_b) > GENERATOR_LENGTH:
        raise RowRejected("bad_generator", f"The name of a generator is longer than {GENERATOR_LENGTH} bytes.")
    hash_a, hash_b = sha256(content_a).digest(), sha256(content_b).digest()
    label = row.label
    if hash_a > hash_b:
        hash_a, content_a, generator_a, hash_b, content_b, generator_b = (
            hash_b, content_b, generator_b, hash_a, content_a, generator_a,
        )  # fmt: skip
        label = -label if label is not None else None
    return PreparedRow(
        number,
        row.source or source,
        sha256(messages).digest(),
        messages,
        hash_a,
        content_a,
        generator_a,
        hash_b,
        content_b,
        generator_b,
        label if hash_a != hash_b else None,
        external_id,
        metadata,
    )


def size_of(row: PreparedRow) -> int:
    return len(row.messages) + len(row.content_a) + len(row.content_b) + len(row.metadata)


def _metadata(columns: dict[str, Any]) -> bytes:
    """What is beyond the bound is left out by whole columns, and named."""
    if not columns:
        return b"{}"
    encoded = orjson.dumps(columns, default=str)
    if len(encoded) <= METADATA_BYTES:
        return encoded
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    size = 0
    for name, value in columns.items():
        length = len(orjson.dumps(value, default=str)) + len(name) + 4
        if size + length > METADATA_BYTES:
            left_out.append(name[:100])
        else:
            kept[name] = value
            size += length
    return orjson.dumps(kept | {"_left_out": left_out[:20]}, default=str)


def _refuse_nul(messages: list[Message], metadata: dict[str, Any], source: str) -> None:
    """JSON writes NUL as an escape; a text that merely spells that escape may come in."""
    if "\0" in source or any("\0" in message["content"] or "\0" in message["role"] for message in messages):
        raise _holds_nul()
    if _holds_nul_deep(metadata):
        raise _holds_nul()


def _holds_nul_deep(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in str(key) or _holds_nul_deep(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(_holds_nul_deep(item) for item in value)


def _holds_nul() -> RowRejected:
    return RowRejected("nul_character", "The row holds a NUL character, which PostgreSQL cannot store.")
