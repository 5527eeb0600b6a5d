"""The consensus method: the same answers from any model, labels by hand, and what its result tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from workers.engine.aggregation.labels import labels, strength
from workers.engine.bench import Bench
from workers.methods import consensus
from workers.methods._base import Ballot, Outcome

MakeBallot = Callable[..., Ballot]
every_model = pytest.mark.parametrize("model", consensus.FITS)
BAD = 9


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(cache=tmp_path)


def _ballot(rows: list[tuple[int, int, int]]) -> Ballot:
    """(comparison, annotator, choice or BAD); comparison n has the responses 10 n and 10 n + 1."""
    comparison, annotator, choice = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    is_bad = choice == BAD
    return Ballot(comparison, annotator, comparison * 10, comparison * 10 + 1, np.where(is_bad, 0, choice), is_bad,
                  np.where(annotator % 2 == 0, 1, -1))  # fmt: skip


@pytest.fixture
def planted() -> tuple[Ballot, dict[int, int]]:
    """60 comparisons of 20 prompts with three responses each; eight careful people and two who guess."""
    rng = np.random.default_rng(0)
    quality = rng.normal(0, 3, size=(20, 3))
    rows: list[tuple[int, int, int]] = []
    ends: list[tuple[int, int]] = []
    truth: dict[int, int] = {}
    for prompt in range(20):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            comparison = 100 + len(truth)
            truth[comparison] = int(np.sign(quality[prompt, j] - quality[prompt, i]))
            for person in rng.choice(10, 6, replace=False):
                right = rng.random() < (0.5 if person >= 8 else 0.92)
                size = int(rng.integers(1, 4))
                rows.append((comparison, int(person) + 500, (1 if right else -1) * truth[comparison] * size))
                ends.append((prompt * 3 + i, prompt * 3 + j))
    ballot = _ballot(rows)
    a, b = np.array(ends, dtype=np.int64).T
    return replace(ballot, response_a=a, response_b=b), truth


def _run(ballot: Ballot, bench: Bench, model: str, **more: object) -> Outcome:
    return consensus.run(ballot, consensus.Params(model=model, **more), bench)  # type: ignore[arg-type]  # as given


@every_model
def test_the_planted_answers_are_found(planted: tuple[Ballot, dict[int, int]], bench: Bench, model: str) -> None:
    ballot, truth = planted
    outcome = _run(ballot, bench, model)
    assert [verdict.comparison_id for verdict in outcome.verdicts] == sorted(truth)
    right = [np.sign(v.label or 0) == truth[v.comparison_id] for v in outcome.verdicts]
    assert np.mean(right) > 0.9
    for verdict in outcome.verdicts:
        assert sum(verdict.posterior.values()) == pytest.approx(1)
        assert verdict.confidence == max(verdict.posterior.values())
        assert verdict.votes == 6
        assert verdict.effective_votes >= 0


@every_model
def test_who_guesses_is_trusted_least(planted: tuple[Ballot, dict[int, int]], bench: Bench, model: str) -> None:
    outcome = _run(planted[0], bench, model)
    by_trust = sorted(outcome.reliabilities, key=lambda person: person.value or 0.0)
    assert {person.annotator_id for person in by_trust[:2]} == {508, 509}
    for person in outcome.reliabilities:
        assert (person.low or 0) <= (person.value or 0) <= (person.high or 0)
        assert person.details
    assert sum(person.n for person in outcome.reliabilities) == len(planted[0])


@every_model
def test_swapping_the_sides_mirrors_the_labels(
    planted: tuple[Ballot, dict[int, int]], bench: Bench, model: str
) -> None:
    ballot = planted[0]
    swapped = replace(
        ballot, response_a=ballot.response_b, response_b=ballot.response_a, choice=-ballot.choice, first=-ballot.first
    )
    for one, other in zip(_run(ballot, bench, model).verdicts, _run(swapped, bench, model).verdicts, strict=True):
        assert one.label == (None if other.label is None else -other.label)
        assert one.posterior["a"] == pytest.approx(other.posterior["b"], abs=1e-4)


@every_model
def test_the_same_votes_say_the_same_and_the_result_is_json(
    planted: tuple[Ballot, dict[int, int]], bench: Bench, model: str
) -> None:
    one, again = (_run(planted[0], bench, model) for _ in range(2))
    assert one == again
    result = json.loads(json.dumps(one.result, allow_nan=False))
    assert (result["votes"], result["comparisons"], result["annotators"]) == (360, 60, 10)
    assert result["a"] + result["b"] + result["tie"] + result["both_bad"] + result["undecided"] == 60
    assert len(result["log_likelihood"]) == result["iterations"] > 1
    assert result["has_converged"]
    assert {result["people"][0]["annotator"], result["people"][1]["annotator"]} == {508, 509}
    json.dumps([person.details for person in one.reliabilities], allow_nan=False)


@every_model
def test_both_bad_is_an_answer_of_its_own(bench: Bench, model: str) -> None:
    rows = [(comparison, person, BAD if comparison < 3 else 2) for comparison in range(9) for person in range(4)]
    rows.append((20, 7, BAD))
    outcome = _run(_ballot(rows), bench, model)
    assert [(v.label, v.is_both_bad) for v in outcome.verdicts[:9]] == [(None, True)] * 3 + [(2, False)] * 6
    assert outcome.result["both_bad"] >= 3


def test_only_bad_answers_say_nothing_of_how_people_see_strength(bench: Bench) -> None:
    outcome = _run(_ballot([(0, 1, BAD), (1, 2, 1), (1, 3, 1)]), bench, "bradley_terry")
    silent = outcome.reliabilities[0]
    assert (silent.annotator_id, silent.value, silent.low, silent.n) == (1, None, None, 0)


@every_model
def test_one_against_one_is_undecided(bench: Bench, model: str) -> None:
    verdict = _run(_ballot([(0, 0, -1), (0, 1, 1)]), bench, model).verdicts[0]
    assert (verdict.label, verdict.is_both_bad, verdict.votes) == (None, False, 2)


@every_model
def test_an_empty_ballot_gives_nothing(bench: Bench, model: str) -> None:
    nothing = _ballot([(0, 0, 1)])
    empty = Ballot(**{field.name: getattr(nothing, field.name)[:0] for field in fields(Ballot)})
    assert _run(empty, bench, model) == Outcome()


@every_model
def test_cancel_stops_it(planted: tuple[Ballot, dict[int, int]], bench: Bench, model: str) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        _run(planted[0], replace(bench, check_cancelled=stop), model)


def test_much_better_counts_for_more_only_where_asked_for(bench: Bench) -> None:
    ballot = _ballot([(0, 0, 3), (0, 1, -1), (1, 0, 1), (1, 1, 1), (2, 2, 2), (2, 3, -3)])
    graded = _run(ballot, bench, "bradley_terry", graded=True).verdicts[0]
    plain = _run(ballot, bench, "bradley_terry").verdicts[0]
    assert graded.posterior["b"] > graded.posterior["a"] + 0.01
    assert plain.posterior["b"] == pytest.approx(plain.posterior["a"], abs=0.05)


def test_a_position_and_leans_are_told_of_bradley_terry(planted: tuple[Ballot, dict[int, int]], bench: Bench) -> None:
    outcome = _run(planted[0], bench, "bradley_terry")
    position = outcome.result["position"]
    assert position["interval"][0] < position["value"] < position["interval"][1]
    assert position["n"] == len(planted[0])
    low, high = outcome.reliabilities[0].details["lean_interval"]
    assert low < outcome.reliabilities[0].details["lean"] < high


def test_the_strength_is_the_rounded_mean_of_the_votes_for_the_side() -> None:
    item, choice = np.array([0, 0, 0, 1, 1, 2]), np.array([3, 2, -1, -1, -2, 1])
    # 2.5 away from zero is 3, 1.5 is 2, and a side without votes is 1.
    assert strength(item, choice, choice > 0, 3).tolist() == [3, 1, 1]
    assert strength(item, choice, choice < 0, 3).tolist() == [1, 2, 1]
    posterior = np.array([[0.1, 0.1, 0.8, 0.0], [0.9, 0.1, 0.0, 0.0], [0.6, 0.0, 0.4, 0.0]])
    found = labels(posterior, item, choice)
    assert found.value.tolist() == [3, -2, -1]
    assert found.has_value.all()


def test_an_answer_that_is_more_likely_wrong_than_right_is_no_label() -> None:
    posterior = np.array([[0.45, 0.15, 0.4, 0.0], [0.1, 0.6, 0.3, 0.0], [0.1, 0.1, 0.2, 0.6]])
    found = labels(posterior, np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))
    assert found.has_value.tolist() == [False, True, False]
    assert found.is_both_bad.tolist() == [False, False, True]
    assert found.value[1] == 0
