"""Cohen's kappa, plain and weighted, of two people, and its mean over all pairs who share enough items.

Idea
    How far two named people agree beyond what their own habits would give by chance.
Formula
    kappa = 1 - sum w_jk o_jk / sum w_jk e_jk, where o_jk is the share of shared items that the one calls j and the
    other k, e_jk = o_j. o_.k, and w_jk = 1 for j != k (none), |j - k| (linear) or (j - k)^2 (quadratic), on the
    values themselves. The mean over pairs counts every pair alike.
Paper
    J. Cohen, "Weighted kappa", Psychological Bulletin 70, 1968.
Inputs
    For weights the answers are numbers (-3..3; "both bad" is no number and is left out).
Range
    1 = perfect, 0 = as by chance, below 0 = less than by chance.
Interval
    Bootstrap over items, all pairs at once, since pairs share items. Beyond BLOCKS items they are drawn in that many
    random blocks, which costs no more for a million items than for a thousand.
Limits
    Quadratic weights reward being near so much that a careless person looks fair; say which weights a figure has. The
    pairs of one campaign are not independent. Not when each item has its own people: use alpha.
Cost
    Linear in the pairs of answers that share an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from annotation.statistics.estimates import MIN_ITEMS_FOR_INTERVAL, SEED, Estimate, Floats, Ints

Weights = Literal["none", "linear", "quadratic"]

MIN_SHARED_ITEMS = 20
ROUNDS = 1000
BLOCKS = 1000
# Numbers that the tables of all blocks may hold; more pairs, fewer blocks.
MOST_CELLS = 2_000_000
SAME_ONE_ANSWER = "Both gave one and the same answer throughout, so there is no disagreement to expect by chance."


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators, by id, the smaller first."""

    first: int
    second: int
    kappa: Estimate


@dataclass(frozen=True)
class CohenKappas:
    mean: Estimate
    # Most shared items first.
    pairs: list[PairAgreement] = field(default_factory=list)


def cohen_kappa(
    left: Sequence[float], right: Sequence[float], weights: Weights = "none", *, seed: int = SEED
) -> Estimate:
    """Of two people's answers to the same items; nan where one has none."""
    answers = np.array([left, right], dtype=np.float64)
    items = np.arange(answers.shape[1])
    annotators = np.repeat([0, 1], answers.shape[1])
    found = cohen_kappas(np.tile(items, 2), annotators, answers.ravel(), weights, least=1, seed=seed)
    return found.pairs[0].kappa if found.pairs else Estimate(0, 0, reason="They share no item.")


def cohen_kappas(
    items: Ints,
    annotators: Ints,
    answers: Floats,
    weights: Weights = "none",
    *,
    least: int = MIN_SHARED_ITEMS,
    seed: int = SEED,
) -> CohenKappas:
    """One entry per answer, at most one per item and annotator; nan answers are left out."""
    known = ~np.isnan(answers)
    shared = _shared(items[known], annotators[known], answers[known], least)
    if shared is None:
        reason = f"No two people have {least} items in common."
        return CohenKappas(Estimate(0, 0, reason=reason))
    tables = shared.tables(seed)
    values = _kappas(tables.sum(axis=0), shared.values, weights)
    rng = np.random.default_rng(seed)
    n_blocks = len(tables)
    drawn = np.empty((ROUNDS, len(values)))
    flat = tables.reshape(n_blocks, -1)
    at_once = max(1, MOST_CELLS // flat.shape[1])
    for first in range(0, ROUNDS, at_once):
        size = min(at_once, ROUNDS - first)
        counts = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=size).astype(np.float64)
        sums = (counts @ flat).reshape(-1, *tables.shape[2:])
        drawn[first : first + size] = _kappas(sums, shared.values, weights).reshape(size, -1)
    pairs = [
        PairAgreement(int(first), int(second), _estimate(values[p], drawn[:, p], int(shared.n[p]), SAME_ONE_ANSWER))
        for p, (first, second) in enumerate(shared.pairs)
    ]
    pairs.sort(key=lambda pair: (-pair.kappa.n_items, pair.first, pair.second))
    return CohenKappas(_mean(values, drawn, shared), pairs)


