"""Two models that pick each other's rows: a plain loop, planted flips, clean labels, and who is who."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.bench import Bench, Unworkable
from workers.engine.heads.bradley_terry import Floats, bootstrap_weights, grouped_folds
from workers.engine.heads.peers import STEPS, Course, Reviewed, View, _keep, review
from workers.methods import peer_review
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]
Flags = NDArray[np.bool_]
DIMS, L2 = 20, 5.0


def _toy(rate: float, seed: int, n: int = 2500) -> tuple[Floats, Floats, Flags]:
    """A linear Bradley-Terry world; exactly `rate` of the labels are turned."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, DIMS))
    margin = x @ rng.normal(size=DIMS)
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * margin)), 1.0, -1.0)
    flipped = np.zeros(n, np.bool_)
    flipped[rng.choice(n, int(rate * n), replace=False)] = True
    return x, np.where(flipped, -y, y), flipped


def _reviewed(x: Floats, y: Floats, eta: float, seed: int, *, swapped: bool = False) -> Reviewed:
    """Three pairs of heads, five folds."""
    n = len(y)
    fold = grouped_folds(np.arange(n), 5, np.random.default_rng(seed))
    margin, kept = np.zeros((n, 3)), np.zeros((n, 3))
    for k in range(5):
        train, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        views = [_view(x, train, np.random.default_rng([seed, k, who])) for who in (0, 1)]
        a, b = views[::-1] if swapped else views
        found = review(a, b, y, train, held, Course(eta, 12, 6), np.random.default_rng([seed, k, 2]))
        margin[held], kept[held] = found.margin, found.kept
    return Reviewed(margin, kept)


def _view(x: Floats, train: NDArray[np.int64], rng: np.random.Generator) -> View:
    weights = np.zeros((len(x), 3))
    weights[train] = bootstrap_weights(train, 3, rng)
    return View(x, L2, weights, 0.01 * rng.normal(size=(x.shape[1], 3)))


def _auroc(score: Floats, is_positive: Flags) -> float:
    higher = score[is_positive][:, None] - score[~is_positive][None, :]
    return float(np.mean((higher > 0) + 0.5 * (higher == 0)))


def _plainly_kept(margin: Floats, drawn: Floats, block_at: NDArray[np.int64], left_out: float) -> Floats:
    """One head, a block at a time."""
    kept = np.ones(len(margin))
    rows = [row for row in np.argsort(margin, kind="stable") if drawn[row] > 0]
    for block in set(block_at.tolist()):
        own = [row for row, where in zip(rows, block_at, strict=False) if where == block]
        for row in own[: int(left_out * len(own) + 0.5)]:
            kept[row] = 0.0
    return kept


def test_rows_are_left_out_as_a_plain_loop_does() -> None:
    rng = np.random.default_rng(0)
    margin, drawn, block = rng.normal(size=(60, 4)), rng.poisson(1.0, size=(60, 4)).astype(float), np.arange(60) % 3
    plain = [_plainly_kept(margin[:, column], drawn[:, column], block, 0.3) for column in range(4)]
    assert np.array_equal(_keep(margin, drawn, block, 0.3), np.column_stack(plain))


def test_without_selection_the_heads_are_those_of_plain_newton_steps() -> None:
    x, y, _ = _toy(0.2, 0, n=200)
    train, held = np.arange(150), np.arange(150, 200)
    view = View(x, L2, np.ones((200, 1)), np.zeros((DIMS, 1)))
    found = review(view, view, y, train, held, Course(0.0, 6, 2), np.random.default_rng(0))
    beta, signed = np.zeros(DIMS), x[train] * y[train, None]
    bound = 0.25 * signed.T @ signed + L2 * np.eye(DIMS)
    for _ in range(6 * STEPS):
        beta -= np.linalg.solve(bound, L2 * beta - signed.T @ (1 / (1 + np.exp(signed @ beta))))
    expected = x[held] @ beta / np.sqrt(np.mean((x[train] @ beta) ** 2))
    assert found.margin == pytest.approx(np.tile(expected[:, None], 3), abs=1e-9)


@pytest.mark.parametrize("rate", [0.2, 0.3])
def test_planted_flips_are_seldom_kept(rate: float) -> None:
    for seed in range(2):
        x, y, flipped = _toy(rate, seed)
        found = _reviewed(x, y, rate, seed)
        assert _auroc(-found.kept[:, 0], flipped) > 0.8
        truth = np.where(flipped, -y, y)
        peers, single = (float(np.mean(found.margin[:, arm] * truth > 0)) for arm in (0, 2))
        assert peers > single - 0.005


