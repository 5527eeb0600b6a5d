"""The votes: their arithmetic by hand, planted flips, and sources that cannot be fitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.bench import Bench, Unworkable
from workers.engine.heads.crossfit import cross_fit
from workers.engine.heads.voting import Panel
from workers.methods import model_vote
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]
Floats = NDArray[np.float64]


def test_mean_spread_and_share_are_the_plain_ones() -> None:
    margins = np.array([[1.0, -1.0, 3.0, 0.0], [2.0, 2.0, np.nan, 2.0]])
    votes = Panel(margins, np.zeros(2), np.zeros(2, np.bool_))
    assert votes.mean.tolist() == [0.75, 2.0]
    assert votes.spread == pytest.approx([np.std([1.0, -1.0, 3.0, 0.0]), 0.0])
    assert votes.share_b.tolist() == [0.625, 1.0]
    assert votes.n.tolist() == [4, 3]


def test_permuting_the_heads_changes_nothing() -> None:
    margins = np.random.default_rng(0).normal(size=(50, 10))
    one, other = (Panel(m, np.zeros(50), np.zeros(50, np.bool_)) for m in (margins, margins[:, ::-1].copy()))
    assert np.allclose(one.mean, other.mean)
    assert np.allclose(one.spread, other.spread)


def test_the_votes_find_the_better_response(make_pairs: MakePairs, bench: Bench) -> None:
    result = model_vote.run(make_pairs(200), model_vote.Params(), bench).result
    assert result["accuracy"]["share"] > 0.8
    low, high = result["accuracy"]["interval"]
    assert low < result["accuracy"]["share"] < high
    assert result["length_accuracy"]["share"] < 0.65
    assert sum(result["histogram"]["counts"]) == result["labelled"] == 200
    assert (result["folds_by"], result["groups"]) == ("prompt", 200)


def test_the_heads_differ(make_pairs: MakePairs, bench: Bench) -> None:
    signals = model_vote.run(make_pairs(200), model_vote.Params(), bench).signals
    assert min(signal.fields["spread"] for signal in signals) > 1e-4


def test_few_prompts_are_folded_by_pair(make_pairs: MakePairs, bench: Bench) -> None:
    assert model_vote.run(make_pairs(120, prompts=7), model_vote.Params(), bench).result["folds_by"] == "pair"


def test_ties_and_unlabelled_rows_are_voted_on_and_train_nothing(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = [replace(pair, label=None if pair.id % 4 == 0 else 0 if pair.id % 4 == 1 else pair.label)
             for pair in make_pairs(200)]  # fmt: skip
    outcome = model_vote.run(pairs, model_vote.Params(), bench)
    assert outcome.result["labelled"] == 100
    assert all(signal.fields["n"] == 10 for signal in outcome.signals)


@pytest.mark.parametrize("label", [0, None])
def test_a_source_without_labels_gets_a_sentence_and_empty_signals(
    make_pairs: MakePairs, bench: Bench, label: int | None
) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(60)]
    outcome = model_vote.run(pairs, model_vote.Params(), bench)
    assert "Too little to learn from: 0 of 60" in outcome.result["problem"]
    assert {signal.value for signal in outcome.signals} == {None}


def test_a_missing_model_is_a_sentence_before_anything_starts() -> None:
    with pytest.raises(Unworkable, match="There is no model in 'nowhere'"):
        model_vote.preflight(model_vote.Params(model="nowhere"))


def _auroc(score: Floats, is_positive: NDArray[np.bool_]) -> float:
    """The chance that a planted flip ranks above a clean row, ties one half."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    positives = is_positive.sum()
    return float((ranks[is_positive].sum() - positives * (positives + 1) / 2) / (positives * (~is_positive).sum()))


@pytest.fixture(scope="module")
def planted() -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_], Floats, NDArray[np.int64]]:
    """Bradley-Terry data with a quarter of the labels flipped, and clean data to test on."""
    rng = np.random.default_rng(7)
    truth = rng.normal(size=20)
    truth *= 4 / np.linalg.norm(truth)
    x, fresh = rng.normal(size=(2500, 20)), rng.normal(size=(2000, 20))
    clean = np.where(x @ truth > 0, 1, -1)
    is_flipped = rng.random(2500) < 0.25
    return x, np.where(is_flipped, -clean, clean), is_flipped, fresh, np.where(fresh @ truth > 0, 1, -1)


def _accuracy_after(x: Floats, sign: NDArray[np.int64], fresh: Floats, right: NDArray[np.int64]) -> float:
    from workers.engine.heads.bradley_terry import fit_heads

    beta = fit_heads(x, sign.astype(float), np.ones((len(sign), 1)), np.full(1, 1.0))
    return float(np.mean((fresh @ beta)[:, 0] * right > 0))


def test_planted_flips_are_found_and_flipping_the_lowest_tenth_helps(
    planted: tuple[Floats, NDArray[np.int64], NDArray[np.bool_], Floats, NDArray[np.int64]],
) -> None:
    x, sign, is_flipped, fresh, right = planted
    groups = np.arange(len(sign))
    fit = cross_fit(x, None, sign, groups, heads=10, folds=5, seed=0, l2_choices=(1.0,))
    strength = sign * fit.margins.mean(axis=1)
    assert _auroc(-strength, is_flipped) >= 0.85

    order = np.argsort(strength)
    lowest = order[: len(order) // 10]
    by_chance = np.random.default_rng(1).permutation(len(order))[: len(order) // 10]
    accuracy = {}
    for name, rows in {"none": lowest[:0], "lowest": lowest, "random": by_chance}.items():
        changed = sign.copy()
        changed[rows] *= -1
        accuracy[name] = _accuracy_after(x, changed, fresh, right)
    assert accuracy["lowest"] > accuracy["none"] > accuracy["random"]

    deciles = [_accuracy_after(x[rows], sign[rows], fresh, right) for rows in np.array_split(order, 10)]
    assert deciles[0] < 0.5 < deciles[4]
    assert min(deciles[4:]) > 0.8


def test_a_single_head_is_the_honest_baseline(
    planted: tuple[Floats, NDArray[np.int64], NDArray[np.bool_], Floats, NDArray[np.int64]],
) -> None:
    """Convex heads on one encoder: ten votes find no more planted flips than one, and nobody should claim it."""
    x, sign, is_flipped, _, _ = planted
    fits = [
        cross_fit(x, None, sign, np.arange(len(sign)), heads=heads, folds=5, seed=0, l2_choices=(1.0,),
                  is_bootstrapped=heads > 1)
        for heads in (10, 1)
    ]  # fmt: skip
    ten, one = (_auroc(-sign * fit.margins.mean(axis=1), is_flipped) for fit in fits)
    assert abs(ten - one) < 0.02
