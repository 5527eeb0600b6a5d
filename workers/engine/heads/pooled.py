"""The same held-out rows read by a head of their own source and by one of all sources together.

Both heads see the same folds, and of the row's own source the same training rows; a prompt that several sources share
lies in one fold everywhere, so nobody has seen a label of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from workers.engine.gain.paired import bootstrap_means, interval
from workers.engine.heads.bradley_terry import fit_heads, grouped_folds
from workers.engine.heads.rows import Floats, Ints, Rows
from workers.engine.heads.stacking import L2, stack

HARMS, HELPS, NO_DIFFERENCE = "pooling harms", "pooling helps", "no difference shown"
LENGTH_L2 = 1.0


@dataclass(frozen=True)
class Labelled:
    """Rows with a label that is no tie: features [n, d] in blocks with how far each is trusted beforehand, length
    [n, 1], y [n] in {-1, 1}, prompt and source of each."""

    x: NDArray[Any]
    blocks: Sequence[slice]
    trust: Floats
    length: Floats
    y: Floats
    prompt: Ints
    source: Ints


@dataclass(frozen=True)
class Margins:
    """Held out, toward b [n]: by a head of the row's source, of all sources, and of length in the row's source."""

    own: Floats
    pooled: Floats
    length: Floats


def held_out_margins(
    rows: Labelled,
    *,
    folds: int,
    seed: int,
    check: Callable[[], None] = lambda: None,
    on_fold: Callable[[int, int], None] = lambda done, total: None,
) -> Margins:
    fold_of = grouped_folds(rows.prompt, folds, np.random.default_rng(seed))
    found = Margins(*(np.zeros(len(rows.y)) for _ in range(3)))
    sources = np.unique(rows.source)
    # On all cores the products wait for each other as soon as anything else runs.
    with threadpool_limits(max(1, (os.cpu_count() or 2) // 2), user_api="blas"):
        for fold in range(folds):
            train, held_out = fold_of != fold, fold_of == fold
            found.pooled[held_out] = _margins(rows, train, held_out, check)
            for source in sources:
                here = rows.source == source
                found.own[held_out & here] = _margins(rows, train & here, held_out & here, check)
                found.length[held_out & here] = _by_length(rows, train & here, held_out & here)
            on_fold(fold + 1, folds)
    return found


def _margins(
    rows: Labelled, train: NDArray[np.bool_], held_out: NDArray[np.bool_], check: Callable[[], None]
) -> Floats:
    """A head as `model_vote` fits them, without a resample: each block as far as the training rows bear it out."""
    check()
    learnt, asked = np.flatnonzero(train), np.flatnonzero(held_out)
    if not len(learnt) or not len(asked):
        return np.zeros(len(asked))
    y, plain = rows.y[learnt], Rows(rows.x, learnt)
    found = stack(plain.gram(), plain.back(y[:, None])[:, 0], len(y), rows.blocks, rows.trust, check=check)
    beta = fit_heads(Rows(rows.x, learnt, found.column), y, np.ones((len(y), 1)), np.array([L2]), check=check)
    return Rows(rows.x, asked, found.column).times(beta)[:, 0]


def _by_length(rows: Labelled, train: NDArray[np.bool_], held_out: NDArray[np.bool_]) -> Floats:
    beta = fit_heads(rows.length[train], rows.y[train], np.ones((int(train.sum()), 1)), np.array([LENGTH_L2]))
    return np.asarray((rows.length[held_out] @ beta)[:, 0])


def right(margin: Floats, y: Floats) -> Floats:
    """1 where the sign of the margin is the label's, one half for no margin."""
    return np.asarray((margin * y > 0) + 0.5 * (margin == 0))


def difference(own: Floats, pooled: Floats, prompt: Ints, *, seed: Sequence[int]) -> dict[str, Any]:
    """Mean of pooled - own over rows that each got right or wrong, with the interval of a bootstrap by prompt."""
    apart = pooled - own
    low, high = interval(bootstrap_means(apart[:, None], prompt, seed=seed)[:, 0])
    found = {"value": float(apart.mean()), "interval": [low, high], "n": len(apart), "groups": len(np.unique(prompt))}
    return found | {"verdict": HARMS if high < 0 else HELPS if low > 0 else NO_DIFFERENCE}
