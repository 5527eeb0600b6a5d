"""Dawid and Skene against ten plain lines, against crowd-kit, and against what was planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from workers.engine.aggregation import dawid_skene
from workers.engine.aggregation.votes import Votes

Plant = Callable[..., Any]
Floats = NDArray[np.float64]


def plain(votes: Votes, start: Floats, pseudo: Floats, smoothing: float, rounds: int) -> Floats:
    """EM as the textbook has it, one vote at a time."""
    triples = list(zip(votes.item.tolist(), votes.annotator.tolist(), votes.answer.tolist(), strict=True))
    truth = start.copy()
    for _ in range(rounds):
        prior = (truth.sum(axis=0) + smoothing) / (truth.sum(axis=0) + smoothing).sum()
        theta = np.repeat(pseudo[None], votes.n_annotators, axis=0)
        for i, j, y in triples:
            theta[j, y] += truth[i]
        theta /= theta.sum(axis=1, keepdims=True)
        truth = np.repeat(prior[None], votes.n_items, axis=0)
        for i, j, y in triples:
            truth[i] *= theta[j, y]
        truth /= truth.sum(axis=1, keepdims=True)
    return truth


def test_it_is_the_plain_algorithm(plant: Plant) -> None:
    votes = plant(items=60, annotators=8).votes
    fast = dawid_skene.fit(votes, smoothing=0.1, pooling=0, max_iterations=12, tolerance=0)
    slow = plain(votes, votes.shares, np.full((3, 3), 0.1), 0.1, rounds=12)
    assert np.abs(fast.posterior - slow).max() < 1e-9


def test_pooled_it_is_the_plain_algorithm_of_one_annotator_and_then_of_all(plant: Plant) -> None:
    votes = plant(items=60, annotators=8).votes
    as_one = Votes(votes.item, np.zeros_like(votes.item), votes.answer, votes.n_items, 1, 3)
    start = plain(as_one, votes.shares, np.full((3, 3), 0.01), 0.01, rounds=300)
    crowd = np.full((3, 3), 0.01)
    for i, y in zip(votes.item, votes.answer, strict=True):
        crowd[y] += start[i]
    pseudo = 0.01 + 5.0 * crowd / crowd.sum(axis=0)
    fast = dawid_skene.fit(votes, max_iterations=300, tolerance=0)
    slow = plain(votes, start, pseudo, 0.01, rounds=300)
    assert np.abs(fast.posterior - slow).max() < 1e-6


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_agrees_with_crowd_kit(plant: Plant, seed: int) -> None:
    from crowdkit.aggregation import DawidSkene

    votes = plant(seed=seed, items=200, annotators=15).votes
    table = pd.DataFrame({"task": votes.item, "worker": votes.annotator, "label": votes.answer})
    peer = DawidSkene(n_iter=100, tol=1e-9)
    theirs = peer.fit_predict_proba(table)[[0, 1, 2]].loc[range(votes.n_items)].to_numpy()
    # Without a prior, and for as many rounds, since what they watch to stop is another bound.
    ours = dawid_skene.fit(votes, smoothing=1e-9, pooling=0, max_iterations=len(peer.loss_history_), tolerance=0)
    assert np.abs(ours.posterior - theirs).max() < 1e-5
    assert np.mean(ours.label == theirs.argmax(axis=1)) == 1
    usual = dawid_skene.fit(votes)
    assert np.mean(usual.label == theirs.argmax(axis=1)) > 0.95


def test_confusions_and_prior_are_found(plant: Plant) -> None:
    """A crowd that takes answer 1 for 2, but hardly ever the reverse."""
    rng = np.random.default_rng(0)
    theta = np.array([[0.85, 0.1, 0.05], [0.1, 0.6, 0.05], [0.05, 0.3, 0.9]])
    truth = rng.choice(3, size=3000, p=[0.5, 0.2, 0.3])
    item, annotator = np.repeat(np.arange(3000), 5), np.tile(np.arange(5), 3000)
    answer = np.array([rng.choice(3, p=theta[:, truth[i]]) for i in item])
    found = dawid_skene.fit(Votes(item, annotator, answer, 3000, 5, 3))
    assert np.abs(found.confusion - theta).max() < 0.06
    assert np.abs(found.prior - [0.5, 0.2, 0.3]).max() < 0.03


def test_people_with_three_votes_do_not_decide_alone(plant: Plant) -> None:
    crowd = plant(items=600, annotators=1000, each=5)
    pooled = crowd.share_right(dawid_skene.fit(crowd.votes).label)
    of_1979 = crowd.share_right(dawid_skene.fit(crowd.votes, pooling=0).label)
    by_counting = crowd.share_right(crowd.votes.shares.argmax(axis=1))
    assert pooled > of_1979 + 0.02
    assert pooled >= by_counting - 0.01


def test_intervals_cover_the_planted_accuracy(plant: Plant) -> None:
    """Nominal 95 %: nine in ten or more over twenty crowds of thirty people with about 67 votes each."""
    covered = []
    for seed in range(20):
        crowd = plant(seed=100 + seed)
        found = dawid_skene.fit(crowd.votes).reliability
        covered += ((found.low <= crowd.accuracy) & (crowd.accuracy <= found.high)).tolist()
    assert np.mean(covered) > 0.9


def test_somebody_who_answers_upside_down_is_turned_round() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=200)
    item, annotator = np.repeat(np.arange(200), 4), np.tile(np.arange(4), 200)
    right = rng.random(800) < 0.9
    answer = np.where(right, truth[item], 1 - truth[item])
    answer[annotator == 3] = 1 - truth[item[annotator == 3]]
    found = dawid_skene.fit(Votes(item, annotator, answer, 200, 4, 2))
    assert found.reliability.high[3] < 0.1
    assert np.mean(found.label == truth) > 0.98
