"""The heads agree with ten plain lines, and the pieces around them with what one works out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.heads.bradley_terry import bootstrap_weights, fit_heads, grouped_folds, wilson
from workers.engine.heads.crossfit import cross_fit

Floats = NDArray[np.float64]


def plain_head(x: Floats, y: Floats, w: Floats, l2: float) -> Floats:
    """Newton's method as the textbook has it, one head."""
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(y * (x @ beta)))
        gradient = l2 * beta - x.T @ (w * y * p)
        hessian = l2 * np.eye(x.shape[1]) + x.T @ (x * (w * p * (1 - p))[:, None])
        beta = beta - np.linalg.solve(hessian, gradient)
    return np.asarray(beta)


def _data(n: int = 300, d: int = 12, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) * np.linspace(3, 0.1, d)
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-x @ rng.normal(size=d))), 1.0, -1.0)
    return x, y


def test_the_fast_fit_is_the_plain_fit() -> None:
    x, y = _data()
    weights = bootstrap_weights(np.arange(len(y)) // 2, 7, np.random.default_rng(1))
    l2 = np.array([0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
    fast = fit_heads(x, y, weights, l2)
    plain = np.stack([plain_head(x, y, weights[:, head], l2[head]) for head in range(7)], axis=1)
    assert np.abs(fast - plain).max() < 1e-6


def test_more_features_than_rows_are_no_trouble() -> None:
    x, y = _data(n=30, d=80)
    beta = fit_heads(x, y, np.ones((30, 2)), np.full(2, 1.0))
    assert np.abs(beta[:, 0] - plain_head(x, y, np.ones(30), 1.0)).max() < 1e-6


def test_turning_a_row_with_its_label_changes_nothing() -> None:
    x, y = _data()
    turn = np.where(np.random.default_rng(2).random(len(y)) < 0.5, -1.0, 1.0)
    one, w, l2 = np.ones((len(y), 1)), np.ones((len(y), 1)), np.full(1, 1.0)
    assert np.allclose(fit_heads(x, y, one, l2), fit_heads(x * turn[:, None], y * turn, w, l2), atol=1e-8)


def test_rows_without_weight_do_not_count() -> None:
    x, y = _data()
    weights = np.ones((len(y), 1))
    weights[100:] = 0
    full = fit_heads(x, y, weights, np.full(1, 1.0))
    assert np.allclose(full, fit_heads(x[:100], y[:100], np.ones((100, 1)), np.full(1, 1.0)), atol=1e-7)


def test_a_group_never_crosses_a_fold_and_folds_are_even() -> None:
    groups = np.repeat(np.arange(40), [1, 2, 3, 4] * 10)
    folds = grouped_folds(groups, 5, np.random.default_rng(0))
    assert all(len(set(folds[groups == group])) == 1 for group in range(40))
    assert np.bincount(folds).tolist() == [20] * 5


def test_the_bootstrap_draws_whole_groups() -> None:
    groups = np.repeat(np.arange(10), 3)
    weights = bootstrap_weights(groups, 4, np.random.default_rng(0))
    assert (weights.reshape(10, 3, 4) == weights.reshape(10, 3, 4)[:, :1]).all()
    assert (weights.sum(axis=0) == 30).all()


def test_the_wilson_interval_matches_a_table() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) is None


def test_no_head_votes_on_a_group_it_was_fitted_on() -> None:
    """A feature that only marks its own group would give the label away, if a head had seen it."""
    groups = np.repeat(np.arange(60), 2)
    sign = np.where(np.random.default_rng(0).random(60) < 0.5, -1, 1)[groups]
    marks = np.eye(60)[groups]
    fit = cross_fit(marks, None, sign, groups, heads=3, folds=5, seed=0, l2_choices=(0.1,))
    assert np.allclose(np.nan_to_num(fit.margins), 0.0)


def test_a_head_without_variance_is_dropped() -> None:
    groups = np.arange(60)
    sign = np.tile([1, -1], 30)
    fit = cross_fit(np.zeros((60, 3)), None, sign, groups, heads=4, folds=5, seed=0, l2_choices=(1.0,))
    assert np.isnan(fit.margins).all()


def test_columns_that_do_not_help_are_left_out() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 4))
    sign = np.where(x[:, 0] > 0, 1, -1)
    noise, signal = rng.normal(size=(400, 30)), 3.0 * x[:, :1]
    kept = cross_fit(x[:, 1:], signal, sign, np.arange(400), heads=2, folds=3, seed=0)
    left_out = cross_fit(x, noise, sign, np.arange(400), heads=2, folds=3, seed=0)
    assert kept.used_extra == [True] * 3
    assert left_out.used_extra == [False] * 3
