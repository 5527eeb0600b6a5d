"""The same held-out rows read by a head of their own source and by one of all sources together.

Both heads see the same folds, and of the row's own source the same training rows; a prompt that several sources share
lies in one fold everywhere, so nobody has seen a label of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.evidence import block_scales
from workers.engine.heads import Floats, Ints, fit_heads, grouped_folds
from workers.engine.paired import bootstrap_means, interval

HARMS, HELPS, NO_DIFFERENCE = "pooling harms", "pooling helps", "no difference shown"


@dataclass(frozen=True)
class Labelled:
    """Rows with a label that is no tie: features [n, d] in blocks, y [n] in {-1, 1}, prompt and source of each."""

    x: Floats
    blocks: Sequence[slice]
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
    for fold in range(folds):
        train, held_out = fold_of != fold, fold_of == fold
        found.pooled[held_out] = _margins(rows, rows.blocks, train, held_out, check)
        for source in sources:
            here = rows.source == source
            found.own[held_out & here] = _margins(rows, rows.blocks, train & here, held_out & here, check)
            found.length[held_out & here] = _margins(rows, rows.blocks[:1], train & here, held_out & here, check)
        on_fold(fold + 1, folds)
    return found


def _margins(
    rows: Labelled,
    blocks: Sequence[slice],
    train: NDArray[np.bool_],
    held_out: NDArray[np.bool_],
    check: Callable[[], None],
) -> Floats:
    """A head on the columns of `blocks`, each used as far as the evidence of the training rows says."""
    check()
    if not train.any() or not held_out.any():
        return np.zeros(int(held_out.sum()))
    x, y = rows.x[:, : blocks[-1].stop], rows.y[train]
    scales = block_scales(x[train], y, blocks, check=check)
    power = np.mean((x[train] * scales.column) ** 2, axis=0)
    # Columns that the evidence has put out only cost time.
    used = power > 1e-6 * power.sum()
    if not used.any():
        return np.zeros(int(held_out.sum()))
    column = scales.column[used]
    beta = fit_heads(x[train][:, used] * column, y, np.ones((len(y), 1)), np.array([scales.l2]), check=check)
    return np.asarray((x[held_out][:, used] * column @ beta)[:, 0])


def right(margin: Floats, y: Floats) -> Floats:
    """1 where the sign of the margin is the label's, one half for no margin."""
    return np.asarray((margin * y > 0) + 0.5 * (margin == 0))


def difference(own: Floats, pooled: Floats, prompt: Ints, *, seed: Sequence[int]) -> dict[str, Any]:
    """Mean of pooled - own over rows that each got right or wrong, with the interval of a bootstrap by prompt."""
    apart = pooled - own
    low, high = interval(bootstrap_means(apart[:, None], prompt, seed=seed)[:, 0])
    found = {"value": float(apart.mean()), "interval": [low, high], "n": len(apart), "groups": len(np.unique(prompt))}
    return found | {"verdict": HARMS if high < 0 else HELPS if low > 0 else NO_DIFFERENCE}
