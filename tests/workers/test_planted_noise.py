"""The command that plants flips: its protocol to the row, its table, and arms that find what was planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import planted_noise
from benchmarks.planted_arms import arms_for
from benchmarks.planted_data import Planted
from workers.engine.bench import Bench
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]


def _planted(pairs: list[Pair]) -> Planted:
    sign = np.array([pair.sign for pair in pairs])
    return Planted("toy", pairs, sign, np.array([pair.prompt_id for pair in pairs]))


@pytest.fixture
def toy(make_pairs: MakePairs) -> Planted:
    return _planted(make_pairs(150))


@pytest.mark.parametrize(("rate", "n", "flips"), [(0.0, 150, 0), (0.2, 150, 30), (0.4, 99, 39)])
def test_flips_are_those_of_the_protocol(toy: Planted, rate: float, n: int, flips: int) -> None:
    some = replace(toy, sign=toy.sign[:n])
    for seed in range(3):
        expected = np.zeros(n, np.bool_)
        expected[np.random.default_rng(1000 + seed).choice(n, int(rate * n), replace=False)] = True
        assert (some.flipped(rate, seed) == expected).all()
        assert expected.sum() == flips


@pytest.mark.parametrize("name", ["one plain head", "model_vote"])
def test_an_arm_finds_the_planted_flips_from_flipped_labels_alone(toy: Planted, bench: Bench, name: str) -> None:
    is_flipped = toy.flipped(0.2, 0)
    belief, suspicion = arms_for(toy, bench)[name](np.where(is_flipped, -toy.sign, toy.sign), 0)
    assert planted_noise.auroc(suspicion, is_flipped) > 0.75
    assert np.mean(belief * toy.sign > 0) > 0.7


def test_two_sources_that_ask_for_opposite_things_are_fitted_apart(make_pairs: MakePairs, bench: Bench) -> None:
    asks = make_pairs(100)
    asks += [replace(pair, label=-(pair.label or 0)) for pair in make_pairs(100, source=2, first_id=1001, seed=1)]
    both = _planted(asks)
    both = replace(both, group=np.arange(200))
    arms = arms_for(both, bench)
    apart, _ = arms["one plain head"](both.sign, 0)
    together, _ = arms["one head, as one source"](both.sign, 0)
    assert np.mean(apart * both.sign > 0) > np.mean(together * both.sign > 0) + 0.15


def test_the_chance_that_a_flip_is_suspected_more_counts_ties_as_a_half() -> None:
    is_flipped = np.array([True, True, False, False])
    assert planted_noise.auroc(np.array([3.0, 2.0, 1.0, 0.0]), is_flipped) == 1.0
    assert planted_noise.auroc(np.array([1.0, 0.0, 1.0, 0.0]), is_flipped) == 0.5


def test_the_table_tells_mean_and_spread_and_how_far_ours_are_ahead(
    toy: Planted, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINNOW_ARMS", "length alone;one plain head;model_vote")
    title, head, *rows = planted_noise._table(toy, bench, 1)
    assert "toy: n = 150 in 150 groups, 1 seeds" in title
    assert head.split("  ")[-1].strip() == "s a fit"
    assert [row[:30].strip() for row in rows] == ["length alone", "one plain head", "model_vote", "model_vote"]
    assert all(row.count("(sd ") == 5 for row in rows)
    assert rows[-1].split()[1].startswith(("+", "-"))


def test_ours_stand_beside_the_best_rival_of_each_column() -> None:
    ours, weak, strong = [[0.7, 0.8]], [[0.1, 0.9]], [[0.6, 0.6]]
    assert planted_noise.ahead(ours, [weak, strong]) == ["+0.150 (sd 0.071)"]
