"""PandaLM's test set: a JSON array of answers of two models, with a column per annotator.

The columns are the only names that the annotators have, so that "annotator 1" of another file is somebody else. There
are no times and no order of sides in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from annotation.votes.importers._base import Known, ParsedVote, VotedItem
from corpus.importers._base import ParsedRow, Row, RowRejected, identifier, share, text

LABEL = "PandaLM"
DOCUMENTATION = (
    "A JSON array (or JSON lines) of `instruction`, `input`, `response1`, `response2`, and a column `annotator1`, "
    "`annotator2`, ... per person: 1 or 2 for the better response, 0 for a tie. `idx`, `cmp_key` and `motivation_app` "
    "are kept."
)
SOURCE = "PandaLM"
SETTINGS = {"scale": "3-way", "both_bad": False}
NAMES_ARE_IDS = False

CHOICES = {0: 0, 1: -1, 2: 1}
COLUMN = re.compile(r"annotator ?(\d{1,3})")


def recognises(rows: Sequence[Row]) -> float:
    wanted = ("instruction", "response1", "response2", "annotator1")
    return share(rows, lambda row: all(name in row for name in wanted))


def is_lookup(rows: Sequence[Row]) -> bool:
    return False


def learn(row: Row, known: Known) -> None:
    """Nothing refers to anything here."""


def read(row: Row, known: Known) -> VotedItem:
    instruction, more = text(row, "instruction"), identifier(row.get("input"))
    generators = identifier(row.get("cmp_key")).split("_", 1)
    subject = identifier(row.get("motivation_app"))
    pair = ParsedRow(
        messages=[{"role": "user", "content": instruction + (f"\n\n{more}" if more else "")}],
        response_a=_answer(row, "response1"),
        response_b=_answer(row, "response2"),
        label=None,
        external_id=identifier(row.get("idx")),
        source="",
        generator_a=generators[0] if len(generators) == 2 else "",
        generator_b=generators[1] if len(generators) == 2 else "",
        metadata={"motivation_app": subject} if subject else {},
    )
    columns = [(match[1], row[name]) for name in row if (match := COLUMN.fullmatch(name))]
    return VotedItem(pair, [_vote(number, value) for number, value in columns], subject)


def _answer(row: Row, column: str) -> str:
    """Some answers "True" were written as JSON's true."""
    value = row.get(column)
    return str(value) if isinstance(value, bool) else text(row, column)


def _vote(number: str, value: Any) -> ParsedVote | RowRejected:
    choice = CHOICES.get(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if choice is None:
        message = f"The vote of annotator {number} is {value!r:.40}; it should be 0 (tie), 1 or 2."
        return RowRejected("bad_choice", message)
    return ParsedVote(annotator=f"annotator {number}", choice=choice)
