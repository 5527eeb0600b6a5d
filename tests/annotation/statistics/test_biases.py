"""Planted abilities and biases are found again, by numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.statistics import biases
from annotation.statistics.biases import Fit, Preferences, fit, sigma
from annotation.statistics.estimates import Floats
from ledger.shares import Z_95


@dataclass(frozen=True)
class Planted:
    preferences: Preferences
    ability: Floats
    side: Floats
    length: Floats
    # Probability of each answer to be for the better one.
    right: Floats


def _plant(
    seed: int, *, people: int = 12, items: int = 900, overlap: int = 3, truth: str = "two classes", size: float = 1.0
) -> Planted:
    """Lengths lean to the better response, and all people lean to length: the hard case."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, items)
    quality = np.where(rng.random(items) < sigma(0.6 * x), 1.0, -1.0)
    if truth == "continuous":
        quality = 0.3 * x + rng.normal(0, 1, items)
    ability = rng.uniform(0.6, 2.4, people)
    side = size * rng.choice([0.0, 0.0, 0.4, 0.8, -0.4], people)
    length = size * (0.3 + rng.choice([0.0, 0.0, 0.4, -0.5], people))
    item = np.repeat(np.arange(items), overlap)
    person = np.concatenate([rng.choice(people, overlap, replace=False) for _ in range(items)])
    first = np.where((np.arange(len(item)) + rng.integers(0, 2, items)[item]) % 2, 1.0, -1.0)
    odds = ability[person] * quality[item] + side[person] * first + length[person] * x[item]
    is_b = (rng.random(len(item)) < sigma(odds)).astype(float)
    better = np.sign(quality)[item]
    return Planted(Preferences(item, person, is_b, first, x, people), ability, side, length, sigma(better * odds))


def _inside(found: Fit, planted: Planted, which: int, truth: Floats) -> NDArray[np.bool_]:
    error = np.sqrt(found.covariance[:, which, which])
    return np.asarray(np.abs(found.parameters[:, which] - truth) < Z_95 * error)


def _accuracy_inside(found: Fit, planted: Planted) -> NDArray[np.bool_]:
    n = np.bincount(planted.preferences.person)
    right = np.bincount(planted.preferences.person, planted.right) / n
    odds = np.log(found.accuracy / (1 - found.accuracy)) - np.log(right / (1 - right))
    return np.asarray(np.abs(odds) < Z_95 * found.accuracy_error)


@pytest.mark.parametrize("truth", ["two classes", "continuous"])
def test_intervals_hold_what_was_planted(truth: str) -> None:
    side, length, accuracy = [], [], []
    for seed in range(12):
        planted = _plant(seed, truth=truth)
        found = fit(planted.preferences)
        side.append(_inside(found, planted, biases.SIDE, planted.side))
        length.append(_inside(found, planted, biases.LENGTH, planted.length))
        accuracy.append(_accuracy_inside(found, planted))
    # 144 intervals each: below 0.9 has a chance of 1 in 200 if they are right.
    assert np.mean(side) > 0.9 and np.mean(length) > 0.9
    assert np.mean(accuracy) > 0.9 or truth == "continuous"


def test_a_strong_side_bias_is_found_and_the_unbiased_are_not_accused() -> None:
    accused, found_out = 0, 0
    for seed in range(12):
        planted = _plant(seed)
        found = fit(planted.preferences)
        low = found.parameters[:, biases.SIDE] - Z_95 * np.sqrt(found.covariance[:, biases.SIDE, biases.SIDE])
        high = found.parameters[:, biases.SIDE] + Z_95 * np.sqrt(found.covariance[:, biases.SIDE, biases.SIDE])
        accused += int((((low > 0) | (high < 0)) & (planted.side == 0)).sum())
        found_out += int(((low > 0) & (planted.side == 0.8)).sum())
    unbiased = sum(int((_plant(seed).side == 0).sum()) for seed in range(12))
    biased = sum(int((_plant(seed).side == 0.8).sum()) for seed in range(12))
    assert accused / unbiased < 0.1
    assert found_out / biased > 0.75


def test_the_majority_of_others_for_the_truth_would_shrink_the_shared_taste() -> None:
    """Everybody likes length; a plain share, or the others' majority, cannot see it, the hidden truth can."""
    shared = np.mean([fit(_plant(seed).preferences).mean[1] for seed in range(8)])
    planted = np.mean([np.mean(_plant(seed).length) for seed in range(8)])
    assert shared == pytest.approx(planted, abs=0.08)


