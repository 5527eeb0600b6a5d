"""MACE against plain lines, against crowd-kit, and against planted spammers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import digamma

from workers.engine.aggregation import mace
from workers.engine.aggregation.votes import Votes

Plant = Callable[..., Any]
Floats = NDArray[np.float64]


def plain(votes: Votes, rounds: int) -> Floats:
    """Variational EM as the paper has it, one vote and one truth at a time, from the shares of the votes."""
    triples = list(zip(votes.item.tolist(), votes.annotator.tolist(), votes.answer.tolist(), strict=True))
    k = votes.n_answers
    truth = np.zeros((votes.n_items, k))
    known, spammed = np.zeros(votes.n_annotators), np.zeros((votes.n_annotators, k))
    for i, j, y in triples:
        known[j] += votes.shares[i, y]
        spammed[j, y] += 1 - votes.shares[i, y]
    for _ in range(rounds):
        total = digamma(known + spammed.sum(axis=1) + 1)
        knows, spams = np.exp(digamma(known + 0.5) - total), np.exp(digamma(spammed.sum(axis=1) + 0.5) - total)
        habit = np.exp(digamma(spammed + 10) - digamma((spammed + 10).sum(axis=1, keepdims=True)))
        truth[:] = 1 / k
        for i, j, y in triples:
            for c in range(k):
                truth[i, c] *= spams[j] * habit[j, y] + knows[j] * (y == c)
        truth /= truth.sum(axis=1, keepdims=True)
        known[:], spammed[:] = 0, 0
        for i, j, y in triples:
            knew = truth[i, y] * knows[j] / (spams[j] * habit[j, y] + knows[j])
            known[j] += knew
            spammed[j, y] += 1 - knew
    return truth


def test_it_is_the_plain_algorithm(plant: Plant) -> None:
    votes = plant(items=50, annotators=8).votes
    fast = mace.fit(votes, restarts=0, max_iterations=15, tolerance=0)
    assert np.abs(fast.posterior - plain(votes, rounds=15)).max() < 1e-9


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_agrees_with_crowd_kit(plant: Plant, seed: int) -> None:
    from crowdkit.aggregation import MACE

    votes = plant(seed=seed, items=120, annotators=12).votes
    # They mix up names in order of appearance with names in order; so the names are given in order of appearance.
    worker, label = (pd.factorize(column)[0] for column in (votes.annotator, votes.answer))
    votes = replace(votes, annotator=worker, answer=label)
    table = pd.DataFrame({"task": votes.item, "worker": worker, "label": label})
    theirs = MACE(n_restarts=1, n_iter=60).fit_predict_proba(table)[[0, 1, 2]].loc[range(votes.n_items)].to_numpy()
    ours = mace.fit(votes, max_iterations=500, tolerance=1e-10)
    assert np.mean(ours.label == theirs.argmax(axis=1)) > 0.99
    assert np.abs(ours.posterior - theirs).mean() < 1e-3


def test_a_spammer_is_seen_whatever_the_habit() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    item, annotator = np.repeat(np.arange(300), 6), np.tile(np.arange(6), 300)
    answer = np.where(rng.random(1800) < 0.85, truth[item], rng.integers(3, size=1800))
    answer[annotator == 4] = 0
    answer[annotator == 5] = rng.integers(3, size=300)
    found = mace.fit(Votes(item, annotator, answer, 300, 6, 3))
    assert (found.reliability.high[4:] < 0.25).all()
    assert (found.reliability.low[:4] < 0.85).all()
    assert (found.reliability.high[:4] > 0.85).all()
    assert found.habit[4].argmax() == 0
    assert np.mean(found.label == truth) > 0.97


def test_the_same_seed_says_the_same_and_more_starts_are_never_worse(plant: Plant) -> None:
    votes = plant(annotators=60).votes
    one, again = mace.fit(votes, seed=3), mace.fit(votes, seed=3)
    assert (one.posterior == again.posterior).all()
    assert one.log_likelihood[-1] >= mace.fit(votes, restarts=0).log_likelihood[-1]


def test_intervals_cover_the_planted_competence() -> None:
    """Nominal 95 %: nine in ten or more over ten crowds of twenty people with 75 votes each."""
    covered = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        competence = rng.uniform(0.2, 0.9, size=20)
        truth = rng.integers(3, size=300)
        item = np.repeat(np.arange(300), 5)
        annotator = np.concatenate([rng.choice(20, 5, replace=False) for _ in range(300)])
        knows = rng.random(1500) < competence[annotator]
        answer = np.where(knows, truth[item], rng.integers(3, size=1500))
        found = mace.fit(Votes(item, annotator, answer, 300, 20, 3)).reliability
        covered += ((found.low <= competence) & (competence <= found.high)).tolist()
    assert np.mean(covered) > 0.9
