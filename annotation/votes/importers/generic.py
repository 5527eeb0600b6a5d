"""Any table with a vote per row; what the export of raw votes writes comes in again by it.

The pair is named by its texts, by the hashes of its texts, or by the external id it has in its source. Only pairwise
answers that count as work are votes: a replaced answer, a gold item or a rating is refused and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from annotation.votes.formulas import is_neutralised
from annotation.votes.importers._base import (
    Known,
    ParsedVote,
    Reference,
    VotedItem,
    active_seconds,
    annotator_name,
    moment,
)
from corpus.importers import generic as pairs
from corpus.importers._base import ReadOptions, Row, RowRejected, identifier, share
from corpus.importers._base import kind as kind_of

LABEL = "generic votes"
DOCUMENTATION = (
    "One vote per row: `annotator`, and `choice` (a, b, tie, both_bad, both_good, or -3 to 3, negative = response_a "
    "better) or `response_id` beside `response_a_id` and `response_b_id`. The pair is `prompt` (or `prompt_messages`), "
    "`response_a` and `response_b`, or the three as `..._sha256`, or `source` and `external_id` of a comparison that "
    "is here. Also `reason`, `created_at`, `seconds`, `order` (ab or ba as shown), `subject`, `label`. The export of "
    "raw votes is one."
)
SOURCE = ""
SETTINGS = {"both_good": True, "reason": "optional"}
NAMES_ARE_IDS = True

TEXTS = ("prompt", "response_a", "response_b")
HASHES = tuple(f"{name}_sha256" for name in TEXTS)

ORDERS = {"ab": True, "ba": False}
OTHER_ANSWERS = ("both_bad", "both_good")
TRUE = (True, "true", "True", "1", 1)
AS_THE_FILE_IS = ReadOptions()


def recognises(rows: Sequence[Row]) -> float:
    return 0.9 * share(rows, lambda row: "annotator" in row and ("choice" in row or "response_id" in row))


def is_lookup(rows: Sequence[Row]) -> bool:
    return False


def learn(row: Row, known: Known) -> None:
    """Nothing refers to anything here."""


def read(row: Row, known: Known) -> VotedItem:
    _refuse_other_than_votes(row)
    return VotedItem(_pair(row), [_vote(row)], identifier(row.get("subject")))


def _refuse_other_than_votes(row: Row) -> None:
    if row.get("kind") not in (None, "", "pairwise"):
        raise RowRejected("not_pairwise", "Only pairwise answers can be imported as votes.")
    if row.get("superseded") in TRUE:
        raise RowRejected("superseded", "This answer was replaced by its author; only standing ones are votes.")
    if row.get("purpose") not in (None, "", "work"):
        raise RowRejected("not_work", "This answer was not given as work, so that it is no vote.")


def _pair(row: Row) -> Any:
    if row.get("response_a") is not None and row.get("response_b") is not None:
        columns = {name: row[name] for name in pairs.FIELDS if name in row}
        if row.get("prompt_messages"):
            columns["prompt"] = _json(row["prompt_messages"], "prompt_messages", list)
        columns |= {name: _as_written(row, name) for name in ("response_a", "response_b", "source") if name in row}
        parsed = pairs.read(columns, AS_THE_FILE_IS)
        return parsed._replace(external_id=parsed.external_id or identifier(_as_written(row, "external_id")))
    external_id = identifier(_as_written(row, "external_id")) or identifier(row.get("id"))
    hashes = [_hash(row, name) for name in HASHES] if row.get(HASHES[1]) else None
    if hashes is None and not external_id:
        raise RowRejected("no_comparison", "The row has neither texts, nor hashes of texts, nor an `external_id`.")
    return Reference(identifier(_as_written(row, "source")), external_id, tuple(hashes) if hashes else None)  # type: ignore[arg-type]  # three of them


def _as_written(row: Row, name: str) -> Any:
    """Our own CSV puts an apostrophe before what a spreadsheet would run; its hashes say where."""
    value = row.get(name)
    if not isinstance(value, str) or not is_neutralised(value):
        return value
    told = row.get(f"{name}_sha256")
    if told is None:
        return value[1:] if all(column in row for column in HASHES) else value
    return value[1:] if told == sha256(value[1:].encode()).hexdigest() else value


def _hash(row: Row, name: str) -> bytes:
    try:
        found = bytes.fromhex(identifier(row.get(name)))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise RowRejected("bad_hash", f"The column {name!r} should be a sha256 in 64 hexadecimal digits.")
    return found


def _vote(row: Row) -> ParsedVote | RowRejected:
    try:
        payload = _payload(row.get("payload"))
        order = row.get("order")
        if order not in (None, "", *ORDERS):
            raise RowRejected("bad_order", "The order should be ab or ba, as the sides were shown.")
        return ParsedVote(
            annotator=annotator_name(row.get("annotator")),
            choice=_choice(row),
            reason=_text(payload.get("reason", row.get("reason")), "reason"),
            at=moment(row.get("created_at"), "created_at"),
            seconds=active_seconds(row.get("seconds")),
            is_first_shown_first=ORDERS[order] if order else None,
            is_simulated=row.get("annotator_kind") == "simulated",
            details=payload.get("imported", {}) if isinstance(payload.get("imported"), dict) else {},
        )
    except RowRejected as rejected:
        return rejected


def _payload(value: Any) -> dict[str, Any]:
    """Its reason is the one before a spreadsheet's formulas were neutralised."""
    found: dict[str, Any] = _json(value, "payload", dict) if value else {}
    return found


def _json(value: Any, column: str, wanted: type) -> Any:
    """A list or an object; in a table it is written as text."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = None
    if not isinstance(value, wanted):
        name = "list" if wanted is list else "object"
        raise RowRejected("broken_json", f"The column {column!r} should be a JSON {name}.")
    return value


def _text(value: Any, column: str) -> str:
    if value is not None and not isinstance(value, str):
        raise RowRejected("wrong_type", f"The column {column!r} should be text, not {kind_of(value)}.")
    return value or ""


def _choice(row: Row) -> int | str:
    value = row.get("choice")
    if isinstance(value, str) and value in OTHER_ANSWERS:
        return value
    if value is not None and value != "":
        try:
            return pairs.signed_label(value) or 0
        except RowRejected as rejected:
            words = f"a, b, tie, -3 to 3, {' or '.join(OTHER_ANSWERS)}"
            raise RowRejected("bad_choice", f"The choice is {value!r:.40}; it should be {words}.") from rejected
    preferred = identifier(row.get("response_id"))
    for name, choice in (("response_a_id", -1), ("response_b_id", 1)):
        if preferred and preferred == identifier(row.get(name)):
            return choice
    raise RowRejected("bad_choice", "The row has no choice, and its `response_id` is neither of its two responses.")
