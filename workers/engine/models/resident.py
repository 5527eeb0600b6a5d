"""Which models stay in memory: as many as fit, and the one that was used longest ago leaves first.

A process has one set of residents, of reward models and causal models together. A folder whose files have changed is
another model. What a model takes is told by its weights before it is loaded; where memory runs out all the same, all
others leave and it is tried once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from workers.engine.bench import Unworkable
from workers.engine.devices import free_bytes, ran_out_of_memory, release_memory
from workers.engine.models.folder import placement, revision_of, tensors_of

# What must stay free beside the weights, as a share of what is free: for the texts, and for whoever else lives here.
LEFT_FREE = 0.4
ITEM_BYTES = {"float32": 4, "bfloat16": 2}


class Loaded(Protocol):
    @property
    def model(self) -> Any:
        """The torch module."""


L = TypeVar("L", bound=Loaded)


@dataclass(frozen=True)
class _Key:
    kind: Callable[[Path], Loaded]
    folder: Path
    revision: str


# The one used last stands last.
_residents: dict[_Key, Loaded] = {}


def resident(kind: Callable[[Path], L], folder: Path) -> L:
    """The loaded model of the folder, loaded now if need be; `kind` loads it. Unworkable where memory does not do."""
    revision = revision_of(folder)
    key = _Key(kind, folder, revision.weights + revision.reading)
    found = cast(L, _residents.pop(key)) if key in _residents else _load(kind, folder)
    _residents[key] = found
    return found


def is_resident(folder: Path) -> bool:
    return any(key.folder == folder for key in _residents)


def forget_residents() -> None:
    while _residents:
        _leave_first()


def _load(kind: Callable[[Path], L], folder: Path) -> L:
    device, dtype = placement()
    needed = sum(tensors_of(folder).values()) * ITEM_BYTES[dtype]
    while _residents and needed > free_bytes(device) * (1 - LEFT_FREE):
        _leave_first()
    try:
        return kind(folder)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
    forget_residents()
    try:
        return kind(folder)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        raise Unworkable(
            f"The model in {folder} needs about {needed / 2**30:.1f} GiB for its weights alone, and this worker's "
            f"{device} does not have them; use a smaller model, a worker with more memory, or a model server."
        ) from error


def _leave_first() -> None:
    key = next(iter(_residents))
    _residents.pop(key).model.to("meta")
    release_memory()
