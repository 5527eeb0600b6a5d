"""Candidates from a model behind an OpenAI-compatible server, by /chat/completions.

Idea
    One request per candidate, with a seed of its own drawn from the run's seed, the conversation and the candidate's
    number: so a candidate does not depend on how many are asked for, servers that write one text at a time do as well
    as others, and every candidate's tokens are counted by itself. Servers that keep what prompts share compute a prompt
    once, since its candidates are asked for together.

Limits
    Whether the same seed gives the same text again is the server's affair. It also writes the prompt as its template
    has it: one too long for it is refused (flag `refused`), not cut. A server that refuses a system turn gets it at the
    head of the person's first turn (flag `system_merged`); one that drops it in silence does so here too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.generation.written import REFUSED, SYSTEM_MERGED, Sampling, Written, seed_of
from workers.engine.likelihood.chat import system_into_first
from workers.engine.likelihood.tokens import Messages
from workers.engine.models.client import Answered, Client, Garbled, ServerTrouble, Stop
from workers.engine.models.side_by_side import side_by_side

# What all servers take for a seed.
SEED_BITS = 0x7FFFFFFF
# Said of this conversation and not of the server.
OF_THE_TEXT = {400, 413, 422}
# To find out once whether the server writes at all.
FIRST = Sampling(1, temperature=0.0, max_tokens=1)
QUESTION = [{"role": "user", "content": "Is it late?"}]


def check_writes(client: Client, model: str, *, check: Stop = lambda: None) -> None:
    """Unworkable where a plain question is refused."""
    try:
        _written(client, model, QUESTION, FIRST, 0, check)
    except Answered as reason:
        raise Unworkable(
            f"The model server {client.url} does not write: /chat/completions answers {reason}."
        ) from reason


def write_by_server(
    client: Client,
    model: str,
    asked: Sequence[Messages],
    sampling: Sampling,
    *,
    hands: int,
    check: Stop = lambda: None,
    on_written: Callable[[int], None] = lambda done: None,
) -> list[list[Written]]:
    """`sampling.n` texts per conversation, in their order."""
    wanted = [(messages, number) for messages in asked for number in range(sampling.n)]

    def one(told: tuple[Messages, int], stop: Stop) -> Written:
        return _one(client, model, told[0], sampling, told[1], stop)

    found = side_by_side(wanted, one, hands=hands, check=check, on_done=on_written)
    if any(REFUSED in each.flags for each in found):
        _check_asked(client, model, sampling, check)
    return [found[start * sampling.n : (start + 1) * sampling.n] for start in range(len(asked))]


def _check_asked(client: Client, model: str, sampling: Sampling, check: Stop) -> None:
    """Unworkable where a plain question is refused, too: then it is not the texts."""
    try:
        _written(client, model, QUESTION, sampling, 0, check)
    except Answered as reason:
        raise Unworkable(f"The model server {client.url} refuses what is asked of it: {reason}.") from reason


def _one(client: Client, model: str, messages: Messages, sampling: Sampling, number: int, stop: Stop) -> Written:
    try:
        return _unless_about_the_text(client, model, messages, sampling, number, stop)
    except _Refused:
        pass
    if any(turn["role"] == "system" for turn in messages):
        try:
            merged = _unless_about_the_text(client, model, system_into_first(messages), sampling, number, stop)
            return Written(merged.text, merged.tokens, merged.ended, frozenset({SYSTEM_MERGED}))
        except _Refused:
            pass
    return Written("", 0, False, frozenset({REFUSED}))


class _Refused(Exception):
    pass


def _unless_about_the_text(
    client: Client, model: str, messages: Messages, sampling: Sampling, number: int, stop: Stop
) -> Written:
    try:
        return _written(client, model, messages, sampling, number, stop)
    except Answered as reason:
        if reason.status in OF_THE_TEXT:
            raise _Refused from reason
        raise ServerTrouble(f"The model server {client.url} answers {reason} where it wrote before.") from reason


def _written(client: Client, model: str, messages: Messages, sampling: Sampling, number: int, stop: Stop) -> Written:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": str(turn["role"]), "content": str(turn.get("content") or "")} for turn in messages],
        "seed": seed_of(sampling.seed, messages, number) & SEED_BITS,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
    }
    if sampling.top_k:
        body["top_k"] = sampling.top_k
    return client.post("/chat/completions", body, stop=stop, read=partial(_read, sampling.max_tokens))


def _read(most: int, told: Any) -> Written:
    try:
        choice = told["choices"][0]
        text, reason = choice["message"]["content"] or "", choice.get("finish_reason")
        count = (told.get("usage") or {}).get("completion_tokens", 0)
    except (KeyError, TypeError, IndexError, AttributeError):
        raise Garbled("no text") from None
    if not isinstance(text, str) or type(count) is not int or not 0 <= count <= most + 1:
        raise Garbled("no text, or more tokens than were asked for")
    ended = reason == "stop"
    # The token that ends the turn is counted, and is no part of the text.
    return Written(text, max(count - ended, 0), ended)
