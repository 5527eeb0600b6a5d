"""Votes that never saw the label they vote on: heads are fitted on folds and score only the rows left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from workers.engine.heads.bradley_terry import bootstrap_weights, fit_heads, grouped_folds
from workers.engine.heads.evidence import block_scales
from workers.engine.heads.rows import Floats, Ints, Rows
from workers.engine.heads.stacking import L2, stack

# Tried by cross-validation inside the training folds; features have about unit length.
L2_CHOICES = (10.0, 30.0, 100.0, 300.0)
INNER_FOLDS = 3
INNER_ROWS = 3000
SCALES = np.geomspace(0.02, 10.0, 25)


@dataclass(frozen=True)
class CrossFit:
    """`margins` [n, heads]: toward b, in units of the head's RMS margin on training rows; NaN for a dropped head."""

    margins: Floats
    fold_of: Ints
    # Per fold: the l2 that was chosen, and whether the extra columns were used.
    l2: list[float]
    used_extra: list[bool]


def cross_fit_blocks(
    x: Floats,
    blocks: Sequence[slice],
    sign: Ints,
    groups: Ints,
    *,
    heads: int,
    folds: int,
    seed: int,
    is_bootstrapped: bool = True,
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Floats]:
    """(margins [n, heads], share [folds, blocks]): like `cross_fit`, but how far each block of columns is used, and the
    penalty, come from the evidence of the training folds. `share` is each block's part of the variance that the prior
    expects of a margin."""
    # As in `cross_fit`.
    with threadpool_limits(max(1, (os.cpu_count() or 2) // 2), user_api="blas"):
        rng = np.random.default_rng(seed)
        fold_of = grouped_folds(groups, folds, rng)
        margins = np.full((len(sign), heads), np.nan)
        shares = np.zeros((folds, len(blocks)))
        for fold in range(folds):
            check()
            train, held_out = (fold_of != fold) & (sign != 0), fold_of == fold
            y = sign[train].astype(float)
            scales = block_scales(x[train], y, blocks, check=check)
            power = np.sum((x[train] * scales.column) ** 2, axis=0)
            shares[fold] = [power[block].sum() for block in blocks]
            # Columns that the evidence has put out only cost time.
            used = scales.column**2 * np.mean(x[train] ** 2, axis=0) > 1e-6 * power.sum() / len(y)
            features = x[:, used] * scales.column[used]
            weights = bootstrap_weights(groups[train], heads, rng) if is_bootstrapped else np.ones((len(y), heads))
            beta = fit_heads(features[train], y, weights, np.full(heads, scales.l2), check=check)
            margins[held_out] = _scaled(features[train] @ beta, features[held_out] @ beta)
    return margins, shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)


def cross_fit_stack(
    x: NDArray[np.float32] | Floats,
    blocks: Sequence[slice],
    trust: Floats,
    sign: Ints,
    groups: Ints,
    *,
    heads: int,
    folds: int,
    seed: int,
    is_bootstrapped: bool = True,
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Floats]:
    """(margins [n, heads], share [folds, blocks]) as `cross_fit_blocks`, with the weights of `stacking`, in bounded
    memory: rows of a table that lies in a file are read in chunks. `trust` [blocks] are the weights beforehand."""
    with threadpool_limits(max(1, (os.cpu_count() or 2) // 2), user_api="blas"):
        rng = np.random.default_rng(seed)
        fold_of = grouped_folds(groups, folds, rng)
        margins = np.full((len(sign), heads), np.nan)
        shares = np.zeros((folds, len(blocks)))
        for fold in range(folds):
            check()
            train, held_out = np.flatnonzero((fold_of != fold) & (sign != 0)), np.flatnonzero(fold_of == fold)
            y = sign[train].astype(float)
            plain = Rows(x, train)
            found = stack(plain.gram(), plain.back(y[:, None])[:, 0], len(y), blocks, trust, check=check)
            weights = bootstrap_weights(groups[train], heads, rng) if is_bootstrapped else np.ones((len(y), heads))
            weighed = Rows(x, train, found.column)
            beta = fit_heads(weighed, y, weights, np.full(heads, L2), check=check)
            margins[held_out] = _scaled(weighed.times(beta), Rows(x, held_out, found.column).times(beta))
            shares[fold] = found.variance / found.variance.sum()
    return margins, shares


def _scaled(training: Floats, held_out: Floats) -> Floats:
    rms = np.sqrt(np.mean(training**2, axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # A head without variance says nothing, whatever its last digits are.
        return np.asarray(np.where(rms > 1e-9, held_out / rms, np.nan))


def cross_fit(
    x: Floats,
    extra: Floats | None,
    sign: Ints,
    groups: Ints,
    *,
    heads: int,
    folds: int,
    seed: int,
    l2_choices: tuple[float, ...] = L2_CHOICES,
    is_bootstrapped: bool = True,
    check: Callable[[], None] = lambda: None,
) -> CrossFit:
    """Votes on every row by heads that saw other folds only.

    Rows with sign 0 are scored and train nothing. Groups share a fold, and are drawn whole by the bootstrap.
    """
    # On all cores the products wait for each other as soon as anything else runs: 54 s instead of 22 s were seen.
    with threadpool_limits(max(1, (os.cpu_count() or 2) // 2), user_api="blas"):
        return _cross_fit(x, extra, sign, groups, heads, folds, seed, l2_choices, is_bootstrapped, check)


def _cross_fit(
    x: Floats,
    extra: Floats | None,
    sign: Ints,
    groups: Ints,
    heads: int,
    folds: int,
    seed: int,
    l2_choices: tuple[float, ...],
    is_bootstrapped: bool,
    check: Callable[[], None],
) -> CrossFit:
    rng = np.random.default_rng(seed)
    fold_of = grouped_folds(groups, folds, rng)
    margins = np.full((len(sign), heads), np.nan)
    chosen: list[tuple[float, bool]] = []
    wide = x if extra is None else np.hstack([x, extra])
    for fold in range(folds):
        check()
        train = (fold_of != fold) & (sign != 0)
        l2, with_extra = _choose(x, wide, sign, groups, train, l2_choices, rng, check)
        features = wide if with_extra else x
        weights = bootstrap_weights(groups[train], heads, rng) if is_bootstrapped else np.ones((train.sum(), heads))
        beta = fit_heads(features[train], sign[train].astype(float), weights, np.full(heads, l2), check=check)
        held_out = fold_of == fold
        margins[held_out] = _scaled(features[train] @ beta, features[held_out] @ beta)
        chosen.append((l2, with_extra))
    return CrossFit(margins, fold_of, [l2 for l2, _ in chosen], [used for _, used in chosen])


def _choose(
    x: Floats,
    wide: Floats,
    sign: Ints,
    groups: Ints,
    train: NDArray[np.bool_],
    l2_choices: tuple[float, ...],
    rng: np.random.Generator,
    check: Callable[[], None],
) -> tuple[float, bool]:
    """The l2, and whether the extra columns help, by loss inside the training folds only."""
    variants = [False] if wide.shape[1] == x.shape[1] else [False, True]
    if len(variants) * len(l2_choices) == 1:
        return l2_choices[0], False
    train = _some_of(train, groups, rng)
    inner = grouped_folds(groups[train], INNER_FOLDS, rng)
    y = sign[train].astype(float)
    losses: dict[tuple[float, bool], float] = {}
    for with_extra in variants:
        features = (wide if with_extra else x)[train]
        per_l2 = _inner_losses(features, y, inner, l2_choices, check)
        losses |= {(l2, with_extra): loss for l2, loss in zip(l2_choices, per_l2, strict=True)}
    return min(losses, key=lambda choice: (losses[choice], choice))


def _some_of(train: NDArray[np.bool_], groups: Ints, rng: np.random.Generator) -> NDArray[np.bool_]:
    """At most about INNER_ROWS of the training rows, by whole groups: enough to choose two settings."""
    share = INNER_ROWS / max(int(train.sum()), 1)
    names = np.unique(groups[train])
    if share >= 1:
        return train
    kept = rng.permutation(names)[: max(INNER_FOLDS, int(len(names) * share))]
    return np.asarray(train & np.isin(groups, kept))


def _inner_losses(
    features: Floats, y: Floats, inner: Ints, l2_choices: tuple[float, ...], check: Callable[[], None]
) -> list[float]:
    """Held-out log loss per l2, each at its best scale, since the votes are scaled afterwards anyway."""
    n_l2 = len(l2_choices)
    weights = np.repeat((inner[:, None] != np.arange(INNER_FOLDS)).astype(float), n_l2, axis=1)
    beta = fit_heads(features, y, weights, np.tile(np.array(l2_choices), INNER_FOLDS), check=check)
    margins = (features @ beta) * y[:, None]
    own = margins.reshape(len(y), INNER_FOLDS, n_l2)[np.arange(len(y)), inner]
    unit = own / np.maximum(np.sqrt(np.mean(own**2, axis=0)), 1e-12)
    return list(np.min([np.logaddexp(0.0, -scale * unit).mean(axis=0) for scale in SCALES], axis=0))