def test_clean_labels_lose_at_most_one_point() -> None:
    """With eta as the method estimates it: the share of labels that heads on the other folds would not have given."""
    lost = []
    for seed in range(3):
        x, y, _ = _toy(0.0, seed)
        against = float(np.mean(_reviewed(x, y, 0.0, seed).margin[:, 2] * y < 0))
        right = np.mean(_reviewed(x, y, against, seed).margin * y[:, None] > 0, axis=0)
        assert 0.05 < against < 0.15
        lost.append(right[2] - right[0])
    assert np.mean(lost) <= 0.01


def test_exchanging_the_two_models_changes_nothing() -> None:
    x, y, _ = _toy(0.2, 0, n=600)
    straight, swapped = (_reviewed(x, y, 0.2, 0, swapped=swapped) for swapped in (False, True))
    assert straight.kept[:, :2] == pytest.approx(swapped.kept[:, :2], abs=1e-12)
    assert straight.margin == pytest.approx(swapped.margin, abs=1e-12)


def _with_flips(pairs: list[Pair], rate: float) -> tuple[list[Pair], Flags]:
    flipped = np.zeros(len(pairs), np.bool_)
    flipped[np.random.default_rng(1000).choice(len(pairs), int(rate * len(pairs)), replace=False)] = True
    return [
        replace(pair, label=-pair.sign) if turn else pair for pair, turn in zip(pairs, flipped, strict=True)
    ], flipped


def test_the_method_finds_flips_and_tells_its_rivals(make_pairs: MakePairs, bench: Bench) -> None:
    pairs, flipped = _with_flips(make_pairs(400), 0.2)
    outcome = peer_review.run(pairs, peer_review.Params(eta=0.2), bench)
    frequency = np.array([signal.value for signal in outcome.signals], dtype=np.float64)
    assert _auroc(-frequency, flipped) > 0.8
    assert (frequency.min(), frequency.max()) == (0.0, 1.0)
    for name in peer_review.ARMS:
        low, high = outcome.result[name]["interval"]
        assert low < outcome.result[name]["share"] < high
    assert (outcome.result["eta"], outcome.result["eta_from"]) == (0.2, "given")


def test_eta_comes_from_the_audit_or_from_the_labels_against(make_pairs: MakePairs, bench: Bench) -> None:
    pairs, _ = _with_flips(make_pairs(200), 0.2)
    audited = replace(bench, label_noise=lambda: (0.17, 90))
    said = peer_review.run(pairs, peer_review.Params(pairs=1), audited).result
    assert (said["eta"], said["eta_from"]) == (0.17, "the blind sample of 90 labels")
    said = peer_review.run(pairs, peer_review.Params(pairs=1), bench).result
    assert said["eta"] == pytest.approx(0.2, abs=0.08)
    assert "single cross-fitted head" in said["eta_from"]


def test_another_encoder_may_be_the_second_model(make_pairs: MakePairs, bench: Bench) -> None:
    outcome = peer_review.run(make_pairs(100), peer_review.Params(second_model="another", pairs=1), bench)
    assert outcome.result["accuracy"]["share"] > 0.7


def test_ties_and_missing_labels_have_no_frequency(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = [replace(pair, label=(0 if i % 20 == 0 else None if i % 20 == 1 else pair.label))
             for i, pair in enumerate(make_pairs(200))]  # fmt: skip
    signals = peer_review.run(pairs, peer_review.Params(pairs=1), bench).signals
    assert [signal.value is None for signal in signals] == [not pair.label for pair in pairs]


@pytest.mark.parametrize("label", [0, None])
def test_a_source_without_labels_gets_a_sentence(make_pairs: MakePairs, bench: Bench, label: int | None) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(60)]
    assert "Too little to learn from: 0 of 60" in peer_review.run(pairs, peer_review.Params(), bench).result["problem"]


def test_twelve_rows_get_a_sentence(make_pairs: MakePairs, bench: Bench) -> None:
    assert "problem" in peer_review.run(make_pairs(12), peer_review.Params(), bench).result


def test_a_warm_up_that_never_ends_is_refused() -> None:
    with pytest.raises(Unworkable, match="must end before the last epoch"):
        peer_review.preflight(peer_review.Params(epochs=5, warm_up=5))
