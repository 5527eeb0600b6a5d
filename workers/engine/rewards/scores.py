"""Scores that off-the-shelf reward models give responses, computed once per conversation and response, then kept.

Rows are read longest first in batches of about equal numbers of tokens, padding included, so that memory runs out at
once or not at all; where it does, the batch is halved and later ones stay as small. A score that is not a number, or
a conversation that the model's chat template refuses, is NaN, and the other rows are as they would be without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.bench import Unworkable
from workers.engine.devices import ran_out_of_memory, release_memory
from workers.engine.heads.rows import Floats
from workers.engine.models.folder import placement, revision_of
from workers.engine.models.resident import resident
from workers.engine.rewards.model import Classifier, reward_folder
from workers.engine.rewards.reading import Reading
from workers.engine.texts.store import Kept, keep, kept_in, open_store

# Tokens of a batch, padding included, and its rows.
TOKENS = {"cpu": 8192, "cuda": 65536}
ROWS = 256
READ_AT_ONCE = 256
# Changes with the code that makes ids or scores of the same model others.
RULES = "1"

# The conversation so far, and the response to it.
Asked = tuple[Sequence[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Rewarded:
    """One score per row, NaN where there is none, and whether the model read only a part of it."""

    values: Floats
    truncated: NDArray[np.bool_]


def reward(
    asked: Sequence[Asked],
    *,
    model: str,
    cache: Path,
    check: Callable[[], None] = lambda: None,
    on_batch: Callable[[int, int], None] | None = None,
) -> Rewarded:
    """Scores in the order of the rows; what the cache lacks is computed. `on_batch` hears how many of it are there."""
    folder = reward_folder(model)
    keys = [_key(*one) for one in asked]
    by_key = dict(zip(keys, asked, strict=True))
    with closing(open_store(_cache_file(cache, folder))) as store:
        found = kept_in(store, list(by_key))
        missing = {key: one for key, one in by_key.items() if key not in found}
        done = 0
        if missing:
            classifier = resident(Classifier, folder)
            for fresh in _scored(classifier, missing, folder, check):
                keep(store, fresh)
                found |= fresh
                done += len(fresh)
                if on_batch:
                    on_batch(done, len(missing))
    values = np.frombuffer(b"".join(found[key][0] for key in keys), np.float32)
    return Rewarded(values.astype(np.float64), np.array([found[key][1] for key in keys], np.bool_))


def _key(messages: Sequence[Mapping[str, Any]], response: str) -> bytes:
    turns = [[str(turn.get("role")), str(turn.get("content") or "")] for turn in messages]
    return hashlib.sha256(json.dumps([turns, response]).encode()).digest()


def _cache_file(cache: Path, folder: Path) -> Path:
    revision = revision_of(folder)
    version = f"{revision.weights} {revision.reading} {placement()[1]} {RULES}"
    return cache / "rewards" / f"{hashlib.sha256(version.encode()).hexdigest()[:16]}.sqlite"


def _scored(classifier: Classifier, missing: Mapping[bytes, Asked], folder: Path, check: Callable[[], None]) -> Any:
    """Batches of what was missing, each complete, as they get done."""
    readings: dict[bytes, Reading] = {}
    refused: dict[bytes, Kept] = {}
    for place, (key, one) in enumerate(missing.items()):
        if place % READ_AT_ONCE == 0:
            check()
        reading = classifier.reader.read(*one)
        if reading is None:
            refused[key] = _answer(np.nan, False)
        else:
            readings[key] = reading
    if refused:
        yield refused
    waiting = sorted(readings, key=lambda key: (-len(readings[key]), key))
    budget, start = TOKENS[classifier.device], 0
    while start < len(waiting):
        check()
        longest = max(len(readings[waiting[start]]), 1)
        batch = waiting[start : start + min(max(budget // longest, 1), ROWS)]
        values = _values(classifier, [readings[key] for key in batch])
        if values is None:
            if len(batch) == 1:
                raise Unworkable(f"Memory ran out while {folder.name} read one text of {longest:,} tokens.")
            release_memory()
            budget = len(batch) // 2 * longest
            continue
        yield {key: _answer(value, readings[key].is_cut) for key, value in zip(batch, values, strict=True)}
        start += len(batch)


def _values(classifier: Classifier, batch: Sequence[Reading]) -> Floats | None:
    """None where memory ran out; anything else that goes wrong is raised."""
    try:
        return classifier.scores(batch)
    except (RuntimeError, MemoryError) as error:
        if ran_out_of_memory(error):
            return None
        raise


def _answer(value: float, is_cut: bool) -> Kept:
    finite = value if np.isfinite(value) else np.nan
    return np.float32(finite).tobytes(), is_cut
