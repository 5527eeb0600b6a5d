"""What is asked of a model that writes, and what it wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from workers.engine.likelihood.tokens import Messages

REFUSED, TRUNCATED, SYSTEM_MERGED, NONFINITE = "refused", "truncated", "system_merged", "nonfinite"


@dataclass(frozen=True)
class Sampling:
    """`n` candidates per prompt; top_k 0 = every token; temperature 0 = always the most probable one."""

    n: int
    seed: int = 0
    temperature: float = 0.8
    top_p: float = 1.0
    top_k: int = 0
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Written:
    """`tokens`: how many the text took, the one that ends the turn left out; `ended`: the model ended it by itself.

    Flags: refused (by the chat template; no text), truncated (the prompt lost its beginning), system_merged, nonfinite
    (the model gave no numbers to choose by, and the text stops there).
    """

    text: str
    tokens: int
    ended: bool
    flags: frozenset[str] = frozenset()


class Writer(Protocol):
    """What writes: a scorer, or a server that does nothing else."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def version(self) -> str:
        """Another one for other weights, as far as they are told."""

    def write(
        self,
        asked: Sequence[Messages],
        sampling: Sampling,
        *,
        check: Callable[[], None] = lambda: None,
        on_written: Callable[[int], None] = lambda done: None,
    ) -> list[list[Written]]:
        """`sampling.n` texts per conversation, in their order; `on_written` is told how many texts are there."""


def seed_of(seed: int, messages: Messages, number: int) -> int:
    """Of one candidate, 63 bits: neither its neighbours nor their number change what it becomes."""
    said = json.dumps([[turn.get("role"), turn.get("content")] for turn in messages], ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(f"{seed} {number} {said}".encode()).digest()[:8], "big") >> 1
