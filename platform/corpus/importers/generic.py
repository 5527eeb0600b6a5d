"""Any table: prompt, response_a, response_b, label, id, source, under these names or others by a mapping.

With a mapping {what Winnow reads: the file's column} the sides may also be `chosen` and `rejected`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from corpus.importers._base import (
    STRONGEST,
    ParsedRow,
    ReadOptions,
    Row,
    RowRejected,
    identifier,
    kind,
    rest,
    share,
    text,
)
from corpus.importers.trl import preference, prompt_messages

LABEL = "generic table"
DOCUMENTATION = (
    "Columns `prompt` (text or messages), `response_a`, `response_b`, `label` (a, b, tie, or -3 to 3, negative = "
    "response_a better), `id`, `source`; also `generator_a`, `generator_b`. With a mapping such as "
    "`prompt=question` they may have other names, and the sides may be `chosen` and `rejected`."
)

PAIR = ("response_a", "response_b")
ORDERED_PAIR = ("chosen", "rejected")
FIELDS = ("prompt", *PAIR, *ORDERED_PAIR, "label", "id", "source", "generator_a", "generator_b")
WORDS = {"a": -1, "b": 1, "tie": 0}
MAX_SOURCE_NAME = 120


def recognises(rows: Sequence[Row], options: ReadOptions) -> float:
    columns = columns_of(options.mapping)
    if options.mapping:
        sides = ORDERED_PAIR if "chosen" in options.mapping else PAIR
        wanted = [columns[name] for name in sides]
    else:
        wanted = [columns[name] for name in ("prompt", *PAIR)]
    return 0.95 * share(rows, lambda row: all(name in row for name in wanted))


def read(row: Row, options: ReadOptions) -> ParsedRow:
    columns, used = _columns_and_used(tuple(options.mapping.items()))
    if "chosen" in options.mapping:
        chosen, rejected = row.get(columns["chosen"]), row.get(columns["rejected"])
        if chosen is None or rejected is None:
            raise RowRejected("missing_field", "The chosen or the rejected side is missing or null.")
        messages, response_a, response_b = preference(row.get(columns["prompt"]), chosen, rejected)
        label: int | None = -1
    else:
        messages = prompt_messages(row.get(columns["prompt"]), columns["prompt"])
        response_a, response_b = text(row, columns["response_a"]), text(row, columns["response_b"])
        label = signed_label(row.get(columns["label"]))
    return ParsedRow(
        messages=messages,
        response_a=response_a,
        response_b=response_b,
        label=label,
        external_id=identifier(row.get(columns["id"])),
        source=_source(row.get(columns["source"])),
        generator_a=identifier(row.get(columns["generator_a"])),
        generator_b=identifier(row.get(columns["generator_b"])),
        metadata=rest(row, used),
    )


@lru_cache
def _columns_and_used(mapping: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], frozenset[str]]:
    columns = columns_of(dict(mapping))
    return columns, frozenset(columns.values())


def columns_of(mapping: Mapping[str, str]) -> dict[str, str]:
    return {name: mapping.get(name, name) for name in FIELDS}


def signed_label(value: Any) -> int | None:
    """a | b | tie | -3..3 as a number or as text; nothing = not labelled."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        word = value.strip().lower()
        if word in WORDS:
            return WORDS[word]
        try:
            value = float(word)
        except ValueError:
            value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RowRejected("bad_label", f"The label should be a, b, tie or -3 to 3, not {kind(value)}.")
    if value != value or value not in range(-STRONGEST, STRONGEST + 1):
        raise RowRejected("bad_label", f"The label {value:g} is not a whole number from -3 to 3.")
    return int(value)


def _source(value: Any) -> str:
    name = identifier(value)
    if len(name) > MAX_SOURCE_NAME:
        raise RowRejected("bad_source", f"The name of the source is longer than {MAX_SOURCE_NAME} characters.")
    return name
