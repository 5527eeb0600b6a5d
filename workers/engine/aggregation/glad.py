"""GLAD: how able each annotator is and how hard each item is, together with what is most likely true.

Idea
    A vote is right more often the abler the person and the easier the item. One number each: ability alpha_j and
    easiness beta_i > 0. A vote then counts by their product, so a disagreement on a hard item costs nobody much.

Formula
    P(vote of j on i is right) = sigma(alpha_j beta_i), each of the other K - 1 answers equally likely otherwise

        log P(truth of i is c | votes) = constant + sum over votes with answer c of (alpha_j beta_i + log(K - 1))

    a majority in which votes are weighted. Priors alpha_j ~ N(1, 1), log beta_i ~ N(1, 1), uniform truth, as in the
    reference program. M step: with p the probability that a vote is right, Newton steps on alpha given beta, then on
    log beta given alpha, each halved until the expected log-likelihood does not fall.

Paper
    J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma, J. Movellan 2009, Whose Vote Should Count More; several answers as in
    its section on multi-class labels.

Result
    posterior [items, answers]; easiness beta [items], difficulty is 1 / beta. reliability = ability alpha_j, a
    log-odds per unit of easiness: 0 = guesses, above 0 useful, below 0 upside down; no bounds. accuracy [annotators]
    = mean of sigma(alpha_j beta_i) over a person's votes, 0..1. Interval: alpha +- 1.96 standard errors from the
    curvature of log p(vote | the other votes) and the prior, easiness taken as known. log_likelihood = log p(votes) +
    log priors, which never falls.

Limits
    An item's easiness rests on its few votes and is mostly prior below five. Which wrong answer somebody gives is not
    modelled: with ties, "tie" and "b" are equally far from "a". Ability and easiness share one scale, so abilities
    compare within a fit only.

Cost
    Some exponentials per vote and iteration, about ten times as much as Dawid-Skene.

When not
    Below three votes an item, or when people confuse particular answers: `dawid_skene`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workers.engine.aggregation.fits import Fit, Reliability, normalised, worth
from workers.engine.aggregation.intervals import normal_reliability
from workers.engine.aggregation.votes import Floats, Ints, Votes, summed

PRIOR_MEAN = 1.0
NEWTON_ROUNDS = 2
HALVINGS = 6


@dataclass(frozen=True)
class Glad(Fit):
    easiness: Floats
    accuracy: Floats


def fit(
    votes: Votes,
    *,
    max_iterations: int = 100,
    tolerance: float = 1e-6,
    check: Callable[[], None] = lambda: None,
) -> Glad:
    """EM until an iteration gains less than `tolerance` nats per vote; `check` may raise to stop it."""
    alpha, log_beta = np.full(votes.n_annotators, PRIOR_MEAN), np.full(votes.n_items, PRIOR_MEAN)
    history: list[float] = []
    has_converged = False
    while True:
        check()
        eta = alpha[votes.annotator] * np.exp(log_beta)[votes.item]
        posterior, log_evidence = _truth(votes, eta)
        history.append(float(log_evidence.sum()) + _log_prior(alpha) + _log_prior(log_beta))
        has_converged = len(history) > 1 and history[-1] - history[-2] < tolerance * len(votes)
        if has_converged or len(history) >= max_iterations:
            break
        right = posterior[votes.item, votes.answer]
        for _ in range(NEWTON_ROUNDS):
            alpha = _step_alpha(votes, right, alpha, log_beta)
            log_beta = _step_log_beta(votes, right, alpha, log_beta)
    chance = _sigmoid(eta)
    n = votes.per_annotator
    right = votes.per_person(chance)
    return Glad(
        posterior=posterior,
        effective_votes=votes.per_item(_worth_of_vote(chance, posterior.mean(axis=0))),
        reliability=_reliability(votes, posterior, eta, alpha, log_beta),
        log_likelihood=history,
        has_converged=has_converged,
        easiness=np.exp(log_beta),
        accuracy=np.where(n > 0, right / np.maximum(n, 1), np.nan),
    )


def _truth(votes: Votes, eta: Floats) -> tuple[Floats, Floats]:
    k = votes.n_answers
    weights = eta + np.log(k - 1)
    cells = summed(votes.item * k + votes.answer, weights, votes.n_items * k)
    all_wrong = votes.per_item(-np.logaddexp(0.0, eta) - np.log(k - 1))
    return normalised(cells.reshape(votes.n_items, k) + all_wrong[:, None] - np.log(k))


def _worth_of_vote(chance: Floats, prior: Floats) -> Floats:
    """`fits.worth` of a vote that is right with this probability, read off a fine grid."""
    k = len(prior)
    grid = np.linspace(0.0, 1.0, 1001)
    confusion = np.where(np.eye(k, dtype=bool), grid[:, None, None], ((1 - grid) / (k - 1))[:, None, None])
    return np.interp(chance, grid, worth(confusion, prior))


def _log_prior(values: Floats) -> float:
    return float(-0.5 * np.sum((values - PRIOR_MEAN) ** 2))


def _step_alpha(votes: Votes, right: Floats, alpha: Floats, log_beta: Floats) -> Floats:
    beta = np.exp(log_beta)[votes.item]

    def eta(values: Floats) -> Floats:
        return np.asarray(values[votes.annotator] * beta)

    return _climbed(votes.annotator, right, alpha, eta, slope=beta)


def _step_log_beta(votes: Votes, right: Floats, alpha: Floats, log_beta: Floats) -> Floats:
    ability = alpha[votes.annotator]

    def eta(values: Floats) -> Floats:
        return np.asarray(ability * np.exp(values)[votes.item])

    return _climbed(votes.item, right, log_beta, eta, slope=eta(log_beta))


def _climbed(group: Ints, right: Floats, values: Floats, eta: Callable[[Floats], Floats], *, slope: Floats) -> Floats:
    """One Newton step (expected curvature) for every value; halved where it would lower its own objective."""

    def objective(candidate: Floats) -> Floats:
        at = eta(candidate)
        gained = summed(group, right * at - np.logaddexp(0.0, at), len(values))
        return np.asarray(gained - 0.5 * (candidate - PRIOR_MEAN) ** 2)

    chance = _sigmoid(eta(values))
    gradient = summed(group, (right - chance) * slope, len(values)) - (values - PRIOR_MEAN)
    curvature = 1.0 + summed(group, chance * (1 - chance) * slope * slope, len(values))
    step = np.clip(gradient / curvature, -1.0, 1.0)
    before = objective(values)
    for _ in range(HALVINGS):
        falls = objective(values + step) < before - 1e-12 * np.abs(before)
        if not falls.any():
            return np.asarray(values + step)
        step = np.where(falls, step / 2, step)
    return np.asarray(values + np.where(falls, 0.0, step))


def _reliability(votes: Votes, posterior: Floats, eta: Floats, alpha: Floats, log_beta: Floats) -> Reliability:
    """Curvature of sum log(sigma(eta) t + (1 - sigma(eta)) (1 - t) / (K - 1)), t = what others say of the answer."""
    wrong_ways = votes.n_answers - 1
    with_own = np.clip(posterior[votes.item, votes.answer], 1e-12, 1 - 1e-12)
    odds = with_own / (1 - with_own) * np.exp(-np.clip(eta, -50, 50)) / wrong_ways
    others = odds / (1 + odds)
    chance, by_error = _sigmoid(eta), (1 - others) / wrong_ways
    mixed = np.maximum(chance * others + (1 - chance) * by_error, 1e-300)
    slope = chance * (1 - chance) * np.exp(log_beta)[votes.item] * (others - by_error) / mixed
    information = votes.per_person(slope * slope)
    return normal_reliability(alpha, 1.0 + information, votes.per_annotator)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))
