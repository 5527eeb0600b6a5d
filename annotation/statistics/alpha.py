"""Krippendorff's alpha and raw agreement.

Idea
    How much less people disagree about an item than they would by chance.
Formula
    alpha = 1 - observed / expected disagreement over all pairs of answers to one item. An item with m answers adds
    each of its m (m - 1) ordered pairs with weight 1 / (m - 1); by chance, any two of all pairable answers meet.
    nominal: two different answers disagree fully. interval: by squared distance. ordinal: by the square of the number
    of answers that lie between, those at both ends counted half.
Paper
    K. Krippendorff, "Content Analysis", 2004, chapter 11.
Inputs
    Any number of answers per item and missing ones; items with one answer count in nothing.
Range
    1 = perfect, 0 = as by chance, below 0 = less than by chance.
Limits
    Where nearly everybody gives one answer, little disagreement is expected and a few dissenters pull alpha to 0
    although people agree; look at raw agreement beside it. Not for picking among people: it is a figure of the crowd.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from annotation.statistics.estimates import BOOTSTRAP_ROUNDS, SEED, Estimate, Floats, bootstrapped
from annotation.statistics.patterns import Patterns

Metric = Literal["nominal", "ordinal", "interval"]
ALIKE = "Everybody gave the same answer everywhere, so there is no disagreement to expect by chance."


def krippendorff_alpha(
    patterns: Patterns, metric: Metric, *, seed: int = SEED, rounds: int = BOOTSTRAP_ROUNDS
) -> Estimate:
    if reason := patterns.problem:
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    pairs = _coincidences(patterns)

    def alphas(weights: Floats) -> Floats:
        return _alphas(weights, pairs, patterns, metric)

    value = alphas(patterns.multiplicity[None, :])[0]
    if np.isnan(value):
        return Estimate(patterns.n_items, patterns.n_answers, reason=ALIKE)
    return bootstrapped(value, alphas, patterns.multiplicity, n_answers=patterns.n_answers, seed=seed, rounds=rounds)


def raw_agreement(patterns: Patterns, *, seed: int = SEED, rounds: int = BOOTSTRAP_ROUNDS) -> Estimate:
    """The mean over items of the share of pairs of answers that are equal, 0..1."""
    if reason := patterns.problem:
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    shares = equal_pairs(patterns)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ shares / weights.sum(axis=1))

    value = mean(patterns.multiplicity[None, :])[0]
    return bootstrapped(value, mean, patterns.multiplicity, n_answers=patterns.n_answers, seed=seed, rounds=rounds)


def equal_pairs(patterns: Patterns) -> Floats:
    """For each pattern the share of pairs of answers that are equal."""
    n = patterns.counts
    total = n.sum(axis=1)
    return np.asarray((n * (n - 1)).sum(axis=1) / (total * (total - 1)))


def _coincidences(patterns: Patterns) -> Floats:
    """o[p, c, k]: pairs of answers (c, k) within an item of pattern p, each divided by its answers less one."""
    n = patterns.counts
    pairs = n[:, :, None] * n[:, None, :]
    diagonal = np.arange(n.shape[1])
    pairs[:, diagonal, diagonal] -= n
    return np.asarray(pairs / (n.sum(axis=1) - 1)[:, None, None])


def _alphas(weights: Floats, pairs: Floats, patterns: Patterns, metric: Metric) -> Floats:
    """Alpha for each row of weights (one weight per pattern); nan where only one value occurs."""
    observed = np.tensordot(weights, pairs, axes=1)
    marginals = weights @ patterns.counts
    total = marginals.sum(axis=1)
    distance = _squared_distances(marginals, patterns.values, metric)
    expected_pairs = marginals[:, :, None] * marginals[:, None, :]
    within = (observed * distance).sum(axis=(1, 2)) / total
    between = (expected_pairs * distance).sum(axis=(1, 2)) / (total * (total - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(between > 0, 1 - within / between, np.nan))


def _squared_distances(marginals: Floats, values: tuple[Any, ...], metric: Metric) -> Floats:
    size = len(values)
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(size), (len(marginals), size, size))
    if metric == "interval":
        numbers = np.array(values, dtype=np.float64)
        return np.broadcast_to((numbers[:, None] - numbers[None, :]) ** 2, (len(marginals), size, size))
    # ordinal: the answers from c to k inclusive, less half of those at both ends.
    below = np.cumsum(marginals, axis=1)
    upto = np.maximum(below[:, :, None], below[:, None, :])
    before = np.minimum((below - marginals)[:, :, None], (below - marginals)[:, None, :])
    ends = (marginals[:, :, None] + marginals[:, None, :]) / 2
    distance = (upto - before - ends) ** 2
    diagonal = np.arange(size)
    distance[:, diagonal, diagonal] = 0.0
    return np.asarray(distance)