def test_the_means_of_all_hold_what_was_planted() -> None:
    inside = []
    for seed in range(15):
        planted = _plant(seed)
        n = np.bincount(planted.preferences.person)
        found = fit(planted.preferences)
        truth = [np.average(planted.side, weights=n), np.average(planted.length, weights=n)]
        inside.append(np.abs(found.mean - truth) < Z_95 * found.mean_error)
    assert np.mean(inside) > 0.85


def test_swapping_the_responses_changes_nothing_and_swapping_the_sides_turns_the_side_bias() -> None:
    given = _plant(3).preferences
    found = fit(given)
    mirrored = fit(Preferences(given.item, given.person, 1 - given.is_b, -given.first, -given.log2_lengths, 12))
    assert mirrored.parameters == pytest.approx(found.parameters, abs=5e-3)
    turned = fit(Preferences(given.item, given.person, given.is_b, -given.first, given.log2_lengths, 12))
    assert turned.parameters[:, biases.SIDE] == pytest.approx(-found.parameters[:, biases.SIDE], abs=5e-3)


def test_the_order_of_the_answers_changes_nothing() -> None:
    given = _plant(4).preferences
    order = np.random.default_rng(1).permutation(len(given.item))
    shuffled = Preferences(
        given.item[order], given.person[order], given.is_b[order], given.first[order], given.log2_lengths, 12
    )
    assert fit(shuffled).parameters == pytest.approx(fit(given).parameters, abs=1e-8)


def test_whoever_has_few_preferences_shares_the_parameters_of_the_others_with_few() -> None:
    given = _plant(5, people=80, items=560).preferences
    n = np.bincount(given.person, minlength=80)
    found = fit(given)
    few = found.parameters[n < biases.MIN_PREFERENCES]
    assert 1 < len(few) < 80 and np.ptp(few, axis=0) == pytest.approx([0, 0, 0])


def test_with_many_people_intervals_are_nearly_as_wide() -> None:
    planted = _plant(6, people=60, items=3000)
    joint = fit(planted.preferences)
    limit, biases.MOST_JOINT = biases.MOST_JOINT, 10
    try:
        apart = fit(planted.preferences)
    finally:
        biases.MOST_JOINT = limit
    assert apart.parameters == pytest.approx(joint.parameters)
    wide, narrow = (np.sqrt(np.einsum("gii->gi", one.covariance)).mean(axis=0) for one in (joint, apart))
    assert np.all(narrow <= wide + 1e-9) and np.all(narrow > 0.85 * wide)


def test_the_information_is_the_curvature_of_the_likelihood() -> None:
    """Against differences of the log posterior of a small case, all parameters moved by hand."""
    planted = _plant(7, people=4, items=150, overlap=3)
    found = fit(planted.preferences)
    covariance = np.linalg.inv(_curvature(planted.preferences, found))
    for person in range(4):
        block = covariance[3 * person : 3 * person + 3, 3 * person : 3 * person + 3]
        assert found.covariance[person] == pytest.approx(block, rel=0.05, abs=2e-3)


def _curvature(given: Preferences, found: Fit) -> Floats:
    middle = found.parameters[:, biases.ABILITY].mean()
    at = np.append(found.parameters.ravel(), found.lean)

    def log_posterior(parameters: Floats) -> float:
        own, lean = parameters[:-1].reshape(-1, 3), parameters[-1]
        x = np.clip(given.log2_lengths, -biases.MAX_LOG2_LENGTHS, biases.MAX_LOG2_LENGTHS)
        total = np.stack([-np.logaddexp(0, 2 * lean * x), -np.logaddexp(0, -2 * lean * x)])
        for side, t in enumerate((-1.0, 1.0)):
            odds = own[given.person, 0] * t + own[given.person, 1] * given.first
            odds = odds + own[given.person, 2] * x[given.item]
            total[side] += np.bincount(given.item, -np.logaddexp(0, -(2 * given.is_b - 1) * odds), len(x))
        prior = ((own - [middle, 0, 0]) ** 2 / [1.0, biases.BIAS_SD**2, biases.BIAS_SD**2]).sum() + lean**2
        return float(np.logaddexp(total[0], total[1]).sum() - prior / 2)

    size, step = len(at), 1e-3
    moves = np.eye(size) * step
    rows: list[Floats] = []
    for i in range(size):
        rows.append(
            np.array(
                [
                    -(
                        log_posterior(at + moves[i] + moves[j])
                        - log_posterior(at + moves[i] - moves[j])
                        - log_posterior(at - moves[i] + moves[j])
                        + log_posterior(at - moves[i] - moves[j])
                    )
                    / (4 * step**2)
                    for j in range(size)
                ]
            )
        )
    return np.array(rows)
