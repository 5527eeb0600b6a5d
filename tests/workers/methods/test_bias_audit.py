"""Length, format and position: planted leanings are measured, absent ones are not claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.bench import Bench
from workers.engine.heads.bradley_terry import wilson
from workers.engine.people.clustered import clustered_share, clustered_slopes
from workers.engine.texts import surface
from workers.methods import bias_audit
from workers.methods._base import Ballot, Pair


def _pairs(n: int, follows_length: float, *, seed: int = 0, per_prompt: int = 1) -> list[Pair]:
    """Labels that prefer the longer response with this probability."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(n):
        short, long = "word " * int(rng.integers(1, 20)), "word " * int(rng.integers(25, 60))
        is_b_long, goes_with_it = rng.random() < 0.5, rng.random() < follows_length
        a, b = (short, long) if is_b_long else (long, short)
        label = 1 if is_b_long == goes_with_it else -1
        pairs.append(Pair(number, 1, number // per_prompt, [], 2 * number, a, 2 * number + 1, b, label))
    return pairs


def _run(pairs: Sequence[Pair], tmp_path: Path, ballot: Ballot | None = None) -> Any:
    return bias_audit.run(pairs, bias_audit.Params(), Bench(cache=tmp_path, votes=lambda: ballot))


def _trait(result: dict[str, Any], name: str, within: str = "traits") -> dict[str, Any]:
    (row,) = [row for row in result[within] if row["trait"] == name]
    share: dict[str, Any] = row["share"]
    return share


def test_traits_are_counted_as_they_look() -> None:
    text = "# Bread\n\n- flour\n- water\n1. mix **well**\n\n`bake()` and\n```\nbake(hot)\n```"
    assert surface.counts(text) == pytest.approx(np.log1p([len(text), 3, 2, 3]).tolist())
    assert surface.counts("plain prose - with a dash, 3.5 apples.") == pytest.approx([np.log1p(38), 0, 0, 0])


def test_the_share_agrees_with_counting_and_holds_the_planted_one(tmp_path: Path) -> None:
    pairs = _pairs(800, 0.8)
    result = _run(pairs, tmp_path).result
    hits = sum((len(p.b) > len(p.a)) == (p.sign > 0) for p in pairs)
    found = _trait(result, "length")
    assert (found["n"], found["share"]) == (800, hits / 800)
    assert found["interval"][0] < 0.8 < found["interval"][1]
    assert _trait(result, "stored order")["share"] == pytest.approx(0.5, abs=0.06)
    assert _trait(result, "code")["n"] == 0
    assert [row["trait"] for row in result["joint"]] == ["length"]
    assert result["joint"][0]["interval"][0] > 0


def test_margins_mean_something_only_where_they_beat_chance(tmp_path: Path) -> None:
    with_it, without = _run(_pairs(400, 0.85), tmp_path), _run(_pairs(400, 0.5), tmp_path)
    assert all(signal.value is not None for signal in with_it.signals)
    assert with_it.result["accuracy"]["share"] > 0.8
    assert {signal.value for signal in without.signals} == {None}
    assert not without.result["accuracy"]["is_above_chance"]


def test_held_out_margins_point_to_the_longer_response(tmp_path: Path) -> None:
    pairs = _pairs(400, 0.85)
    for pair, signal in zip(pairs, _run(pairs, tmp_path).signals, strict=True):
        assert (signal.fields["length_mean"] > 0) == (len(pair.b) > len(pair.a))


def test_rows_of_one_prompt_count_for_less(tmp_path: Path) -> None:
    groups = np.repeat(np.arange(20), 10)
    alike = np.repeat(np.arange(20) % 2 == 0, 10)
    clustered, apart = clustered_share(alike, groups), clustered_share(alike, np.arange(200))
    assert clustered["interval"][0] < apart["interval"][0]
    assert apart["interval"] == pytest.approx(wilson(100, 200), abs=2e-3)
    assert clustered["interval"] == pytest.approx(wilson(10, 20, 2.093), abs=0.02)


@pytest.mark.parametrize(("hits", "groups"), [([True] * 5, [1] * 5), ([], [])])
def test_one_group_alone_has_no_interval(hits: list[bool], groups: list[int]) -> None:
    assert clustered_share(np.array(hits, np.bool_), np.array(groups, np.int64))["interval"] is None


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(40), 8)
    held = 0
    for _ in range(300):
        share_of_group = rng.beta(3, 2, size=40)
        low, high = clustered_share(rng.random(320) < share_of_group[groups], groups)["interval"]
        held += low <= 0.6 <= high
    assert 0.91 <= held / 300 <= 0.99


def test_slopes_hold_what_made_the_labels() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 2))
    sign = np.where(rng.random(3000) < 1 / (1 + np.exp(-(x @ [0.8, 0.0]))), 1, -1)
    one, other = clustered_slopes(x, sign, np.arange(3000) // 3)
    assert one["interval"][0] < 0.8 < one["interval"][1]
    assert other["interval"][0] < 0.0 < other["interval"][1]


def _ballot(pairs: Sequence[Pair], people: int, *, leans_first: dict[int, float], seed: int = 0) -> Ballot:
    """Every person votes on every pair: at random, or for the first shown with the probability given."""
    rng = np.random.default_rng(seed)
    n = len(pairs)

    def each(values: Sequence[int]) -> NDArray[np.int64]:
        return np.repeat(np.array(values, np.int64), people)

    person = np.tile(np.arange(people), n)
    first = rng.choice([1, -1], size=n * people)
    toward_first = rng.random(n * people) < np.array([leans_first.get(who, 0.5) for who in person])
    # first = 1: response a was shown first, and -1 as an answer means a.
    choice = np.where(toward_first, -first, first)
    return Ballot(
        comparison=each([p.id for p in pairs]), annotator=person, response_a=each([p.a_id for p in pairs]),
        response_b=each([p.b_id for p in pairs]), choice=choice, first=first,
        is_both_bad=np.zeros(n * people, np.bool_),
    )  # fmt: skip


def test_who_votes_for_what_comes_first_stands_out(tmp_path: Path) -> None:
    pairs = _pairs(120, 0.5)
    result = _run(pairs, tmp_path, _ballot(pairs, 8, leans_first={3: 0.9})).result
    assert (result["votes"], result["voters"]) == (960, 8)
    assert (result["people"][0]["annotator"], result["people"][0]["stands_out"]) == (3, ["shown first"])
    assert sum(bool(person["stands_out"]) for person in result["people"]) <= 2
    lean = _trait({"leans": result["people"][0]["leans"]}, "shown first", "leans")
    assert (lean["n"], round(lean["share"], 1)) == (120, 0.9)
    assert lean["interval"][0] > 0.8


def test_votes_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    pairs = _pairs(60, 0.5)
    ballot = _ballot(pairs, 2, leans_first={})
    silent = replace(
        ballot,
        choice=np.where(np.arange(120) < 40, 0, ballot.choice),
        first=np.zeros(120, np.int64),
        comparison=ballot.comparison + np.where(np.arange(120) >= 110, 10_000, 0),
    )
    result = _run(pairs, tmp_path, silent).result
    assert result["votes"] == 70
    assert _trait(result, "shown first", "vote_traits")["n"] == 0


def test_people_with_few_votes_are_counted_and_not_shown(tmp_path: Path) -> None:
    pairs = _pairs(9, 0.5)
    result = _run(pairs, tmp_path, _ballot(pairs, 3, leans_first={})).result
    assert (result["voters"], result["voters_with_enough"], result["people"]) == (3, 0, [])


@pytest.mark.parametrize("label", [1, 0, None])
def test_twelve_rows_ties_and_no_labels_get_a_sentence(label: int | None, tmp_path: Path) -> None:
    outcome = _run([replace(pair, label=label) for pair in _pairs(12, 0.5)], tmp_path)
    assert "Too little for a model" in outcome.result["problem"]
    assert {signal.value for signal in outcome.signals} == {None}


def test_sides_that_all_look_alike_claim_nothing(tmp_path: Path) -> None:
    pairs = [replace(pair, a="the same", b="as good.") for pair in _pairs(100, 0.5)]
    outcome = _run(pairs, tmp_path)
    assert {signal.value for signal in outcome.signals} == {None}
    assert outcome.result["joint"] == []
