"""Transcripts as Anthropic's hh-rlhf has them: `chosen` and `rejected`, turns opened by two line ends and a speaker.

The prompt is everything up to the last assistant turn; it must be the same on both sides. The one space after
"Human:" or "Assistant:" belongs to the marker, every other character to the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus.hashing import Message
from corpus.importers._base import ParsedRow, ReadOptions, Row, RowRejected, identifier, rest, share, text

LABEL = "hh transcripts"
DOCUMENTATION = (
    "Columns `chosen` and `rejected`, each a whole transcript whose turns open with a blank line and `Human:` or "
    "`Assistant:`. `id` is kept, other columns become metadata."
)

HUMAN = "\n\nHuman:"
ASSISTANT = "\n\nAssistant:"
TURN = re.compile(r"\n\n(Human|Assistant):")
ROLES = {"Human": "user", "Assistant": "assistant"}
USED = frozenset({"chosen", "rejected", "id"})


def recognises(rows: Sequence[Row], options: ReadOptions) -> float:
    return 0.0 if options.mapping else share(rows, _is_transcript_pair)


def read(row: Row, options: ReadOptions) -> ParsedRow:
    chosen, rejected = text(row, "chosen"), text(row, "rejected")
    cut = chosen.rfind(ASSISTANT)
    if cut < 0 or rejected.rfind(ASSISTANT) < 0:
        raise RowRejected("not_a_transcript", "A side has no `Assistant:` turn.")
    start = cut + len(ASSISTANT)
    if rejected.rfind(ASSISTANT) != cut or rejected[:start] != chosen[:start]:
        raise RowRejected("differing_prompts", "The two sides differ before the last assistant turn.")
    return ParsedRow(
        messages=_turns(chosen[:cut]),
        response_a=_last_answer(chosen, start),
        response_b=_last_answer(rejected, start),
        label=-1,
        external_id=identifier(row.get("id")),
        source="",
        generator_a="",
        generator_b="",
        metadata=rest(row, USED) if len(row) > 2 else {},
    )


def _is_transcript_pair(row: Row) -> bool:
    sides = (row.get("chosen"), row.get("rejected"))
    return all(isinstance(side, str) and side.startswith(HUMAN) and ASSISTANT in side for side in sides)


def _turns(transcript: str) -> list[Message]:
    before, *turns = TURN.split(transcript)
    if before or not turns:
        raise RowRejected("not_a_transcript", "The transcript does not open with a `Human:` turn.")
    return [
        {"content": said.removeprefix(" "), "role": ROLES[who]} for who, said in zip(*[iter(turns)] * 2, strict=True)
    ]


def _last_answer(transcript: str, start: int) -> str:
    said = transcript[start:]
    if HUMAN in said:
        raise RowRejected("no_answer", "The transcript ends with a `Human:` turn.")
    return said.removeprefix(" ")
