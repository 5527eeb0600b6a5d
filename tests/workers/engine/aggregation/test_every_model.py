"""What holds for each model of categorical votes: invariances, planted truth, edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from workers.engine.aggregation import dawid_skene, glad, mace
from workers.engine.aggregation.fits import UNDECIDED, Fit, leading, worth
from workers.engine.aggregation.votes import Votes

Plant = Callable[..., Any]
MODELS = {"dawid_skene": dawid_skene.fit, "mace": mace.fit, "glad": glad.fit}
every_model = pytest.mark.parametrize("fit", MODELS.values(), ids=MODELS.keys())
three_seeds = pytest.mark.parametrize("seed", [0, 1, 2])
FitVotes = Callable[..., Fit]


def _votes(rows: list[tuple[int, int, int]], *, answers: int = 3) -> Votes:
    item, annotator, answer = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return Votes(item, annotator, answer, int(item.max()) + 1, int(annotator.max()) + 1, answers)


@every_model
@three_seeds
def test_the_planted_truth_is_found_better_than_by_counting(fit: FitVotes, seed: int, plant: Plant) -> None:
    crowd = plant(seed=seed)
    found = fit(crowd.votes)
    by_counting = crowd.share_right(crowd.votes.shares.argmax(axis=1))
    assert crowd.share_right(found.label) >= by_counting
    assert crowd.share_right(found.label) > 0.87
    assert np.allclose(found.posterior.sum(axis=1), 1)


@every_model
@three_seeds
def test_the_planted_accuracies_are_found(fit: FitVotes, seed: int, plant: Plant) -> None:
    crowd = plant(seed=seed)
    found = fit(crowd.votes)
    assert np.corrcoef(found.reliability.value, crowd.accuracy)[0, 1] > 0.85
    assert found.reliability.n.tolist() == np.bincount(crowd.votes.annotator).tolist()
    assert (found.reliability.low <= found.reliability.value).all()
    assert (found.reliability.value <= found.reliability.high).all()


@every_model
def test_the_order_of_votes_items_and_annotators_does_not_matter(fit: FitVotes, plant: Plant) -> None:
    votes = plant().votes
    rng = np.random.default_rng(7)
    shuffle, items, people = (rng.permutation(n) for n in (len(votes), votes.n_items, votes.n_annotators))
    moved = replace(
        votes, item=items[votes.item][shuffle], annotator=people[votes.annotator][shuffle], answer=votes.answer[shuffle]
    )
    one, other = fit(votes), fit(moved)
    assert np.allclose(one.posterior, other.posterior[items], atol=1e-4)
    assert np.allclose(one.reliability.value, other.reliability.value[people], atol=1e-4)
    assert np.allclose(one.effective_votes, other.effective_votes[items], atol=1e-4)


@every_model
def test_swapping_a_and_b_mirrors_the_answers(fit: FitVotes, plant: Plant) -> None:
    votes = plant().votes
    one, other = fit(votes), fit(replace(votes, answer=2 - votes.answer))
    assert np.allclose(one.posterior, other.posterior[:, ::-1], atol=1e-4)
    assert np.allclose(one.reliability.value, other.reliability.value, atol=1e-4)


@every_model
def test_the_objective_rises_and_the_fit_converges(fit: FitVotes, plant: Plant) -> None:
    found = fit(plant().votes)
    slack = 1e-3 if fit is mace.fit else 1e-9
    assert (np.diff(found.log_likelihood) >= -slack).all()
    assert found.has_converged
    assert not fit(plant().votes, max_iterations=2).has_converged


@every_model
def test_five_guessers_are_worth_little_and_five_careful_people_five(fit: FitVotes, plant: Plant) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=300)
    careful = [(item, who, int(truth[item])) for item in range(300) for who in range(5)]
    guesses = [(item, who, int(rng.integers(3))) for item in range(300) for who in range(5, 10)]
    mixed = fit(_votes(careful + guesses))
    alone = fit(_votes(careful))
    assert mixed.effective_votes.mean() == pytest.approx(5, abs=0.6)
    assert alone.effective_votes.mean() == pytest.approx(5, abs=0.6)
    assert (mixed.effective_votes <= 10).all()
    assert (mixed.label == truth).all()


@every_model
def test_people_and_items_without_votes_are_no_trouble(fit: FitVotes) -> None:
    votes = Votes(np.array([0, 0, 2]), np.array([0, 1, 0]), np.array([0, 0, 2]), 4, 3, 4)
    found = fit(votes)
    assert np.isfinite(found.posterior).all()
    assert (found.label[0], found.label[2]) == (0, 2)
    assert found.effective_votes[1] == 0
    assert np.isnan(found.reliability.value[2])
    assert found.reliability.n.tolist() == [2, 1, 0]


@every_model
def test_no_votes_at_all_are_no_trouble(fit: FitVotes) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert fit(Votes(nothing, nothing, nothing, 2, 1, 3)).posterior.shape == (2, 3)


@every_model
def test_one_against_one_is_undecided(fit: FitVotes) -> None:
    assert fit(_votes([(0, 0, 0), (0, 1, 2)])).label.tolist() == [UNDECIDED]


@every_model
def test_everybody_saying_the_same_is_that(fit: FitVotes) -> None:
    found = fit(_votes([(item, who, 0) for item in range(5) for who in range(3)], answers=2))
    assert found.label.tolist() == [0] * 5
    assert np.isfinite(found.effective_votes).all()


@every_model
def test_it_stops_when_told_to(fit: FitVotes, plant: Plant) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        fit(plant().votes, check=stop)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_answers": 1}, "two answers"),
        ({"n_items": 1}, "Every item"),
        ({"answer": np.array([0])}, "1 values of answer"),
    ],
    ids=["one answer", "item out of range", "columns of different length"],
)
def test_arrays_that_do_not_fit_together_are_refused(change: dict[str, object], words: str) -> None:
    votes = _votes([(0, 0, 0), (1, 0, 1)])
    with pytest.raises(ValueError, match=words):
        replace(votes, **change)  # type: ignore[arg-type]  # wrong on purpose


def test_what_a_vote_is_worth_by_hand() -> None:
    even = np.array([0.5, 0.5])
    assert worth(np.eye(2), even) == pytest.approx(1)
    assert worth(np.eye(2)[::-1], even) == pytest.approx(1)
    assert worth(np.full((2, 2), 0.5), even) == pytest.approx(0)
    # One bit less the entropy of a coin that falls wrong one time in ten.
    assert worth(np.array([[0.9, 0.1], [0.1, 0.9]]), even) == pytest.approx(1 - 0.4690, abs=1e-4)


def test_two_equal_leaders_decide_nothing() -> None:
    assert leading(np.array([[0.4, 0.2, 0.4], [0.5, 0.2, 0.3]])).tolist() == [UNDECIDED, 0]