def _mean(values: Floats, drawn: Floats, shared: _Shared) -> Estimate:
    if np.isnan(values).all():
        return Estimate(shared.n_items, int(2 * shared.n.sum()), reason=SAME_ONE_ANSWER)
    # A pair that gave one answer throughout in a sample says nothing there; where none says anything, it is void.
    defined = ~np.isnan(drawn)
    sums, counts = np.where(defined, drawn, 0).sum(axis=1), defined.sum(axis=1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return _estimate(float(np.nanmean(values)), means, shared.n_items, "", int(2 * shared.n.sum()))


def _estimate(value: float, drawn: Floats, n: int, undefined: str, n_answers: int | None = None) -> Estimate:
    answers = 2 * n if n_answers is None else n_answers
    if np.isnan(value):
        return Estimate(n, answers, reason=undefined)
    if n < MIN_ITEMS_FOR_INTERVAL:
        return Estimate(
            n, answers, float(value), reason=f"No interval: it takes {MIN_ITEMS_FOR_INTERVAL} shared items."
        )
    if np.isnan(drawn).all():
        return Estimate(n, answers, float(value), reason="No interval: it is undefined in every sample.")
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(n, answers, float(value), float(low), float(high))


@dataclass(frozen=True)
class _Shared:
    """Every pair of answers to one item by two people who share enough items."""

    # pair x 2: annotator ids; pair: items they share
    pairs: Ints
    n: Ints
    values: Floats
    # Of each pair of answers: its item 0.., its pair of people, and the cell of their table.
    item: Ints
    pair: Ints
    cell: Ints
    n_items: int

    def tables(self, seed: int) -> Floats:
        """block x pair x value x value: how many items of the block fall into each cell."""
        size = len(self.values)
        cells = len(self.pairs) * size * size
        n_blocks = max(2, min(self.n_items, BLOCKS, MOST_CELLS // cells))
        if n_blocks >= self.n_items:
            block = np.arange(self.n_items)
            n_blocks = self.n_items
        else:
            block = np.random.default_rng(seed).permutation(self.n_items) % n_blocks
        place = block[self.item] * cells + self.pair * size * size + self.cell
        counted = np.bincount(place, minlength=n_blocks * cells).astype(np.float64)
        return counted.reshape(n_blocks, len(self.pairs), size, size)


def _shared(items: Ints, annotators: Ints, answers: Floats, least: int) -> _Shared | None:
    values, answer = np.unique(answers, return_inverse=True)
    ids, annotator = np.unique(annotators, return_inverse=True)
    order = np.lexsort((annotator, items))
    item, annotator, answer = items[order], annotator[order], answer[order]
    firsts, seconds = _pairs_within(item)
    key = annotator[firsts] * len(ids) + annotator[seconds]
    keys, pair, n = np.unique(key, return_inverse=True, return_counts=True)
    enough = n >= least
    if not enough.any():
        return None
    kept = enough[pair]
    renumbered = np.cumsum(enough) - 1
    of_item, numbered = np.unique(item[firsts[kept]], return_inverse=True)
    return _Shared(
        pairs=np.stack([ids[keys[enough] // len(ids)], ids[keys[enough] % len(ids)]], axis=1),
        n=n[enough],
        values=values,
        item=numbered,
        pair=renumbered[pair[kept]],
        cell=answer[firsts[kept]] * len(values) + answer[seconds[kept]],
        n_items=len(of_item),
    )


def _pairs_within(item: Ints) -> tuple[Ints, Ints]:
    """Places of all pairs of entries with the same item, which are sorted by it."""
    firsts, seconds = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    places = np.arange(len(item))
    step = 1
    while step < len(item):
        same = places[:-step][item[:-step] == item[step:]]
        if not len(same):
            break
        firsts.append(same)
        seconds.append(same + step)
        step += 1
    return np.concatenate(firsts), np.concatenate(seconds)


def _kappas(tables: Floats, values: Floats, weights: Weights) -> Floats:
    """tables: pair x value x value."""
    distance = np.abs(values[:, None] - values[None, :])
    penalty = {"none": (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}[weights]
    total = tables.sum(axis=(1, 2))
    observed = (tables * penalty).sum(axis=(1, 2))
    chance = np.einsum("pj,jk,pk->p", tables.sum(axis=2), penalty, tables.sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(chance > 0, 1 - observed * total / chance, np.nan))
