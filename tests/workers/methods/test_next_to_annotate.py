"""Where a minute is worth most: the parts against plain rules, what is asked first, and starts with next to nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from workers.engine.bench import Bench
from workers.engine.people import worth
from workers.methods import next_to_annotate
from workers.methods._base import Ballot, Outcome, Pair
from workers.methods.next_to_annotate import Params

MakePairs = Callable[..., list[Pair]]


@dataclass(frozen=True)
class Check:
    comparison_id: int
    imported: int | None
    label: int | None
    is_final: bool


@dataclass(frozen=True)
class Told:
    run_id: int
    fields: Mapping[int, Mapping[str, Any]]
    is_older: bool


def _ballot(said: list[tuple[int, int]]) -> Ballot:
    """(comparison, choice); 9 is both bad."""
    comparison, choice = (np.array(column, dtype=np.int64) for column in zip(*said, strict=True))
    n = len(said)
    bad, zero = choice == 9, np.zeros(n, np.int64)
    return Ballot(comparison, np.arange(n), zero, zero, np.where(bad, 0, choice), bad, zero)


def _by_id(outcome: Outcome) -> dict[int, dict[str, Any]]:
    return {signal.pair_id: signal.fields | {"worth": signal.value} for signal in outcome.signals}


@pytest.mark.parametrize(("p", "k"), [(0.0, 8), (0.5, 8), (0.51, 4), (0.75, 2), (0.9, 1), (0.99, 1), (1.0, 0)])
def test_how_many_neighbours_are_looked_at(p: float, k: int) -> None:
    assert worth.neighbours_wanted(np.array([p])).tolist() == [k]


def test_a_probability_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        worth.neighbours_wanted(np.array([0.5, math.nan]))


def test_neighbours_are_those_of_a_plain_loop_and_never_oneself_a_copy_or_the_same_prompt() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 5))
    vectors[7] = vectors[8] + 0.01 * rng.normal(size=5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    prompt, answered = np.arange(60) // 3, np.arange(0, 60, 2)
    is_mistake, wanted = rng.random(30) < 0.4, rng.integers(0, 9, size=60)
    share, mistakes, near = worth.around_mistakes(vectors, prompt, answered, is_mistake, wanted)
    for row in range(60):
        others = [(k, other) for k, other in enumerate(answered) if other != row and prompt[other] != prompt[row]]
        cosines = [(float(vectors[row] @ vectors[other]), bool(is_mistake[k])) for k, other in others]
        best = sorted((one for one in cosines if 0 < one[0] <= 0.98), reverse=True)[: wanted[row]]
        assert share[row] == pytest.approx(sum(cosine for cosine, wrong in best if wrong) / 8)
        assert (mistakes[row], near[row]) == (sum(wrong for _, wrong in best), len(best))


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 1), (2, 0, 1, 0), (0, 5, 0, 0), (3, 3, 3, 0)])
def test_openness_is_the_chance_that_the_leader_leads_by_luck(counts: tuple[int, ...]) -> None:
    second, lead = sorted(counts)[-2:]
    expected = min(1.0, 2 * beta.cdf(0.5, lead + 1, second + 1))
    assert worth.openness(np.array([counts])) == pytest.approx([expected])


def test_the_order_is_by_worth_with_a_share_by_chance() -> None:
    values = np.random.default_rng(1).random(200)
    rows = np.arange(10, 160)
    order, drawn = worth.mixed_order(values, rows, 0.1, np.random.default_rng(0))
    assert sorted(order.tolist()) == rows.tolist()
    assert np.flatnonzero(drawn).tolist() == list(range(9, 150, 10))
    by_worth = values[order[~drawn]]
    assert (np.diff(by_worth) <= 0).all()
    assert worth.mixed_order(values, rows, 0.0, np.random.default_rng(0))[1].sum() == 0
    assert worth.mixed_order(values, rows, 1.0, np.random.default_rng(0))[1].all()
    drawable = np.arange(200) < 20
    order, drawn = worth.mixed_order(values, rows, 0.5, np.random.default_rng(0), drawable)
    assert sorted(order[drawn].tolist()) == list(range(10, 20))
    assert sorted(order.tolist()) == rows.tolist()


def test_copies_of_a_question_wait_for_each_other() -> None:
    prompt = np.array([1, 1, 1, 2, 3, 4])
    vectors = np.eye(6)
    vectors[5] = vectors[4]
    values = np.array([0.1, 0.9, 0.5, 0.4, 0.3, 0.2])
    nobody = np.zeros(6, np.bool_)
    assert worth.better_ones_alike(values, prompt, vectors, nobody).tolist() == [2, 0, 1, 0, 0, 1]
    answered = np.arange(6) == 0
    assert worth.better_ones_alike(values, prompt, vectors, answered).tolist() == [0, 1, 2, 0, 0, 1]


def test_planted_flips_come_first(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(300)
    flipped = {pair.id for pair in pairs[::5]}
    pairs = [replace(pair, label=-pair.sign) if pair.id in flipped else pair for pair in pairs]
    outcome = next_to_annotate.run(pairs, Params(random_share=0.0), bench)
    first = outcome.order[:60]
    assert sorted(outcome.order) == [pair.id for pair in pairs]
    assert sum(number in flipped for number in first) > 40
    places = {signal.pair_id: signal.fields["place"] for signal in outcome.signals}
    assert [places[number] for number in first] == list(range(1, 61))
    best = _by_id(outcome)[first[0]]
    assert "the models give the label a chance of" in best["reason"]
    assert outcome.result["votes_of"] == "heads fitted in this run"


def test_the_votes_of_a_run_are_taken_unless_people_have_judged_since(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(60)
    fields = {pair.id: {"mean": pair.sign * 2.0, "spread": 0.1} for pair in pairs}
    fields[5]["mean"] = 0.001

    def told(is_older: bool) -> Bench:
        return replace(bench, signals=lambda name: Told(3, fields, is_older) if name == "model_vote" else None)

    fresh = next_to_annotate.run(pairs, Params(random_share=0.0), told(False))
    assert fresh.result["votes_of"] == "run 3 of model_vote"
    assert fresh.order[0] == 5
    assert "they give one side 50%" in _by_id(fresh)[5]["reason"]
    assert next_to_annotate.run(pairs, Params(), told(True)).result["votes_of"] == "heads fitted in this run"
    assert "run 3" in next_to_annotate.run(pairs, Params(votes="run"), told(True)).result["votes_of"]


def test_what_people_have_answered_comes_last_and_what_splits_them_first(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(100)
    sign = {pair.id: pair.sign for pair in pairs}
    said = [(1, sign[1])] * 4 + [(2, 1), (2, -1), (2, 1), (2, -1)] + [(3, 9)] * 3
    asked = replace(bench, votes=lambda: _ballot(said), checks=lambda: [Check(4, sign[4], -sign[4], True)])
    outcome = next_to_annotate.run(pairs, Params(random_share=0.0, diversity=0.0), asked)
    rows = _by_id(outcome)
    assert outcome.order[0] == 2 and "people are split: 2 to 2" in rows[2]["reason"]
    assert (rows[4]["open"], rows[4]["place"], rows[4]["reason"]) == (0.0, None, "decided by a curator")
    assert "4 of 4 people agree already" in rows[1]["reason"]
    assert rows[1]["open"] == pytest.approx(2 / 32)
    assert rows[3]["open"] == pytest.approx(2 / 16)
    assert outcome.result | {"answered": 4, "overruled": 1} == outcome.result


def test_what_is_near_an_overruled_label_is_worth_more(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(100)
    wrong = [(pair.id, -pair.sign) for pair in pairs[:20]]
    right = [(pair.id, pair.sign) for pair in pairs[:20]]
    means = []
    for said in (wrong, right):
        asked = replace(bench, votes=lambda said=said: _ballot(said))  # type: ignore[misc]
        rows = _by_id(next_to_annotate.run(pairs, Params(), asked))
        means.append(np.mean([rows[pair.id]["retrieval"] for pair in pairs[20:]]))
    assert means[0] > means[1] + 0.05


def test_without_a_label_of_the_data_it_is_the_votes_that_people_overrule(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(100)
    fields = {pair.id: {"mean": 0.5 * pair.sign, "spread": 0.1} for pair in pairs}
    said = [(pair.id, -pair.sign) for pair in pairs[:20]]
    # What people say is the label then.
    pairs = [replace(pair, label=-pair.sign) if pair.id <= 20 else pair for pair in pairs]
    heard = replace(bench, votes=lambda: _ballot(said), signals=lambda name: Told(1, fields, False))
    assert next_to_annotate.run(pairs, Params(), heard).result["mistakes"] == 0
    unlabelled = replace(heard, came_unlabelled=lambda: np.arange(1, 21))
    assert next_to_annotate.run(pairs, Params(), unlabelled).result["mistakes"] == 20


def test_only_open_tasks_of_the_campaign_are_ordered(make_pairs: MakePairs, bench: Bench) -> None:
    asked = replace(bench, open_tasks=lambda campaign: np.array([3, 5, 7]) * campaign)
    outcome = next_to_annotate.run(make_pairs(60), Params(campaign=2, random_share=0.0), asked)
    assert sorted(outcome.order) == [6, 10, 14]
    places = sorted(signal.fields["place"] for signal in outcome.signals if signal.fields["place"])
    assert places == [1, 2, 3]


@pytest.mark.parametrize("label", [0, None])
def test_without_labels_and_answers_it_orders_by_what_is_not_alike(
    make_pairs: MakePairs, bench: Bench, label: int | None
) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(12, prompts=4)]
    outcome = next_to_annotate.run(pairs, Params(random_share=0.0), bench)
    assert "0 of 12 comparisons have a label or an answer" in outcome.result["without_votes"][0]["problem"]
    assert len({pair.prompt_id for pair in pairs if pair.id in outcome.order[:4]}) == 4
    assert {signal.fields["reason"] for signal in outcome.signals} == {"nothing is known of it yet"}


def test_votes_that_are_no_numbers_are_as_if_not_given(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(30)
    fields = {pair.id: {"mean": math.nan if pair.id < 10 else None, "spread": None} for pair in pairs}
    strange = replace(bench, signals=lambda name: Told(1, fields, False))
    outcome = next_to_annotate.run(pairs, Params(), strange)
    assert outcome.result["without_votes"][0]["problem"] == "the run of model_vote says nothing of it"
    assert len(outcome.order) == 30


def test_half_the_rows_may_be_copies(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(80)
    pairs = [replace(pairs[0], id=pair.id, a_id=pair.a_id, b_id=pair.b_id) if pair.id <= 40 else pair for pair in pairs]
    order = next_to_annotate.run(pairs, Params(random_share=0.0), bench).order
    assert sum(number <= 40 for number in order[:20]) <= 3
