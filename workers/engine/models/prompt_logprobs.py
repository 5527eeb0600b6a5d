"""Log-probabilities of given token ids, in the forms in which servers tell them.

prompt_logprobs     vLLM: the prompt's own, a mapping by token id for every position, null for the first
echo, max_tokens 0  the older form of /completions: the prompt comes back with the log-probabilities of its tokens
echo, max_tokens 1  the same for servers that insist on a token of their own, which is left out here
plain echo, ... 0   the second without asking for the ids beside, for servers that refuse words they do not know

Ids are sent as ids, so nobody puts a beginning-of-text token before them. What cannot be told from minus infinity
comes as -9999; a null where a number belongs is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Any

import numpy as np

from workers.engine.likelihood.passages import Floats
from workers.engine.models.client import Garbled

FORMS = ("prompt_logprobs", "echo, max_tokens 0", "echo, max_tokens 1", "plain echo, max_tokens 0")
LEAST = -9999.0
# Log-probabilities rounded somewhere on the way may come out a little above zero.
MOST = 0.01


def body_of(form: str, model: str, ids: Sequence[int]) -> dict[str, Any]:
    """Plain sampling, since some servers apply it before they take logarithms."""
    body: dict[str, Any] = {"model": model, "prompt": list(ids), "temperature": 1.0, "top_p": 1.0}
    if form == "prompt_logprobs":
        return body | {"max_tokens": 1, "prompt_logprobs": 0}
    body |= {"max_tokens": int(form[-1]), "echo": True, "logprobs": 1}
    return body if form.startswith("plain") else body | {"return_tokens_as_token_ids": True}


def read_of(form: str, ids: Sequence[int], told: Any) -> Floats:
    """[len(ids)]: nats; the first has nothing before it and is NaN. Garbled where it is anything else."""
    try:
        choice, usage = told["choices"][0], told.get("usage") or {}
        counted = usage.get("prompt_tokens", len(ids))
        values = _of_mappings(choice, ids) if form == "prompt_logprobs" else _of_echo(choice, ids)
    except (KeyError, TypeError, IndexError, AttributeError, OverflowError):
        raise Garbled("no log-probabilities of the given tokens") from None
    if counted != len(ids):
        raise Garbled(f"{len(ids)} tokens were sent, and it read {counted}")
    if any(value > MOST for value in values):
        raise Garbled("log-probabilities above zero")
    return np.array([nan, *values], np.float32)


def _of_mappings(choice: Mapping[str, Any], ids: Sequence[int]) -> list[float]:
    places = choice["prompt_logprobs"]
    if len(places) != len(ids):
        raise Garbled(f"{len(ids)} tokens were sent, and it tells of {len(places)}")
    return [_number(place[str(token)]) for place, token in zip(places[1:], ids[1:], strict=True)]


def _of_echo(choice: Mapping[str, Any], ids: Sequence[int]) -> list[float]:
    values, tokens = choice["logprobs"]["token_logprobs"], choice["logprobs"].get("tokens") or []
    if len(values) not in (len(ids), len(ids) + 1):
        raise Garbled(f"{len(ids)} tokens were sent, and it tells of {len(values)}")
    for token, told in zip(ids, tokens, strict=False):
        if str(told).startswith("token_id:") and told != f"token_id:{token}":
            raise Garbled("log-probabilities of other tokens than were sent")
    return [_number(value) for value in values[1 : len(ids)]]


def _number(told: Any) -> float:
    value = told.get("logprob") if isinstance(told, dict) else told
    if value is None:
        return nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Garbled("log-probabilities that are no numbers")
    return -inf if value <= LEAST else float(value)
