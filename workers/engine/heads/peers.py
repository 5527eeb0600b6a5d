"""Two heads that choose each other's training rows: who is kept, and what each of them says in the end.

Per epoch every row is ranked by the margin y beta.x of the *other* head inside blocks, and the lowest eta share of a
block is left out of this head's next steps. A block is dealt from the order of margins like cards, so that it holds
easy and hard rows alike: in a block of hard rows alone the rank would throw away what is right. Steps are full-batch
Newton steps on a fixed upper bound of the curvature, a few per epoch, from a small random start.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from workers.engine.heads.bradley_terry import Floats, Ints, bootstrap_weights, fit_heads, grouped_folds
from workers.engine.heads.evidence import Scales, block_scales

# The columns of one encoder, and its blocks.
Columns = tuple[Floats, Sequence[slice]]

STEPS = 3
BLOCK = 256
START = 0.01


@dataclass(frozen=True)
class View:
    """What one head of a pair sees: x [n, d] and its penalty; `weights` [n, pairs], how often each of the training rows
    was drawn for it, zero for the others; `start` [d, pairs]."""

    x: Floats
    l2: float
    weights: Floats
    start: Floats


@dataclass(frozen=True)
class Reviewed:
    """Of every held-out row: `margin` [n, 3] and `kept` [n, 3], each for (peers, self-selected, all rows), a mean over
    both views and all pairs. `margin` is in units of its RMS on training rows; `kept` is the share of the epochs after
    the first, and of the heads, in which the row would have been kept; NaN where nothing selects."""

    margin: Floats
    kept: Floats


@dataclass(frozen=True)
class Course:
    """How the epochs go: the share left out grows to `eta` over the warm-up."""

    eta: float
    epochs: int
    warm_up: int

    def left_out(self, epoch: int) -> float:
        return self.eta * min(1.0, epoch / max(self.warm_up, 1))


@dataclass(frozen=True)
class Fold:
    """`scales`: of each encoder, from the training rows; `single` [held]: what one head on the first of them says, in
    units of its RMS."""

    number: int
    train: Ints
    held: Ints
    scales: list[Scales]
    single: Floats


def folds_of(
    encoders: Sequence[Columns], sign: Ints, groups: Ints, *, folds: int, seed: int, check: Callable[[], None]
) -> list[Fold]:
    """What holds for whatever eta the heads are then reviewed with."""
    fold_of = grouped_folds(groups, folds, np.random.default_rng(seed))
    return [_fold(encoders, sign, fold_of, number, check) for number in range(folds)]


def _fold(encoders: Sequence[Columns], sign: Ints, fold_of: Ints, number: int, check: Callable[[], None]) -> Fold:
    train, held = np.flatnonzero((fold_of != number) & (sign != 0)), np.flatnonzero(fold_of == number)
    y = sign[train].astype(float)
    with _few_threads():
        scales = [block_scales(x[train], y, blocks, check=check) for x, blocks in encoders]
        x = encoders[0][0] * scales[0].column
        beta = fit_heads(x[train], y, np.ones((len(y), 1)), np.array([scales[0].l2]), check=check)
        rms = float(np.sqrt(np.mean((x[train] @ beta) ** 2)))
    return Fold(number, train, held, scales, (x[held] @ beta)[:, 0] / rms if rms > 1e-9 else np.zeros(len(held)))


def review_fold(
    encoders: Sequence[Columns], fold: Fold, sign: Ints, groups: Ints, course: Course, *,
    pairs: int, seed: int, check: Callable[[], None] = lambda: None,
) -> Reviewed:  # fmt: skip
    """Both models of a pair are drawn anew for every fold; where there is one encoder, both look through it."""
    rngs = np.random.default_rng([seed, fold.number]).spawn(3)
    views = []
    with _few_threads():
        for place, rng in ((0, rngs[0]), (len(encoders) - 1, rngs[1])):
            scales = fold.scales[place]
            weights = np.zeros((len(sign), pairs))
            weights[fold.train] = bootstrap_weights(groups[fold.train], pairs, rng)
            # Columns that the evidence has put out only cost time.
            used = scales.column > 1e-4 * scales.column.max()
            start = START * rng.normal(size=(int(used.sum()), pairs))
            views.append(View(encoders[place][0][:, used] * scales.column[used], scales.l2, weights, start))
        return review(views[0], views[1], sign.astype(float), fold.train, fold.held, course, rngs[2], check=check)


def _few_threads() -> threadpool_limits:
    """As in `cross_fit`: on all cores the products wait for each other as soon as anything else runs."""
    return threadpool_limits(max(1, (os.cpu_count() or 2) // 2), user_api="blas")


def review(
    a: View, b: View, y: Floats, train: Ints, held: Ints, course: Course, rng: np.random.Generator,
    *, check: Callable[[], None] = lambda: None,
) -> Reviewed:  # fmt: skip
    """`y` [n] in {-1, 0, 1}; rows of `train` are learnt from, rows of `held` are spoken of. Exchanging a and b changes
    nothing but whose head is whose, which the means do not tell."""
    pairs = a.weights.shape[1]
    sides = [_Side(view, y, train) for view in (a, b)]
    seen = np.zeros((2, len(held)))
    for epoch in range(course.epochs):
        check()
        margins = [side.margins(train) * y[train, None] for side in sides]
        block = _dealt(len(train), rng)
        share = course.left_out(epoch)
        for side, own, other in zip(sides, margins, margins[::-1], strict=True):
            ranked = np.hstack([other[:, :pairs], own[:, pairs : 2 * pairs]])
            kept = _keep(ranked, side.drawn[:, : 2 * pairs], block, share)
            side.step(np.hstack([kept, np.ones((len(train), pairs))]))
        # The first ranking is that of a random start, and leaves nothing out.
        if epoch:
            for side in sides:
                toward = side.margins(held) * y[held, None]
                chosen = _lead(toward, 1 - course.left_out(epoch))
                seen += [chosen[:, :pairs].mean(axis=1), chosen[:, pairs : 2 * pairs].mean(axis=1)]
    told = np.mean([side.scaled(train, held) for side in sides], axis=0)
    frequency = np.vstack([seen / (2 * max(course.epochs - 1, 1)), np.full(len(held), np.nan)])
    return Reviewed(told, frequency.T)


class _Side:
    """One view's heads as columns: those chosen for by the partner, those that choose for themselves, those that take
    all; each of them `pairs` times."""

    def __init__(self, view: View, y: Floats, train: Ints) -> None:
        self.x, self.l2 = view.x, view.l2
        self.drawn = np.tile(view.weights[train], 3)
        self.beta = np.tile(view.start, 3)
        self.signed = view.x[train] * y[train, None]
        # A logistic row bends by a quarter at most.
        bound = 0.25 * (self.signed.T @ self.signed)
        bound[np.diag_indices_from(bound)] += view.l2
        self.inverse = np.linalg.inv(bound)

    def margins(self, rows: Ints) -> Floats:
        return np.asarray(self.x[rows] @ self.beta)

    def step(self, kept: Floats) -> None:
        weights = self.drawn * kept
        # As if nothing were left out, so that leaving out does not tell on the penalty.
        weights *= len(weights) / np.maximum(weights.sum(axis=0), 1e-9)
        for _ in range(STEPS):
            p = 0.5 * (1 - np.tanh(0.5 * (self.signed @ self.beta)))
            self.beta = self.beta - self.inverse @ (self.l2 * self.beta - self.signed.T @ (weights * p))

    def scaled(self, train: Ints, held: Ints) -> Floats:
        """[held, 3]: the mean over the pairs, each head in units of its own RMS."""
        training, margin = self.margins(train), self.margins(held)
        rms = np.sqrt(np.mean(training**2, axis=0))
        unit = margin / np.where(rms > 1e-9, rms, np.inf)
        return np.asarray(unit.reshape(len(held), 3, -1).mean(axis=2))


def _dealt(n: int, rng: np.random.Generator) -> Ints:
    """The block of the row at each place in an order: as many blocks as needed, dealt anew every round."""
    blocks = max(1, round(n / BLOCK))
    rounds = -(-n // blocks)
    return np.asarray(rng.permuted(np.tile(np.arange(blocks), (rounds, 1)), axis=1).ravel()[:n])


def _keep(margin: Floats, drawn: Floats, block_at: Ints, left_out: float) -> Floats:
    """1 for the rows of a block's leading 1 - left_out share, by margin, among those drawn; per column."""
    kept = np.ones_like(margin)
    if not left_out:
        return kept
    for column in range(margin.shape[1]):
        rows = np.flatnonzero(drawn[:, column] > 0)
        hardest = rows[np.argsort(margin[rows, column], kind="stable")]
        block = block_at[: len(rows)]
        # Within a block the rows follow each other hardest first; so many of them go.
        order = np.argsort(block, kind="stable")
        starts = np.searchsorted(block[order], block[order])
        place = np.arange(len(rows)) - starts
        size = np.bincount(block)[block[order]]
        kept[hardest[order[place < np.floor(left_out * size + 0.5)]], column] = 0.0
    return kept


def _lead(margin: Floats, share: float) -> Floats:
    """1 for the leading share of each column; equals at the cut all lead."""
    if share <= 0 or not len(margin):
        return np.zeros_like(margin)
    cut = np.sort(margin, axis=0)[min(len(margin) - 1, int(np.floor((1 - share) * len(margin) + 0.5)))]
    return np.asarray(margin >= cut, dtype=np.float64)
