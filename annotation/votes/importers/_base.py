"""The contract of a shape of votes.

A shape is one module in this folder, found by its file name (names that begin with `_` are skipped). It has

    LABEL           its name for people
    DOCUMENTATION   which files and columns it reads, in a sentence or two
    SOURCE          the name of the source where none is given; empty = the file's name
    SETTINGS        what the campaign says it offered, as far as the shape tells
    NAMES_ARE_IDS   whether its names of annotators are ids of people; else they mean somebody only within one source
    recognises      (first rows of a file) -> confidence, 0..1, that it holds votes of this shape
    is_lookup       (first rows of a file) -> whether it is read before the others, for what their rows refer to
    learn           (row of such a file, what is known) -> None
    read            (row, what is known) -> VotedItem, or raises RowRejected

What one row says of one pair is a VotedItem; a vote of it that cannot come in is a RowRejected in its place, so that
the others may. Sides are those of the file: its first and its second.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from corpus.importers._base import ParsedRow, Row, RowRejected, kind

MAX_NAME_CHARACTERS = 120
# Nobody is active on one item for longer than that: it is an id, or milliseconds.
MAX_SECONDS = 7 * 24 * 3600.0

Known = dict[str, Any]


class ParsedVote(NamedTuple):
    """What one person said of one pair."""

    annotator: str
    # -3..3, negative = the file's first side is better; or both_bad, or both_good.
    choice: int | str
    reason: str = ""
    # When it was given, and when the work on it began; None = the file does not say.
    at: datetime | None = None
    begun_at: datetime | None = None
    # Seconds active on this very pair; None = the file does not say.
    seconds: float | None = None
    # Whether the file's first side was shown first; None = the file does not say.
    is_first_shown_first: bool | None = None
    is_simulated: bool = False
    # Kept beside the answer, for whoever asks where it came from.
    details: Mapping[str, Any] = MappingProxyType({})


class Reference(NamedTuple):
    """A comparison that the project has, by its hashes or else by its external id."""

    source: str
    external_id: str
    # sha256 of prompt, first and second side.
    hashes: tuple[bytes, bytes, bytes] | None


class VotedItem(NamedTuple):
    pair: ParsedRow | Reference
    votes: Sequence[ParsedVote | RowRejected]
    # What the prompt is about, for figures per subject; empty = the file does not say.
    subject: str = ""


class VoteShape(Protocol):
    LABEL: str
    DOCUMENTATION: str
    SOURCE: str
    SETTINGS: dict[str, Any]
    NAMES_ARE_IDS: bool

    @staticmethod
    def recognises(rows: Sequence[Row]) -> float: ...

    @staticmethod
    def is_lookup(rows: Sequence[Row]) -> bool: ...

    @staticmethod
    def learn(row: Row, known: Known) -> None: ...

    @staticmethod
    def read(row: Row, known: Known) -> VotedItem: ...


def annotator_name(value: Any) -> str:
    """An id may be a number in the file; it is text here."""
    name = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(name, str) or not name.strip():
        raise RowRejected("bad_annotator", "The vote names no annotator.")
    if len(name) > MAX_NAME_CHARACTERS or "\0" in name:
        limit = f"{MAX_NAME_CHARACTERS} characters, none of them NUL"
        raise RowRejected("bad_annotator", f"The name of an annotator should have at most {limit}.")
    return name


def moment(value: Any, column: str) -> datetime | None:
    """ISO 8601, also with a space and ` UTC`; without a zone it is UTC. Nothing = not known."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.removesuffix(" UTC"))
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        except ValueError:
            pass
    shown = repr(value[:40]) if isinstance(value, str) else kind(value)
    raise RowRejected("bad_time", f"The column {column!r} should be a time such as 2024-02-29T12:00:00Z, not {shown}.")


def active_seconds(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if isinstance(value, bool) or not 0 <= seconds <= MAX_SECONDS:
        raise RowRejected("bad_seconds", f"The seconds should be a number from 0 to {MAX_SECONDS:,.0f}.")
    return seconds
