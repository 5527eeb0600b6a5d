"""The tie-aware Bradley-Terry against plain lines, against crowd-kit, and against what was planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from workers.engine.aggregation import bradley_terry
from workers.engine.aggregation.bradley_terry import Duels
from workers.engine.aggregation.davidson import log_probability, moments, probability, tie_reach
from workers.engine.aggregation.fits import UNDECIDED
from workers.engine.aggregation.gaps import Graph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
three_seeds = pytest.mark.parametrize("seed", [0, 1, 2])


@dataclass(frozen=True)
class Contest:
    duels: Duels
    strength: Floats
    lean: Floats
    reliability: Floats

    @property
    def gap(self) -> Floats:
        return np.asarray(self.strength[self.duels.b] - self.strength[self.duels.a])


Stage = Callable[..., Contest]


@pytest.fixture
def stage() -> Stage:
    def stage(
        *, seed: int = 0, prompts: int = 150, responses: int = 4, votes: int = 5, levels: int = 1,
        position: float = 0.4, guessers: int = 4,
    ) -> Contest:  # fmt: skip
        """All pairs of each prompt's responses; the first `guessers` of twenty annotators look one time in five."""
        rng = np.random.default_rng(seed)
        s = rng.normal(0, 1.5, size=(prompts, responses))
        s -= s.mean(axis=1, keepdims=True)
        i, j = np.triu_indices(responses, 1)
        a, b = ((np.arange(prompts)[:, None] * responses + side).ravel() for side in (i, j))
        pair = np.repeat(np.arange(len(a)), votes)
        annotator, first = rng.integers(20, size=len(pair)), rng.choice([-1, 1], size=len(pair))
        lean, reliability = rng.normal(position, 0.4, size=20), np.where(np.arange(20) < guessers, 0.2, 0.95)
        eta = (s.ravel()[b] - s.ravel()[a])[pair] - lean[annotator] * first
        k = np.arange(-levels, levels + 1)
        weights = np.exp(np.where(k == 0, -0.7, -0.5 * (np.abs(k) - 1)) + 0.5 * k * eta[:, None])
        drawn = ((weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1) < rng.random(len(pair))[:, None]).sum(
            axis=1
        )
        looked = rng.random(len(pair)) < reliability[annotator]
        answer = np.where(looked, drawn - levels, rng.integers(-levels, levels + 1, size=len(pair)))
        return Contest(Duels(pair, annotator, answer, first, a, b, 20, s.size, levels), s.ravel(), lean, reliability)

    return stage


def _single(answers: list[int], *, levels: int = 1) -> Duels:
    """One pair, everybody once, order unknown."""
    n = len(answers)
    zeros = np.zeros(n, dtype=np.int64)
    return Duels(zeros, np.arange(n), np.array(answers), zeros, np.array([0]), np.array([1]), n, 2, levels)


def test_probabilities_by_hand() -> None:
    answers, flat = np.array([-1, 0, 1]), np.zeros(3)
    eta, nu = np.full(3, np.log(4.0)), np.log(np.full(3, 0.5))
    # Davidson: 1/2 against 2 at odds of 4, and a tie of 0.5.
    assert probability(answers, eta, nu, np.zeros(1)) == pytest.approx([0.5 / 3, 0.5 / 3, 2 / 3])
    total = moments(eta, nu, np.zeros(1)).log_total
    assert np.exp(log_probability(answers, eta, nu, np.zeros(1), total)) == pytest.approx([0.5 / 3, 0.5 / 3, 2 / 3])
    seven = probability(np.arange(-3, 4), np.full(7, 0.3), np.full(7, -1.0), np.array([0.0, -0.5, -1.0]))
    assert seven.sum() == pytest.approx(1)
    assert seven[6] / seven[0] == pytest.approx(np.exp(0.9))
    assert tie_reach(np.log(np.array([2.0, 0.5])), np.zeros(1)) == pytest.approx([2 * np.log(2), 0])
    assert moments(flat, flat, np.zeros(1)).variance == pytest.approx([1 / 6] * 3)


