"""Weights of blocks: the plain evidence, what noise and flips do to them, and heads that read a file in chunks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.heads import rows, stacking
from workers.engine.heads.bradley_terry import fit_heads
from workers.engine.heads.crossfit import cross_fit_stack
from workers.engine.heads.rows import Rows, chunks_of, scratch

Floats = NDArray[np.float64]
BLOCKS = [slice(0, 3), slice(3, 43)]
TRUST = np.array([1.0, 1.0])


def _data(flips: float = 0.0, seed: int = 0, n: int = 1200) -> tuple[Floats, Floats]:
    """The first block tells the label, the second nothing; each of mean square norm one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 43)) / np.sqrt(np.repeat([3, 40], [3, 40]))
    y = np.where(x[:, :3].sum(axis=1) + 0.3 * rng.normal(size=n) > 0, 1.0, -1.0)
    return x, np.where(rng.random(n) < flips, -y, y)


def _plain_evidence(x: Floats, y: Floats, penalty: float) -> float:
    """log N(y; 0, s (1 + x x' / penalty)), at the s that is best for it, without constants."""
    covariance = np.eye(len(y)) + x @ x.T / penalty
    best = y @ np.linalg.solve(covariance, y) / len(y)
    return float(-0.5 * (len(y) * np.log(best * len(y)) + np.linalg.slogdet(covariance)[1]))


def test_the_evidence_is_the_plain_one() -> None:
    x, y = _data(n=60)
    scale = np.repeat([0.5, 2.0], [3, 40])
    fast = stacking._evidence(x.T @ x, x.T @ y, 60, scale)
    plain = [_plain_evidence(x * scale, y, penalty) for penalty in stacking.GRID]
    assert fast - fast[0] == pytest.approx(np.array(plain) - plain[0], abs=1e-6)


def test_every_design_shares_out_one() -> None:
    found = stacking.designs(np.array([0.3, 1.0, 0.7]))
    assert found.sum(axis=1) == pytest.approx(np.ones(7))
    assert found[0] == pytest.approx([0.15, 0.5, 0.35])
    assert (found > 0).all()


def test_the_block_that_tells_the_label_gets_the_weight_and_flips_take_some_of_all() -> None:
    found = {}
    for rate in (0.0, 0.2, 0.4):
        x, y = _data(rate)
        found[rate] = stacking.stack(x.T @ x, x.T @ y, len(y), BLOCKS, TRUST).variance
    assert found[0.0][0] > 20 * found[0.0][1]
    assert found[0.0].sum() > found[0.2].sum() > found[0.4].sum()


@pytest.mark.parametrize("rate", [0.2, 0.4])
def test_noise_beside_the_best_block_costs_little(rate: float) -> None:
    x, clean = _data(seed=1, n=2000)
    y = np.where(np.random.default_rng(2).random(2000) < rate, -clean, clean)
    groups = np.arange(len(y))
    both, shares = cross_fit_stack(x, BLOCKS, TRUST, y.astype(np.int64), groups, heads=3, folds=5, seed=0)
    alone, _ = cross_fit_stack(x[:, :3], BLOCKS[:1], TRUST[:1], y.astype(np.int64), groups, heads=3, folds=5, seed=0)
    right = [float(np.mean(margins.mean(axis=1) * clean > 0)) for margins in (both, alone)]
    assert right[0] > right[1] - 0.05
    assert shares.sum(axis=1) == pytest.approx(np.ones(5))


def test_no_row_is_voted_on_by_a_head_that_saw_it_and_swapping_sides_turns_the_votes() -> None:
    x, y = _data(n=300)
    groups, sign = np.arange(300), y.astype(np.int64)
    margins, _ = cross_fit_stack(x, BLOCKS, TRUST, sign, groups, heads=2, folds=5, seed=3)
    sign[7] *= -1
    again, _ = cross_fit_stack(x, BLOCKS, TRUST, sign, groups, heads=2, folds=5, seed=3)
    assert margins[7] == pytest.approx(again[7])
    turned, _ = cross_fit_stack(-x, BLOCKS, TRUST, -sign, groups, heads=2, folds=5, seed=3)
    assert turned == pytest.approx(-again)


def test_a_source_that_shows_nothing_gets_no_votes() -> None:
    sign = np.tile([1, -1], 30)
    margins, _ = cross_fit_stack(np.zeros((60, 43)), BLOCKS, TRUST, sign, np.arange(60), heads=2, folds=5, seed=0)
    assert np.isnan(margins).all()


def test_a_fit_in_chunks_from_a_file_is_the_fit_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _data(0.1, n=700)
    some, weights, l2 = np.arange(3, 650), np.ones((647, 2)), np.array([1.0, 5.0])
    held = fit_heads(Rows(x.astype(np.float32), some, np.full(43, 2.0)), y[some], weights, l2)
    monkeypatch.setattr(rows, "TABLE_BYTES", 0)
    monkeypatch.setattr(rows, "HELD_BYTES", 0)
    monkeypatch.setattr(rows, "CHUNK", 100)
    table = scratch(x.shape, tmp_path / "features")
    for part in chunks_of(len(x)):
        table[part] = x[part]
    assert isinstance(table, np.memmap)
    assert not list((tmp_path / "features").iterdir())
    assert fit_heads(Rows(table, some, np.full(43, 2.0)), y[some], weights, l2) == pytest.approx(held, abs=1e-8)
