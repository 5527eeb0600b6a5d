"""MACE: who answers from knowledge, who answers without looking, and what is then most likely true.

Idea
    For each vote an annotator either knows, and gives the true answer, or spams, and gives an answer from a habit of
    their own that has nothing to do with the item. A person is one competence and one habit: far fewer numbers than a
    confusion matrix, so it works with few votes per person.

Formula
    theta_j = P(j knows),  xi_j[y] = P(j answers y | spams),  the truth is uniform over K answers a priori

        P(j answers y | truth c) = (1 - theta_j) xi_j[y] + theta_j [y = c]

    EM with a variational M step as in the reference program: with N the expected counts of knowing and spamming votes
    and of habits, parameters are exp(digamma(N + prior) - digamma(sum(N + prior))), priors Beta(0.5, 0.5) on theta_j
    and Dirichlet(10) on xi_j. The likelihood has many tops: one start at the shares of the votes, `restarts` more at
    random, the one with the highest log marginal likelihood stays.

Paper
    D. Hovy, T. Berg-Kirkpatrick, A. Vaswani, E. Hovy 2013, Learning Whom to Trust with MACE.

Result
    posterior [items, answers]; habit [annotators, answers]. reliability = competence theta_j, 1 - the probability of
    spamming, 0..1, as the mean of Beta(0.5 + knowing, 0.5 + spamming). Its interval is 1.96 standard errors, cut at 0
    and 1, from the curvature of log p(vote | the other votes) in theta_j. log_likelihood = log p(votes) at the
    variational parameters, of the start that stayed; since the M step maximises a bound, it may fall by a little.

Limits
    A true answer that is confused with one other answer (tie with slightly better) looks like spamming. Nobody is
    allowed to be worse than chance: somebody who answers upside down ends at competence 0. Uniform truth: rare
    answers need more votes than they should.

Cost
    Per iteration as Dawid-Skene, times the starts.

When not
    When people confuse particular answers with each other, or some answer upside down: `dawid_skene`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma

from workers.engine.aggregation.fits import Fit, Reliability, effective_votes, normalised, worth
from workers.engine.aggregation.intervals import normal_reliability
from workers.engine.aggregation.votes import Floats, Votes

COMPETENCE_PRIOR = 0.5
HABIT_PRIOR = 10.0


@dataclass(frozen=True)
class Mace(Fit):
    habit: Floats


@dataclass(frozen=True)
class _Start:
    """Where one climb arrived. `knows`, `spams` [annotators] and `habit` need not sum to 1: they are exp(E log)."""

    posterior: Floats
    knows: Floats
    spams: Floats
    habit: Floats
    history: list[float]
    has_converged: bool


def fit(
    votes: Votes,
    *,
    restarts: int = 4,
    seed: int = 0,
    max_iterations: int = 200,
    tolerance: float = 1e-7,
    check: Callable[[], None] = lambda: None,
) -> Mace:
    """The best of 1 + `restarts` climbs; each ends when an iteration changes less than `tolerance` nats per vote."""
    rng = np.random.default_rng(seed)
    best = _climb(votes, *_counts_from_shares(votes), max_iterations, tolerance, check)
    for _ in range(restarts):
        arrived = _climb(votes, *_random_counts(votes, rng), max_iterations, tolerance, check)
        # A tie goes to the start at the shares, which does not depend on the seed.
        if arrived.history[-1] > best.history[-1] + 1e-4 * len(votes):
            best = arrived
    knowing, spamming = _expected_counts(votes, best.posterior, best.knows, best.spams, best.habit)
    competence = (knowing + COMPETENCE_PRIOR) / (knowing + spamming.sum(axis=1) + 2 * COMPETENCE_PRIOR)
    habit = (spamming + HABIT_PRIOR) / (spamming + HABIT_PRIOR).sum(axis=1, keepdims=True)
    confusion = (1 - competence)[:, None, None] * habit[:, :, None] + competence[:, None, None] * np.eye(
        votes.n_answers
    )
    return Mace(
        posterior=best.posterior,
        effective_votes=effective_votes(votes, worth(confusion, best.posterior.mean(axis=0))),
        reliability=_reliability(votes, best.posterior, competence, habit),
        log_likelihood=best.history,
        has_converged=best.has_converged,
        habit=habit,
    )


def _counts_from_shares(votes: Votes) -> tuple[Floats, Floats]:
    """A vote is known as far as the others of its item agree with it."""
    tallies = votes.tallies(votes.shares)
    agreeing = np.einsum("jyy->jy", tallies)
    return agreeing.sum(axis=1), tallies.sum(axis=2) - agreeing


def _random_counts(votes: Votes, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Each person's share of knowing votes by chance; the habit is that of their answers."""
    given = votes.tallies(np.ones((votes.n_items, 1)))[:, :, 0]
    share = rng.uniform(0.2, 0.8, size=votes.n_annotators)
    return share * given.sum(axis=1), (1 - share)[:, None] * given


def _climb(
    votes: Votes, knowing: Floats, spamming: Floats, max_iterations: int, tolerance: float, check: Callable[[], None]
) -> _Start:
    history: list[float] = []
    has_converged = False
    while True:
        check()
        total = digamma(knowing + spamming.sum(axis=1) + 2 * COMPETENCE_PRIOR)
        knows = np.exp(digamma(knowing + COMPETENCE_PRIOR) - total)
        spams = np.exp(digamma(spamming.sum(axis=1) + COMPETENCE_PRIOR) - total)
        alphas = spamming + HABIT_PRIOR
        habit = np.exp(digamma(alphas) - digamma(alphas.sum(axis=1, keepdims=True)))
        table = _table(knows, spams, habit)
        posterior, log_evidence = normalised(votes.evidence(np.log(table)) - np.log(votes.n_answers))
        history.append(float(log_evidence.sum()))
        has_converged = len(history) > 1 and abs(history[-1] - history[-2]) < tolerance * len(votes)
        if has_converged or len(history) >= max_iterations:
            return _Start(posterior, knows, spams, habit, history, has_converged)
        knowing, spamming = _expected_counts(votes, posterior, knows, spams, habit)


def _table(knows: Floats, spams: Floats, habit: Floats) -> Floats:
    """[annotators, answer, truth]: probability of the answer."""
    by_habit = spams[:, None] * habit
    return np.asarray(by_habit[:, :, None] + knows[:, None, None] * np.eye(habit.shape[1]))


def _expected_counts(
    votes: Votes, posterior: Floats, knows: Floats, spams: Floats, habit: Floats
) -> tuple[Floats, Floats]:
    """How many votes of each person were known [annotators], and spammed per answer [annotators, answers]."""
    tallies = votes.tallies(posterior)
    right = np.einsum("jyy->jy", tallies)
    known = right * knows[:, None] / (spams[:, None] * habit + knows[:, None])
    return known.sum(axis=1), tallies.sum(axis=2) - known


def _reliability(votes: Votes, posterior: Floats, competence: Floats, habit: Floats) -> Reliability:
    """Curvature of sum log((1 - theta) xi[y] + theta t), where t is what the others' votes say of answer y."""
    theta, xi = competence[votes.annotator], habit[votes.annotator, votes.answer]
    with_own = np.clip(posterior[votes.item, votes.answer], 1e-12, 1 - 1e-12)
    odds = with_own / (1 - with_own) * (1 - theta) * xi / ((1 - theta) * xi + theta)
    others = odds / (1 + odds)
    slope = (others - xi) / ((1 - theta) * xi + theta * others)
    information = votes.per_person(slope * slope)
    return normal_reliability(competence, information, votes.per_annotator, least=0.0, most=1.0)
