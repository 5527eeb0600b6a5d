"""Strengths of responses that recur: a plain fit, planted flips, ties, and sources with nothing to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from accounts.models import Project
from corpus.models import Comparison
from curation.models import Signal
from ledger.models import State
from tests.workers.conftest import run_here
from workers.engine.bench import Bench
from workers.engine.heads.items import Balance, balance, held_out_gaps, rivals_of
from workers.methods import item_strength
from workers.methods._base import Pair

Floats = NDArray[np.float64]
MakePairs = Callable[..., list[Pair]]


def _plain(z: Floats, y: Floats, offset: Floats, ridge: float) -> Floats:
    """Gradient descent on sum log(1 + exp(-2 y m)) + ridge |u|^2 / 2; a tie is half a win for both."""
    u = np.zeros(z.shape[1])
    for _ in range(20_000):
        m = offset + z @ u
        won, lost = (1 + y) / 2, (1 - y) / 2
        slope = -2 * won / (1 + np.exp(2 * m)) + 2 * lost / (1 + np.exp(-2 * m))
        u -= 0.01 * (z.T @ slope + ridge * u)
    return np.asarray(u)


def test_the_fit_is_the_plain_one() -> None:
    rng = np.random.default_rng(0)
    a, b = np.array([0, 0, 1, 2, 1, 3, 0]), np.array([1, 2, 2, 3, 3, 0, 1])
    y, t = np.array([1.0, 1, 0, -1, 1, 1, 1]), rng.normal(size=7)
    train = np.array([True] * 6 + [False])
    (rivals,) = rivals_of(np.zeros(7, np.int64), a, b)
    gap, error = held_out_gaps([rivals], y, t, train, Balance(slope=0.3, tau2=0.5, noise=0.8))
    u = _plain(rivals.design(train), y[:6], 0.3 * t[:6], 0.8 / 0.5)
    assert gap[6] == pytest.approx(0.3 * t[6] + u[1] - u[0], abs=1e-6)
    assert np.isnan(gap[:6]).all()
    assert error[6] > 0


def _contest(seed: int = 0) -> tuple[list[Pair], NDArray[np.bool_], Floats]:
    """Fifteen prompts with twelve responses in 150 comparisons each; a fifth of the labels is turned, a tenth tied.

    With them: which labels were turned, and the true gap."""
    rng = np.random.default_rng(seed)
    pairs: list[Pair] = []
    flips, gaps = [], []
    for prompt in range(15):
        strength = rng.normal(0, 1.5, size=12)
        for _ in range(150):
            i, j = (int(number) for number in rng.choice(12, 2, replace=False))
            better = 1 if rng.random() < 1 / (1 + np.exp(-2 * (strength[j] - strength[i]))) else -1
            flip = bool(rng.random() < 0.2)
            label = 0 if rng.random() < 0.1 else better * (-1 if flip else 1)
            flips.append(flip and label != 0)
            gaps.append(strength[j] - strength[i])
            pairs.append(
                Pair(id=len(pairs) + 1, source=1, prompt_id=prompt,
                     messages=[{"role": "user", "content": f"question {prompt}"}],
                     a_id=12 * prompt + i, a=f"text {prompt} {i}", b_id=12 * prompt + j, b=f"text {prompt} {j}",
                     label=label)
            )  # fmt: skip
    return pairs, np.array(flips), np.array(gaps)


def test_planted_flips_stand_out_and_ties_are_read(bench: Bench) -> None:
    pairs, is_flipped, true_gap = _contest()
    outcome = item_strength.run(pairs, item_strength.Params(), bench)
    sign = np.array([pair.sign for pair in pairs])
    gap = np.array([signal.value for signal in outcome.signals], dtype=np.float64)

    def found(toward: Floats) -> float:
        return float(np.mean(toward[is_flipped][:, None] < toward[~is_flipped & (sign != 0)][None, :]))

    # Twenty other labels a response, of which more than a quarter is wrong, by the flips and by near equals.
    assert found(sign * true_gap) > 0.9
    assert found(sign * gap) > 0.8
    assert outcome.result["ties"] == sum(pair.label == 0 for pair in pairs)
    assert outcome.result["recurring"] == len(pairs)
    low, high = outcome.result["accuracy"]["interval"]
    assert low < outcome.result["accuracy"]["share"] < high
    assert outcome.result["accuracy"]["share"] > outcome.result["text_accuracy"]["share"] + 0.1


def test_the_label_of_a_pair_never_counts_for_it(bench: Bench) -> None:
    pairs, _, _ = _contest()
    # Copies of a pair share its fold, so turn them all.
    seen = {frozenset((pairs[7].a_id, pairs[7].b_id))}
    turned = [replace(p, label=-p.sign) if frozenset((p.a_id, p.b_id)) in seen else p for p in pairs]
    train = np.array([frozenset((p.a_id, p.b_id)) not in seen for p in pairs])
    rivals = rivals_of(*(np.array([getattr(p, name) for p in pairs]) for name in ("prompt_id", "a_id", "b_id")))
    gaps = []
    for some in (pairs, turned):
        y = np.array([pair.sign for pair in some], dtype=np.float64)
        found = balance(rivals, y, np.zeros(len(y)), train)
        gaps.append(held_out_gaps(rivals, y, np.zeros(len(y)), train, found)[0][~train])
    assert np.array_equal(*gaps)


def test_more_wrong_labels_mean_more_noise_and_less_strength() -> None:
    found = []
    for rate in (0.0, 0.3):
        rng = np.random.default_rng(1)
        prompt = np.repeat(np.arange(20), 80)
        a = prompt * 10 + rng.integers(0, 5, size=1600)
        b = prompt * 10 + 5 + rng.integers(0, 5, size=1600)
        strength = rng.normal(size=200)
        y = np.where(strength[b] > strength[a], 1.0, -1.0) * np.where(rng.random(1600) < rate, -1, 1)
        found.append(balance(rivals_of(prompt, a, b), y, np.zeros(1600), np.ones(1600, np.bool_)))
    assert found[0].noise < found[1].noise
    assert found[0].tau2 > found[1].tau2


@pytest.mark.parametrize("label", [0, None])
def test_a_source_without_labels_gets_a_sentence_and_empty_signals(
    make_pairs: MakePairs, bench: Bench, label: int | None
) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(60)]
    outcome = item_strength.run(pairs, item_strength.Params(), bench)
    assert "Too little to learn from: 0 of 60" in outcome.result["problem"]
    assert {signal.value for signal in outcome.signals} == {None}


def test_twelve_rows_get_a_sentence(make_pairs: MakePairs, bench: Bench) -> None:
    assert "problem" in item_strength.run(make_pairs(12), item_strength.Params(), bench).result


def test_responses_that_never_recur_leave_the_text(make_pairs: MakePairs, bench: Bench) -> None:
    result = item_strength.run(make_pairs(200), item_strength.Params(), bench).result
    assert result["recurring"] == 0
    assert result["accuracy"]["share"] == pytest.approx(result["text_accuracy"]["share"], abs=0.02)


@pytest.mark.usefixtures("own_cache")
def test_a_source_of_twelve_rows_and_one_of_ties_leave_the_big_one_as_it_is(
    project: Project, fill_corpus: Callable[..., int]
) -> None:
    fill_corpus(40, source="big")
    alone = run_here(project, "item_strength").result["sources"]
    fill_corpus(12, source="small")
    fill_corpus(30, source="tied")
    Comparison.objects.filter(source__name="tied").update(label=0, labels=[0])
    run = run_here(project, "item_strength")
    assert (run.error, run.state) == ("", State.DONE)
    found = {source["name"]: source for source in run.result["sources"].values()}
    assert found["big"] == next(iter(alone.values()))
    assert "12 of 12 comparisons have a label that is no tie" in found["small"]["problem"]
    assert "0 of 30 comparisons" in found["tied"]["problem"]
    assert Signal.objects.filter(run=run).count() == 82
    assert Signal.objects.filter(run=run, value=None).count() == 42
