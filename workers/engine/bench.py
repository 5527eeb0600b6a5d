"""What a method works with: embeddings, a way to tell how far it is, and the question whether to stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workers.engine.embeddings import Embedded


class Unworkable(Exception):
    """The method cannot run as asked, and trying again will not help; the message is a sentence for the user."""


def _no_progress(done: int, total: int | None = None, stage: str = "") -> None:
    pass


def _never_stop() -> None:
    pass


@dataclass(frozen=True)
class Bench:
    """`progress` counts within the piece at hand; `check_cancelled` raises whatever ends the work: let it pass."""

    cache: Path
    progress: Callable[..., None] = _no_progress
    check_cancelled: Callable[[], None] = _never_stop

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        from workers.engine.embeddings import embed

        def on_batch(done: int, total: int) -> None:
            self.progress(done, total, "embedding")

        return embed(texts, model=model, cache=self.cache, check=self.check_cancelled, on_batch=on_batch)
