"""The contract of an input format.

A format is one module in this folder, found by its file name (names that begin with `_` are skipped). It has

    LABEL           its name for people
    DOCUMENTATION   which columns it reads, in a sentence or two
    recognises      (first rows of a file) -> confidence, 0..1; `auto` takes the highest
    read            (row, options) -> ParsedRow, or raises RowRejected

`read` is called once per row of millions: plain checks, no copies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from corpus.hashing import Message

Row = Mapping[str, Any]

STRONGEST = 3


class RowRejected(Exception):
    """This row cannot come in: a reason to count by, and a sentence for the person who mends the file."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class ReadOptions:
    # {what Winnow reads: the file's column}, for `generic` only.
    mapping: Mapping[str, str] = field(default_factory=dict)


class ParsedRow(NamedTuple):
    """One comparison as the file has it; the label is on the signed scale of its own two sides."""

    messages: list[Message]
    response_a: str
    response_b: str
    # -3..3, negative = response_a better, 0 = tie, None = not labelled.
    label: int | None
    external_id: str
    # The subset this row belongs to; empty = the source of the whole import.
    source: str
    generator_a: str
    generator_b: str
    # The columns that were not read as something else.
    metadata: dict[str, Any]


class InputFormat(Protocol):
    LABEL: str
    DOCUMENTATION: str

    def recognises(self, rows: Sequence[Row], options: ReadOptions) -> float: ...

    def read(self, row: Row, options: ReadOptions) -> ParsedRow: ...


def share(rows: Sequence[Row], looks_right: Any) -> float:
    """How many of the sample rows look right; 0..1."""
    return sum(1 for row in rows if looks_right(row)) / len(rows) if rows else 0.0


def identifier(value: Any) -> str:
    """The input column `id` as text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def rest(row: Row, used: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in used}


def text(row: Row, column: str) -> str:
    value = row.get(column)
    if isinstance(value, str):
        return value
    if value is None:
        raise RowRejected("missing_field", f"The column {column!r} is missing or null.")
    raise RowRejected("wrong_type", f"The column {column!r} should be text, not {kind(value)}.")


def kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", bool: "true or false", int: "a number", float: "a number", str: "text"}
    return names.get(type(value), type(value).__name__)


def conversation(value: Any, column: str) -> list[Message]:
    """Messages [{role, content}]; content may be a list of text parts, which are joined as they are."""
    if not isinstance(value, list) or not value:
        raise RowRejected("wrong_type", f"The column {column!r} should be a list of messages {{role, content}}.")
    return [_message(item, column) for item in value]


def _message(item: Any, column: str) -> Message:
    if not isinstance(item, dict):
        raise RowRejected("wrong_type", f"A message in {column!r} is {kind(item)}, not an object {{role, content}}.")
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str) or not role:
        raise RowRejected("bad_message", f"A message in {column!r} has no role.")
    if item.get("tool_calls") or item.get("function_call"):
        raise RowRejected("bad_message", f"A message in {column!r} calls a tool; only text can be compared.")
    if isinstance(content, list):
        content = "".join(_text_part(part, column) for part in content)
    if not isinstance(content, str):
        raise RowRejected("bad_message", f"A message in {column!r} has no text in `content`.")
    return {"content": content, "role": role}


def _text_part(part: Any, column: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type", "text") == "text":
        value = part.get("text") if part.get("text") is not None else part.get("value")
        if isinstance(value, str):
            return value
    raise RowRejected("bad_message", f"A message in {column!r} has a part that is not text.")


def answer(messages: list[Message], column: str) -> str:
    """The text of the assistant's turn that ends a conversation."""
    last = messages[-1]
    if last["role"] != "assistant":
        raise RowRejected("no_answer", f"{column!r} ends with a {last['role']} turn, not with the assistant's.")
    return last["content"]
