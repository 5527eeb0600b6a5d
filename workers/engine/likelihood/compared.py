"""Comparisons whose responses are asked about: each response of a prompt once, whoever compares it with what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints

if TYPE_CHECKING:
    from workers.engine.likelihood.tokens import Messages

R = TypeVar("R")


class Sides(Protocol):
    """A comparison; `workers.methods._base.Pair` says what is in it."""

    @property
    def prompt_id(self) -> int: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def a_id(self) -> int: ...
    @property
    def a(self) -> str: ...
    @property
    def b_id(self) -> int: ...
    @property
    def b(self) -> str: ...
    @property
    def sign(self) -> int: ...


@dataclass(frozen=True)
class Compared:
    """What is known of comparisons without any score."""

    pairs: Sequence[Sides]

    @cached_property
    def length(self) -> Floats:
        """By how many characters b is longer."""
        return np.array([float(len(pair.b) - len(pair.a)) for pair in self.pairs])

    @cached_property
    def sign(self) -> Ints:
        return np.array([pair.sign for pair in self.pairs], dtype=np.int64)

    @cached_property
    def prompts(self) -> Ints:
        return np.array([pair.prompt_id for pair in self.pairs], dtype=np.int64)


def both_sides(
    pairs: Sequence[Sides], ask: Callable[[list[tuple[Messages, Sequence[str]]]], Sequence[Sequence[R]]]
) -> list[tuple[R, R]]:
    """What `ask` says of (a, b) of every comparison. It is given one row per prompt, with every text once, in an order
    that does not hang on that of the comparisons."""
    texts: dict[int, set[str]] = {}
    messages: dict[int, Messages] = {}
    for pair in pairs:
        messages.setdefault(pair.prompt_id, pair.messages)
        texts.setdefault(pair.prompt_id, set()).update((pair.a, pair.b))
    prompts = sorted(texts)
    rows: list[tuple[Messages, Sequence[str]]] = [(messages[prompt], sorted(texts[prompt])) for prompt in prompts]
    found = {
        (prompt, text): one
        for prompt, (_, row), said in zip(prompts, rows, ask(rows), strict=True)
        for text, one in zip(row, said, strict=True)
    }
    return [(found[pair.prompt_id, pair.a], found[pair.prompt_id, pair.b]) for pair in pairs]
