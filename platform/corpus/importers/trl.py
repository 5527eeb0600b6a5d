"""Preference pairs as TRL reads them: standard (text) and conversational (messages), prompt explicit or implicit.

An implicit prompt is what both sides share: for messages all but the last, for text the common beginning up to
its last white space, so that no word is cut in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corpus.hashing import Message
from corpus.importers._base import (
    ParsedRow,
    ReadOptions,
    Row,
    RowRejected,
    answer,
    conversation,
    identifier,
    kind,
    rest,
    share,
)

LABEL = "TRL preference pairs"
DOCUMENTATION = (
    "Columns `chosen` and `rejected`, with or without `prompt`; each is text or a list of messages "
    "{role, content}. `id` is kept; `margin`, scores and other columns become metadata."
)

USED = frozenset({"prompt", "chosen", "rejected", "id"})


def recognises(rows: Sequence[Row], options: ReadOptions) -> float:
    return 0.0 if options.mapping else 0.9 * share(rows, _has_both_sides)


def read(row: Row, options: ReadOptions) -> ParsedRow:
    for column in ("chosen", "rejected"):
        if row.get(column) is None:
            raise RowRejected("missing_field", f"The column {column!r} is missing or null.")
    messages, chosen, rejected = preference(row.get("prompt"), row["chosen"], row["rejected"])
    return ParsedRow(
        messages=messages,
        response_a=chosen,
        response_b=rejected,
        label=-1,
        external_id=identifier(row.get("id")),
        source="",
        generator_a="",
        generator_b="",
        metadata=rest(row, USED),
    )


def preference(prompt: Any, chosen: Any, rejected: Any) -> tuple[list[Message], str, str]:
    """The prompt's messages and the two answers, from any of TRL's shapes."""
    if isinstance(chosen, str) and isinstance(rejected, str):
        if prompt is None:
            return _shared_beginning(chosen, rejected)
        return prompt_messages(prompt), chosen, rejected
    if isinstance(chosen, str) or isinstance(rejected, str):
        raise RowRejected("wrong_type", "One side is text and the other is a list of messages.")
    return _conversational(prompt, conversation(chosen, "chosen"), conversation(rejected, "rejected"))


def prompt_messages(prompt: Any, column: str = "prompt") -> list[Message]:
    if isinstance(prompt, str):
        return [{"content": prompt, "role": "user"}]
    if prompt is None:
        raise RowRejected("missing_field", f"The column {column!r} is missing or null.")
    if not isinstance(prompt, list):
        raise RowRejected("wrong_type", f"The column {column!r} should be text or messages, not {kind(prompt)}.")
    return conversation(prompt, column)


def _conversational(prompt: Any, chosen: list[Message], rejected: list[Message]) -> tuple[list[Message], str, str]:
    shared = chosen[:-1]
    if shared != rejected[:-1]:
        raise RowRejected("differing_prompts", "The two sides differ before their last message.")
    sides = answer(chosen, "chosen"), answer(rejected, "rejected")
    if prompt is None:
        if not shared:
            raise RowRejected("no_prompt", "There is no prompt: each side is one message, and no column `prompt`.")
        return shared, *sides
    messages = prompt_messages(prompt)
    if not shared or messages == shared:
        return messages, *sides
    if isinstance(prompt, str):
        # The column repeats a turn of a conversation that both sides hold whole.
        if any(turn["role"] == "user" and turn["content"] == prompt for turn in shared):
            return shared, *sides
        raise RowRejected("differing_prompts", "The column `prompt` is no turn of the conversation in `chosen`.")
    if shared[: len(messages)] == messages:
        return shared, *sides
    return messages + shared, *sides


def _shared_beginning(chosen: str, rejected: str) -> tuple[list[Message], str, str]:
    if chosen == rejected:
        raise RowRejected("no_prompt", "The sides are identical and there is no `prompt`: where does the answer begin?")
    prefix = chosen[: _shared_length(chosen, rejected)]
    cut = len(prefix)
    while cut and not prefix[cut - 1].isspace():
        cut -= 1
    prompt = prefix[:cut].rstrip() or prefix
    if not prompt:
        raise RowRejected("no_prompt", "There is no `prompt`, and the two sides share no beginning.")
    return [{"content": prompt, "role": "user"}], chosen[len(prompt) :], rejected[len(prompt) :]


def _shared_length(one: str, other: str) -> int:
    return next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )


def _has_both_sides(row: Row) -> bool:
    return isinstance(row.get("chosen"), str | list) and isinstance(row.get("rejected"), str | list)
