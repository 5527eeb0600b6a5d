"""GLAD against plain lines, against crowd-kit, and against planted difficulty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from workers.engine.aggregation import glad
from workers.engine.aggregation.votes import Votes

Plant = Callable[..., Any]
Floats = NDArray[np.float64]


def plain_log_posterior(votes: Votes, alpha: Floats, log_beta: Floats) -> tuple[float, Floats]:
    """log p(votes) + log priors, and the posterior, one vote and one truth at a time."""
    k = votes.n_answers
    joint = np.full((votes.n_items, k), -np.log(k))
    for i, j, y in zip(votes.item, votes.annotator, votes.answer, strict=True):
        right = 1 / (1 + np.exp(-alpha[j] * np.exp(log_beta[i])))
        for c in range(k):
            joint[i, c] += np.log(right if c == y else (1 - right) / (k - 1))
    evidence = np.log(np.exp(joint).sum(axis=1))
    priors = 0.5 * np.sum((alpha - 1) ** 2) + 0.5 * np.sum((log_beta - 1) ** 2)
    return float(evidence.sum() - priors), np.exp(joint - evidence[:, None])


def test_it_reaches_the_top_of_the_plain_objective(plant: Plant) -> None:
    votes = plant(items=12, annotators=5, each=4).votes
    found = glad.fit(votes, max_iterations=2000, tolerance=1e-12)
    value, posterior = plain_log_posterior(votes, found.reliability.value, np.log(found.easiness))
    assert found.log_likelihood[-1] == pytest.approx(value, abs=1e-5)
    assert np.abs(found.posterior - posterior).max() < 1e-4

    def below(x: Floats) -> float:
        return -plain_log_posterior(votes, x[:5], x[5:])[0]

    top = minimize(below, np.append(found.reliability.value, np.log(found.easiness)), method="L-BFGS-B")
    assert -top.fun == pytest.approx(value, abs=1e-3)


def test_it_agrees_with_crowd_kit(plant: Plant) -> None:
    """On one crowd only: theirs takes seconds for a hundred items."""
    from crowdkit.aggregation import GLAD

    votes = plant(items=80, annotators=10).votes
    table = pd.DataFrame({"task": votes.item, "worker": votes.annotator, "label": votes.answer})
    # Their bound per vote is compared with the whole one at first, which would end it after two rounds.
    peer = GLAD(n_iter=8, tol=-1.0)
    theirs = peer.fit_predict_proba(table)[[0, 1, 2]].loc[range(votes.n_items)].to_numpy()
    ours = glad.fit(votes, max_iterations=500, tolerance=1e-9)
    assert np.mean(ours.label == theirs.argmax(axis=1)) > 0.99
    assert np.abs(ours.posterior - theirs).mean() < 5e-3
    ability = peer.alphas_.loc[range(votes.n_annotators)].to_numpy()
    assert np.corrcoef(ours.reliability.value, ability)[0, 1] > 0.999


def _hard_and_easy(seed: int) -> tuple[Votes, NDArray[np.int64], Floats, Floats]:
    rng = np.random.default_rng(seed)
    ability, easiness = rng.normal(1.0, 0.7, size=40), np.exp(rng.normal(0.5, 1.0, size=600))
    truth = rng.integers(2, size=600)
    item = np.repeat(np.arange(600), 12)
    annotator = np.concatenate([rng.choice(40, 12, replace=False) for _ in range(600)])
    right = rng.random(len(item)) < 1 / (1 + np.exp(-ability[annotator] * easiness[item]))
    votes = Votes(item, annotator, np.where(right, truth[item], 1 - truth[item]), 600, 40, 2)
    return votes, truth, ability, easiness


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_ability_and_difficulty_are_found(seed: int) -> None:
    votes, truth, ability, easiness = _hard_and_easy(seed)
    found = glad.fit(votes)
    assert np.mean(found.label == truth) > 0.9
    assert np.corrcoef(found.reliability.value, ability)[0, 1] > 0.9
    assert np.corrcoef(np.log(found.easiness), np.log(easiness))[0, 1] > 0.5
    accuracy = votes.per_person((votes.answer == truth[votes.item]).astype(float)) / votes.per_annotator
    assert np.corrcoef(found.accuracy, accuracy)[0, 1] > 0.95
