"""What a method may ask of a causal model, whether it lies in a folder or behind a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from workers.engine.likelihood.chat import Chat
from workers.engine.likelihood.passages import Passage, Scored


class Scorer(Protocol):
    @property
    def name(self) -> str:
        """For people."""

    @property
    def version(self) -> str:
        """Another one wherever anything differs that changes what the same ids are given."""

    @property
    def context(self) -> int:
        """The most tokens of a passage."""

    @property
    def hands(self) -> int:
        """How many conversations to read at once: more than one where a server reads them."""

    def chat(self, *, with_eot: bool = True, template: str | None = None) -> Chat:
        """Conversations as this model's ids; `template` replaces its own."""

    def score(
        self,
        passages: Sequence[Passage],
        *,
        check: Callable[[], None] = lambda: None,
        on_passage: Callable[[int], None] = lambda done: None,
    ) -> list[Scored]:
        """One result per passage, in their order."""