@pytest.mark.parametrize("levels", [1, 3])
def test_strengths_are_the_top_of_the_plain_objective(stage: Stage, levels: int) -> None:
    """All votes looked: then everything maximises one concave function, here written vote by vote."""
    duels = stage(prompts=3, responses=3, levels=levels).duels
    found = bradley_terry.fit(duels, is_weighted=False, max_iterations=500, tolerance=1e-12)
    n, j, p, c = duels.n_responses, duels.n_annotators, len(duels.a), levels - 1
    cuts = np.cumsum([n, j, p, c, 1, 1])

    def below(x: Floats) -> float:
        s, e, u, level, d, t = np.split(x, cuts)[:6]
        level = np.append(0.0, level)
        value = -0.5 * (0.25 * s @ s + 4 * e @ e + u @ u / 2.25 + (level @ level + d @ d + t @ t) / 4)
        for v in range(len(duels)):
            pair = duels.pair[v]
            eta = s[duels.b[pair]] - s[duels.a[pair]] - (d[0] + e[duels.annotator[v]]) * duels.first[v]
            logits = {0: t[0] + u[pair]}
            for k in range(1, levels + 1):
                logits |= {k: level[k - 1] + k * eta / 2, -k: level[k - 1] - k * eta / 2}
            value += logits[int(duels.answer[v])] - np.log(sum(np.exp(x) for x in logits.values()))
        return -float(value)

    top = minimize(below, np.zeros(cuts[-1]), method="L-BFGS-B", options={"maxfun": 10**6})
    assert np.abs(found.strength - top.x[:n]).max() < 5e-3
    assert found.position == pytest.approx(top.x[cuts[3]], abs=5e-3)


def test_variances_are_those_of_the_plain_inverse() -> None:
    a, b, curvature = np.array([0, 1, 0, 4]), np.array([1, 2, 2, 5]), np.array([0.5, 1.0, 2.0, 3.0])
    matrix = 0.25 * np.eye(7)
    for i, j, h in zip(a, b, curvature, strict=True):
        matrix += h * np.outer(np.eye(7)[i] - np.eye(7)[j], np.eye(7)[i] - np.eye(7)[j])
    inverse = np.linalg.inv(matrix)
    of_gap, own = Graph(a, b, 7).variances(curvature, 0.25)
    assert own == pytest.approx(np.diag(inverse))
    assert of_gap == pytest.approx(
        [inverse[i, i] + inverse[j, j] - 2 * inverse[i, j] for i, j in zip(a, b, strict=True)]
    )
    surprise, s = np.array([1.0, -0.5, 0.2, 0.4]), np.arange(7) / 10
    slope = -0.25 * s + np.bincount(b, surprise, 7) - np.bincount(a, surprise, 7)
    assert Graph(a, b, 7).newton_step(surprise, curvature, s, 0.25) == pytest.approx(inverse @ slope, abs=1e-2)


def test_it_agrees_with_crowd_kit_where_nobody_ties_leans_or_guesses(stage: Stage) -> None:
    from crowdkit.aggregation import BradleyTerry

    duels = stage(prompts=1, responses=12, votes=12, position=0.0, guessers=0).duels
    kept = duels.answer != 0
    duels = replace(duels, pair=duels.pair[kept], annotator=duels.annotator[kept], answer=duels.answer[kept],
                    first=duels.first[kept])  # fmt: skip
    left, right = duels.a[duels.pair], duels.b[duels.pair]
    table = pd.DataFrame({"left": left, "right": right, "label": np.where(duels.answer > 0, right, left)})
    # Any tolerance above 0 ends theirs after two rounds, since it compares an array with itself.
    theirs = np.log(BradleyTerry(n_iter=5000, tol=0.0).fit_predict(table).sort_index().to_numpy())
    found = bradley_terry.fit(duels, precision=1e-6, is_weighted=False, has_position=False, tolerance=1e-12)
    assert np.abs(found.strength - (theirs - theirs.mean())).max() < 1e-2
    usual = bradley_terry.fit(duels)
    assert np.corrcoef(usual.strength, theirs)[0, 1] > 0.99


@three_seeds
@pytest.mark.parametrize("levels", [1, 3])
def test_planted_strengths_leans_and_guessers_are_found(stage: Stage, seed: int, levels: int) -> None:
    contest = stage(seed=seed, levels=levels)
    found = bradley_terry.fit(contest.duels)
    assert found.has_converged
    assert np.corrcoef(found.strength, contest.strength)[0, 1] > 0.85
    assert found.reliability.value[:4].max() < found.reliability.value[4:].min()
    assert (found.reliability.high[4:] > 0.8).all()
    assert np.corrcoef(found.lean[4:], contest.lean[4:])[0, 1] > 0.6
    within = np.abs(found.gap - contest.gap) < 1.96 * np.sqrt(found.gap_variance)
    assert within.mean() > 0.88
    covered = (found.lean_low[4:] <= contest.lean[4:]) & (contest.lean[4:] <= found.lean_high[4:])
    assert covered.mean() > 0.8
    assert found.position_low < contest.lean[4:].mean() < found.position_high


