"""T(x): a conversation with the criteria of its domain and one worked case before it, as a system turn.

What a domain shares comes first (criteria, then the case), so that the likelihood kernel computes it once for all its
prompts. The case is drawn by a hash of the seed and of what the prompt says: the same one for all its responses,
whatever else is in the data and in which order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench
from workers.engine.domains.document import Domain, Domains, Exemplar
from workers.engine.domains.route import Route

Messages = Sequence[Mapping[str, Any]]
CUE = "Now reply to this person as well as in the good reply above."
CUE_OF_CRITERIA = "Reply to this person accordingly."


@dataclass(frozen=True)
class Routed:
    """`exemplar` is empty where the domain puts none before a prompt."""

    domain: str
    exemplar: str
    # What comes before the conversation; empty where nothing does.
    text: str


class Dress:
    """Prompts with their domains; to call it with one of them gives T(x)."""

    def __init__(self, prompts: Iterable[Messages], route: Route, domains: Domains, bench: Bench, *, seed: int) -> None:
        by_key = {key_of(messages): messages for messages in prompts}
        keys = sorted(by_key)
        names = route([last_turn(by_key[key]) for key in keys], domains, bench)
        self._routed = {key: _routed(domains.named(name), key, seed) for key, name in zip(keys, names, strict=True)}

    def of(self, messages: Messages) -> Routed:
        return self._routed[key_of(messages)]

    def __call__(self, messages: Messages) -> Messages:
        text = self.of(messages).text
        if not text:
            return messages
        first = messages[0] if messages else {}
        if first.get("role") == "system":
            return [{"role": "system", "content": f"{text}\n\n{first.get('content') or ''}"}, *messages[1:]]
        return [{"role": "system", "content": text}, *messages]


def key_of(messages: Messages) -> str:
    return json.dumps([[str(turn.get("role")), str(turn.get("content") or "")] for turn in messages])


def last_turn(messages: Messages) -> str:
    """What the person said last."""
    said = [str(turn.get("content") or "") for turn in messages if turn.get("role") == "user"]
    return said[-1] if said else ""


def _routed(domain: Domain, key: str, seed: int) -> Routed:
    criteria = domain.criteria if "criteria" in domain.before else ""
    if "exemplar" not in domain.before:
        return Routed(domain.name, "", f"{criteria}\n\n{CUE_OF_CRITERIA}" if criteria else "")
    drawn = int.from_bytes(hashlib.sha256(f"{seed}\0{key}".encode()).digest()[:8], "big") % len(domain.exemplars)
    exemplar = domain.exemplars[drawn]
    return Routed(domain.name, exemplar.name, "\n\n".join(part for part in (criteria, _told(exemplar), CUE) if part))


def _told(one: Exemplar) -> str:
    parts = [f"For example: {one.instruction}", f"Somebody asks:\n{one.question}", f"A good reply:\n{one.good}"]
    parts += [f"A poor reply:\n{one.bad}"] if one.bad else []
    parts += [f"Why the good one is better: {one.why}"] if one.why else []
    return "\n\n".join(parts)
