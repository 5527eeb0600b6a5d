"""Rows of the three corpus tables in PostgreSQL's binary COPY format, built by hand because it is the hot path."""

from __future__ import annotations

from struct import Struct, pack

HEADER = b"PGCOPY\n\xff\r\n\0" + pack(">ii", 0, 0)
TRAILER = pack(">h", -1)

COPY_PROMPTS = "COPY corpus_prompt (id, project_id, messages, content_hash, metadata) FROM STDIN (FORMAT BINARY)"
COPY_RESPONSES = "COPY corpus_response (id, prompt_id, content, generator, content_hash) FROM STDIN (FORMAT BINARY)"
COPY_COMPARISONS = (
    "COPY corpus_comparison (id, project_id, source_id, prompt_id, response_a_id, response_b_id, row_number, "
    "labels, label, external_id, metadata) FROM STDIN (FORMAT BINARY)"
)

_two_ids_and_a_length = Struct(">hiqiqi").pack
_seven_numbers = Struct(">hiqiqiqiqiqiqiq").pack
_length = Struct(">i").pack
HASH_LENGTH = _length(32)
# jsonb begins with its version.
JSONB_VERSION = b"\x01"
NO_METADATA = _length(3) + JSONB_VERSION + b"{}"
SMALLINT_OID = 21


def prompt_row(id_: int, project_id: int, messages: bytes, content_hash: bytes) -> bytes:
    head = _two_ids_and_a_length(5, 8, id_, 8, project_id, len(messages) + 1)
    return head + JSONB_VERSION + messages + HASH_LENGTH + content_hash + NO_METADATA


def response_row(id_: int, prompt_id: int, content: bytes, generator: bytes, content_hash: bytes) -> bytes:
    head = _two_ids_and_a_length(5, 8, id_, 8, prompt_id, len(content))
    return head + content + _length(len(generator)) + generator + HASH_LENGTH + content_hash


def comparison_row(
    numbers: tuple[int, int, int, int, int, int, int],
    labels: tuple[int, ...],
    external_id: bytes,
    metadata: bytes,
) -> bytes:
    """`numbers` are id, project, source, prompt, response_a, response_b and row number."""
    id_, project, source, prompt, response_a, response_b, row_number = numbers
    return b"".join(
        (
            _seven_numbers(11, 8, id_, 8, project, 8, source, 8, prompt, 8, response_a, 8, response_b, 8, row_number),
            _labels_and_label(labels),
            _length(len(external_id)),
            external_id,
            _length(len(metadata) + 1),
            JSONB_VERSION,
            metadata,
        )
    )


_encoded_labels: dict[tuple[int, ...], bytes] = {}


def _labels_and_label(labels: tuple[int, ...]) -> bytes:
    """The array, and the one label where there is exactly one."""
    encoded = _encoded_labels.get(labels)
    if encoded is None:
        array = pack(">iii", 1 if labels else 0, 0, SMALLINT_OID)
        if labels:
            array += pack(">ii", len(labels), 1) + b"".join(pack(">ih", 2, label) for label in labels)
        one = pack(">ih", 2, labels[0]) if len(labels) == 1 else _length(-1)
        encoded = _encoded_labels[labels] = _length(len(array)) + array + one
    return encoded
