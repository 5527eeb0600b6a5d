"""What a method works with: embeddings, a way to tell how far it is, and the question whether to stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workers.engine.embeddings import Embedded


class Unworkable(Exception):
    """The method cannot run as asked, and trying again will not help; the message is a sentence for the user."""


def _no_progress(done: int, total: int | None = None, stage: str = "") -> None:
    pass


def _never_stop() -> None:
    pass


class Votes(Protocol):
    """Votes as arrays; `workers.methods._base.Ballot` says what is in them."""

    @property
    def comparison(self) -> NDArray[np.int64]: ...
    @property
    def annotator(self) -> NDArray[np.int64]: ...
    @property
    def choice(self) -> NDArray[np.int64]: ...
    @property
    def is_both_bad(self) -> NDArray[np.bool_]: ...
    @property
    def first(self) -> NDArray[np.int64]: ...


def _nobody_voted() -> Votes | None:
    return None


@dataclass(frozen=True)
class Bench:
    """`progress` counts within the piece at hand; `check_cancelled` raises whatever ends the work: let it pass."""

    cache: Path
    progress: Callable[..., None] = _no_progress
    check_cancelled: Callable[[], None] = _never_stop
    # All counting votes of the project, read when asked for; None where nobody voted.
    votes: Callable[[], Votes | None] = _nobody_voted
    # Names of the project's sources by number.
    sources: Mapping[int, str] = field(default_factory=dict)

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        from workers.engine.embeddings import embed

        def on_batch(done: int, total: int) -> None:
            self.progress(done, total, "embedding")

        return embed(texts, model=model, cache=self.cache, check=self.check_cancelled, on_batch=on_batch)
