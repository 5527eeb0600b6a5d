"""The shapes of votes there are, found by file name, and which of them some files are."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import cast

from annotation.votes import importers
from annotation.votes.importers._base import VoteShape
from corpus.formats import AUTO, NotRecognised, UnknownFormat
from corpus.importers._base import Row


@lru_cache
def shapes() -> dict[str, VoteShape]:
    """Every shape by its file name."""
    names = sorted(module.name for module in pkgutil.iter_modules(importers.__path__) if module.name[0] != "_")
    return {name: cast(VoteShape, import_module(f"annotation.votes.importers.{name}")) for name in names}


def check_shape(name: str) -> None:
    if name != AUTO and name not in shapes():
        known = ", ".join([AUTO, *shapes()])
        raise UnknownFormat(f"There is no shape of votes {name!r}; there are {known}.", {"format": "unknown"})


def recognise_shape(samples: Sequence[Sequence[Row]], name: str) -> str:
    """The shape that was asked for, or for `auto` the one that reads the most; a sample per file, in any order."""
    check_shape(name)
    if name != AUTO:
        return name
    confidences = {name: _confidence(shape, samples) for name, shape in shapes().items()}
    best = max(confidences, key=lambda name: confidences[name])
    if not confidences[best]:
        columns = list(dict.fromkeys(key for sample in samples for row in sample for key in row))[:12]
        found = ", ".join(repr(column[:40]) for column in columns) or "none"
        raise NotRecognised(
            f"No shape of votes has the columns {found}. A table of votes needs a header with `annotator` and "
            f"`choice`; the shapes are {', '.join(shapes())}.",
            {"file": "not recognised"},
        )
    return best


def _confidence(shape: VoteShape, samples: Sequence[Sequence[Row]]) -> float:
    """Of the least sure of the files that hold votes."""
    return min((shape.recognises(rows) for rows in samples if rows and not shape.is_lookup(rows)), default=0.0)