@three_seeds
def test_a_lean_to_the_first_does_not_move_the_strengths(stage: Stage, seed: int) -> None:
    """Where a is nearly always shown first, a model without a position term takes the lean for quality."""
    contest = stage(seed=seed, position=1.5, guessers=0)
    duels = contest.duels
    kept = (duels.first == 1) | (np.arange(len(duels)) % 10 == 0)
    uneven = replace(
        duels,
        pair=duels.pair[kept],
        annotator=duels.annotator[kept],
        answer=duels.answer[kept],
        first=duels.first[kept],
    )
    with_term = bradley_terry.fit(uneven)
    without = bradley_terry.fit(uneven, has_position=False)
    # How far the gaps are moved toward a.
    moved, naive = (float(np.mean(contest.gap - found.gap)) for found in (with_term, without))
    assert naive > 0.3
    assert abs(moved) < naive / 2
    assert with_term.position > 0.8


def test_the_order_of_everything_does_not_matter(stage: Stage) -> None:
    duels = stage().duels
    rng = np.random.default_rng(7)
    votes, pairs, people = (rng.permutation(n) for n in (len(duels), len(duels.a), duels.n_annotators))
    responses = rng.permutation(duels.n_responses)
    where = np.argsort(pairs)
    moved = replace(
        duels, pair=pairs[duels.pair][votes], annotator=people[duels.annotator][votes], answer=duels.answer[votes],
        first=duels.first[votes], a=responses[duels.a[where]], b=responses[duels.b[where]],
    )  # fmt: skip
    one, other = bradley_terry.fit(duels), bradley_terry.fit(moved)
    assert np.allclose(one.strength, other.strength[responses], atol=1e-5)
    assert np.allclose(one.posterior, other.posterior[pairs], atol=1e-5)
    assert np.allclose(one.reliability.value, other.reliability.value[people], atol=1e-5)


@pytest.mark.parametrize("levels", [1, 3])
def test_swapping_a_and_b_mirrors_the_answers(stage: Stage, levels: int) -> None:
    duels = stage(levels=levels).duels
    mirrored = replace(duels, a=duels.b, b=duels.a, answer=-duels.answer, first=-duels.first)
    one, other = bradley_terry.fit(duels), bradley_terry.fit(mirrored)
    assert np.allclose(one.strength, other.strength, atol=1e-6)
    assert np.allclose(one.posterior, other.posterior[:, ::-1], atol=1e-6)
    assert np.allclose(one.lean, other.lean, atol=1e-6)


def test_the_unbeaten_and_the_unconnected_are_finite() -> None:
    duels = Duels(
        pair=np.array([0] * 20 + [1]), annotator=np.zeros(21, dtype=np.int64), answer=np.array([1] * 20 + [-1]),
        first=np.zeros(21, dtype=np.int64), a=np.array([0, 2]), b=np.array([1, 3]), n_annotators=2, n_responses=5,
    )  # fmt: skip
    found = bradley_terry.fit(duels)
    assert np.isfinite(found.strength).all()
    assert found.strength[1] > found.strength[2] > 0
    assert found.strength[4] == 0
    assert found.strength_error[4] == pytest.approx(2.0)
    assert found.label.tolist() == [2, 0]
    assert np.isnan(found.reliability.value[1])


def test_five_ties_are_a_tie_and_two_against_two_are_undecided() -> None:
    assert bradley_terry.fit(_single([0, 0, 0, 0, 0])).label.tolist() == [1]
    assert bradley_terry.fit(_single([-1, 1, -1, 1])).label.tolist() == [UNDECIDED]
    assert bradley_terry.fit(_single([1, 1, 1, -1])).label.tolist() == [2]
    assert bradley_terry.fit(_single([3, 2, 1, -1], levels=3)).label.tolist() == [2]


def test_confidence_and_effective_votes_grow_with_votes() -> None:
    few, many = (bradley_terry.fit(_single([1, 1, -1] * times), is_weighted=False) for times in (1, 20))
    assert few.posterior[0, 2] < 0.75 < many.posterior[0, 2]
    assert few.effective_votes[0] == pytest.approx(3, abs=1e-6)
    assert many.effective_votes[0] == pytest.approx(60, abs=1e-6)


def test_votes_on_other_pairs_speak_for_this_one(stage: Stage) -> None:
    """a over b and b over c: nobody was asked about a and c but once."""
    pair = np.array([0] * 6 + [1] * 6 + [2])
    duels = Duels(pair, np.arange(13), np.full(13, -1), np.zeros(13, dtype=np.int64), np.array([0, 1, 0]),
                  np.array([1, 2, 2]), 13, 3)  # fmt: skip
    found = bradley_terry.fit(duels, is_weighted=False)
    assert found.gap[2] < found.gap[0]
    assert found.effective_votes[2] > 2
    assert found.posterior[2, 0] > 0.95


def test_it_stops_when_told_to_and_needs_no_votes(stage: Stage) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        bradley_terry.fit(stage().duels, check=stop)
    nothing = np.zeros(0, dtype=np.int64)
    found = bradley_terry.fit(Duels(nothing, nothing, nothing, nothing, np.array([0]), np.array([1]), 1, 2))
    assert found.label.tolist() == [UNDECIDED]
