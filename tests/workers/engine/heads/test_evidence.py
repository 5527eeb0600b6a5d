"""Scales of blocks: the plain formulas at the fixed point, a block of noise goes out, more flips mean more noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.heads.crossfit import cross_fit_blocks
from workers.engine.heads.evidence import block_scales

Floats = NDArray[np.float64]
BLOCKS = [slice(0, 5), slice(5, 45)]


def _data(flips: float = 0.0, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(1500, 45))
    y = np.where(x[:, :5].sum(axis=1) + rng.normal(size=1500) > 0, 1.0, -1.0)
    return x, np.where(rng.random(1500) < flips, -y, y)


def test_the_scales_are_where_the_plain_formulas_stay() -> None:
    x, y = _data(0.2)
    found = block_scales(x, y, BLOCKS)
    prior = np.repeat(found.per_block, [5, 40])
    covariance = np.linalg.inv(x.T @ x / found.noise + np.diag(1 / prior))
    beta = covariance @ x.T @ y / found.noise
    gamma = 5 - np.trace(covariance[:5, :5]) / prior[0]
    assert beta[:5] @ beta[:5] / gamma == pytest.approx(found.per_block[0], rel=0.05)
    assert found.l2 == found.noise / 4
    assert found.column**2 == pytest.approx(prior)


def test_a_block_that_says_nothing_goes_out() -> None:
    found = block_scales(*_data(), BLOCKS)
    assert found.per_block[1] < 0.01 * found.per_block[0]


def test_more_flips_mean_more_noise() -> None:
    noise = [block_scales(*_data(rate), BLOCKS).noise for rate in (0.0, 0.2, 0.4)]
    assert noise == sorted(noise)


def test_units_of_the_columns_do_not_matter() -> None:
    x, y = _data(0.2)
    units = np.repeat([1.0, 100.0], [5, 40])
    groups = np.arange(len(y))
    one, _ = cross_fit_blocks(x, BLOCKS, y.astype(np.int64), groups, heads=2, folds=5, seed=0)
    other, _ = cross_fit_blocks(x * units, BLOCKS, y.astype(np.int64), groups, heads=2, folds=5, seed=0)
    assert one == pytest.approx(other, abs=1e-6)


def test_no_row_is_voted_on_by_a_head_that_saw_it() -> None:
    x, y = _data()
    groups = np.arange(len(y))
    margins, shares = cross_fit_blocks(x, BLOCKS, y.astype(np.int64), groups, heads=1, folds=5, seed=0,
                                       is_bootstrapped=False)  # fmt: skip
    turned = y.copy()
    turned[7] *= -1
    again, _ = cross_fit_blocks(x, BLOCKS, turned.astype(np.int64), groups, heads=1, folds=5, seed=0,
                                is_bootstrapped=False)  # fmt: skip
    assert margins[7] == again[7]
    assert np.mean(margins[:, 0] * y > 0) > 0.8
    assert shares.sum(axis=1) == pytest.approx(np.ones(5))
