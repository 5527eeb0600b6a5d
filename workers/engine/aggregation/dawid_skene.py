"""Dawid and Skene: how each annotator confuses the answers, and what is then most likely true.

Idea
    Nobody knows the true answers, but if we did, we could count how often each annotator gives answer y where c is
    true; and if we knew those confusions, Bayes' rule would give the true answers. EM goes back and forth between the
    two, beginning at the shares of the votes.

Formula
    pi_c = P(truth = c),  theta_j[y, c] = P(annotator j answers y | truth c),  T_i[c] = P(truth of i is c | votes)

        E:  T_i[c] proportional to  pi_c  prod over votes (j, y) of item i of  theta_j[y, c]
        M:  theta_j[y, c] proportional to  s_yc + sum over votes of j with answer y of T_i[c]
            pi_c proportional to  `smoothing` + sum_i T_i[c]

    s = `smoothing` + `pooling` theta[y, c] pseudo-counts (a Dirichlet prior 1 + s; the fit is the posterior mode),
    where theta is the one confusion matrix that fits everybody together, found first by the same EM. A person thus
    begins as if they had met each truth `pooling` times and answered like the crowd, and moves away from it with
    every vote; in crowdsourced data half of the people have three votes, and without this each of them would be taken
    at their word. `pooling` = 0 is the model of 1979. All products are sums of logarithms.

Paper
    A. P. Dawid and A. M. Skene 1979, Maximum likelihood estimation of observer error-rates using the EM algorithm.

Result
    posterior [items, answers]; prior [answers]; confusion [annotators, answer, truth], columns sum to 1 over answers.
    reliability = expected share of right answers, (1/n) sum of T_i[y] over a person's votes, 0..1. Its interval is
    Wilson's, of the number of votes that have the same variance p (1 - p) / n + sum T (1 - T) / n2: the second part is
    what we do not know about the truth. log_likelihood = log p(votes) + log prior, which never falls.

Limits
    Errors are taken to be independent given the truth: items that mislead everybody are decided wrongly and surely. A
    confusion matrix has answers x (answers - 1) free numbers: below ten votes a person it is mostly that of the crowd.
    Half of the crowd answering upside down cannot be told from the other half; the start at the shares of the votes
    chooses. The interval takes other people's confusions as known; it is a little too narrow with few votes an item.
    Posteriors are more extreme than the share of wrong labels warrants, as in every model that adds up evidence.

Cost
    Two sparse products per iteration: a million votes take some tens of milliseconds each, and the memory of a few
    arrays [votes] and [items, answers].

When not
    With one or two votes per item, or people with a handful of votes each: take `mace` (fewer numbers per person) or
    the majority. Where items differ in difficulty rather than people in skill: `glad`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workers.engine.aggregation.fits import Fit, Reliability, effective_votes, normalised, worth
from workers.engine.aggregation.intervals import share_reliability
from workers.engine.aggregation.votes import Floats, Votes


@dataclass(frozen=True)
class DawidSkene(Fit):
    prior: Floats
    confusion: Floats


def fit(
    votes: Votes,
    *,
    smoothing: float = 0.01,
    pooling: float = 5.0,
    max_iterations: int = 200,
    tolerance: float = 1e-7,
    check: Callable[[], None] = lambda: None,
) -> DawidSkene:
    """EM until an iteration gains less than `tolerance` nats per vote; `check` may raise to stop it."""
    posterior, crowd = _fit_of_all(votes, smoothing, max_iterations, tolerance)
    if pooling == 0:
        posterior = votes.shares
    pseudo_counts = smoothing + pooling * crowd
    history: list[float] = []
    has_converged = False
    while True:
        check()
        prior = _proportions(posterior.sum(axis=0) + smoothing, axis=0)
        confusion = _proportions(votes.tallies(posterior) + pseudo_counts, axis=1)
        if has_converged or len(history) >= max_iterations:
            break
        log_confusion, log_prior = np.log(confusion), np.log(prior)
        posterior, log_evidence = normalised(votes.evidence(log_confusion) + log_prior)
        history.append(float(log_evidence.sum() + np.sum(pseudo_counts * log_confusion) + smoothing * log_prior.sum()))
        has_converged = len(history) > 1 and history[-1] - history[-2] < tolerance * len(votes)
    return DawidSkene(
        posterior=posterior,
        effective_votes=effective_votes(votes, worth(confusion, prior)),
        reliability=_accuracy(votes, posterior),
        log_likelihood=history,
        has_converged=has_converged,
        prior=prior,
        confusion=confusion,
    )


def _fit_of_all(votes: Votes, smoothing: float, max_iterations: int, tolerance: float) -> tuple[Floats, Floats]:
    """Posterior [items, answers] and confusion [answer, truth] if all annotators were one."""
    posterior, last = votes.shares, -np.inf
    for _ in range(max_iterations):
        prior = _proportions(posterior.sum(axis=0) + smoothing, axis=0)
        confusion = _proportions(votes.counts.T @ posterior + smoothing, axis=0)
        posterior, log_evidence = normalised(votes.counts @ np.log(confusion) + np.log(prior))
        reached = float(log_evidence.sum())
        if reached - last < tolerance * len(votes):
            break
        last = reached
    return posterior, confusion


def _proportions(counts: Floats, *, axis: int) -> Floats:
    total = counts.sum(axis=axis, keepdims=True)
    even = 1.0 / counts.shape[axis]
    return np.asarray(np.where(total > 0, np.maximum(counts, 1e-300) / np.where(total > 0, total, 1.0), even))


def _accuracy(votes: Votes, posterior: Floats) -> Reliability:
    right = posterior[votes.item, votes.answer]
    n = votes.per_annotator
    m = np.maximum(n, 1)

    def mean(numbers: Floats) -> Floats:
        return np.asarray(votes.per_person(numbers) / m)

    share = mean(right)
    spread = share * (1 - share)
    unknown = mean(right * (1 - right))
    # Where nobody errs there is nothing unknown either.
    seen = np.maximum(spread, 1e-9)
    return share_reliability(share, n, n * seen / (seen + unknown))
