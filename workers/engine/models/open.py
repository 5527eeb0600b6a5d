"""From the name of a model to what can score with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.generation.written import Writer
from workers.engine.models.allowed import Servers
from workers.engine.models.folder import revision_of
from workers.engine.models.names import Served, located
from workers.engine.models.scorer import Scorer


def _go_on() -> None:
    pass


@dataclass(frozen=True)
class Where:
    """`models` holds the folders that go by name alone; `cache`, what can be found again; `servers`, those that the
    project lists. `check` is called while a server is waited for, and raises to end it."""

    models: Path
    cache: Path = Path("cache")
    servers: Servers = field(default_factory=Servers)
    check: Callable[[], None] = _go_on


def check_usable(name: str, where: Where, *, to_write: bool = False) -> None:
    """Unworkable, with a sentence, for what can be seen before a run; `to_write`, it need not be able to score."""
    found = located(name, where.models)
    if isinstance(found, Served):
        _check_server(found, where, to_write)
        return
    from workers.engine.models.causal import check_usable

    check_usable(found)


def open_scorer(name: str, where: Where) -> Scorer:
    found = located(name, where.models)
    if isinstance(found, Served):
        from workers.engine.models.server import open_server

        return open_server(found, where.servers, where.models, cache=where.cache, check=where.check)
    from workers.engine.models.causal import FolderScorer

    return FolderScorer(found)


def open_writer(name: str, where: Where) -> Writer:
    found = located(name, where.models)
    if isinstance(found, Served):
        from workers.engine.models.server import open_server_to_write

        return open_server_to_write(found, where.servers, check=where.check)
    from workers.engine.models.causal import FolderScorer

    return FolderScorer(found)


def told_of(name: str, where: Where) -> dict[str, Any]:
    """What a run keeps of the model it used. A server does not tell its weights, and may be away by then."""
    found = located(name, where.models)
    if isinstance(found, Served):
        from workers.engine.models.server import told_of_server

        return told_of_server(found)
    revision = revision_of(found)
    return {"name": revision.name, "sha256": revision.weights, "reading": revision.reading}


def _check_server(served: Served, where: Where, to_write: bool) -> None:
    from workers.engine.models.client import ServerTrouble
    from workers.engine.models.server import open_server, open_server_to_write

    try:
        if to_write:
            open_server_to_write(served, where.servers, check=where.check)
        else:
            open_server(served, where.servers, where.models, cache=where.cache, check=where.check).chat()
    except ServerTrouble as reason:
        raise Unworkable(str(reason)) from reason
