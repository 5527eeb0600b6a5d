"""Fleiss' kappa.

Idea
    The agreement of many people who need not be the same ones on every item, less what chance would give.
Formula
    P_i = share of the pairs of answers on item i that are equal; P = mean of P_i; p_j = share of all answers that say
    j; kappa = (P - sum p_j^2) / (1 - sum p_j^2).
Paper
    J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76, 1971.
Inputs
    With the same number of answers on every item this is Fleiss' own figure. With different numbers the generalisation
    used here is: items count equally in P, however many answers they have (two at least), and answers count equally in
    p_j. Others weigh items by their answers; with 4 or 5 answers per item the two differ in the third digit.
Range
    1 = perfect, 0 = as by chance, least value -1 / (answers per item - 1).
Limits
    Nominal only: a slip from 3 to 2 counts as one from 3 to -3. The same trouble with one prevailing answer as alpha,
    from which it differs by about 1 / answers in all. Not for two fixed people: see cohen.py.
"""

from __future__ import annotations

import numpy as np

from annotation.statistics.alpha import ALIKE, equal_pairs
from annotation.statistics.estimates import BOOTSTRAP_ROUNDS, SEED, Estimate, Floats, bootstrapped
from annotation.statistics.patterns import Patterns


def fleiss_kappa(patterns: Patterns, *, seed: int = SEED, rounds: int = BOOTSTRAP_ROUNDS) -> Estimate:
    if reason := patterns.problem:
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    agreeing = equal_pairs(patterns)

    def kappas(weights: Floats) -> Floats:
        marginals = weights @ patterns.counts
        by_chance = ((marginals / marginals.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
        observed = weights @ agreeing / weights.sum(axis=1)
        # The sum of squares is 1 up to the last bit where only one answer occurs.
        left = 1 - by_chance
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(left > 1e-12, (observed - by_chance) / left, np.nan))

    value = kappas(patterns.multiplicity[None, :])[0]
    if np.isnan(value):
        return Estimate(patterns.n_items, patterns.n_answers, reason=ALIKE)
    return bootstrapped(value, kappas, patterns.multiplicity, n_answers=patterns.n_answers, seed=seed, rounds=rounds)
