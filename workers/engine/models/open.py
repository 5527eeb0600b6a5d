"""From the name of a model to what can score with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.models.folder import revision_of
from workers.engine.models.names import Served, located
from workers.engine.models.scorer import Scorer


@dataclass(frozen=True)
class Where:
    """`models` holds the folders that go by name alone."""

    models: Path


def check_usable(name: str, where: Where) -> None:
    """Unworkable, with a sentence, for what can be seen before a run."""
    from workers.engine.models.causal import check_usable

    check_usable(_folder(name, where))


def open_scorer(name: str, where: Where) -> Scorer:
    from workers.engine.models.causal import FolderScorer

    return FolderScorer(_folder(name, where))


def told_of(name: str, where: Where) -> dict[str, Any]:
    """What a run keeps of the model it used."""
    revision = revision_of(_folder(name, where))
    return {"name": revision.name, "sha256": revision.weights, "reading": revision.reading}


def _folder(name: str, where: Where) -> Path:
    found = located(name, where.models)
    if isinstance(found, Served):
        raise Unworkable(f"{found.url} is a model server, and these are not used here yet.")
    return found
