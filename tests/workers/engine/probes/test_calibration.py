"""Calibration against a plain loop, a planted temperature, and margins that say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from workers.engine.heads.bradley_terry import Floats, Ints
from workers.engine.probes.calibration import ask, ece, temperature


def _drawn(n: int, scale: float, seed: int = 0) -> tuple[Floats, Ints]:
    """Labels drawn with sigmoid(margin), then margins blown up by `scale`."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(scale=1.5, size=n)
    sign = np.where(rng.random(n) < 1 / (1 + np.exp(-margin)), 1, -1)
    return scale * margin, sign


def _plain(margin: Floats, sign: Ints, bins: int) -> float:
    rows = sorted(zip(np.abs(margin).tolist(), (margin * sign > 0).tolist(), strict=True), key=lambda row: row[0])
    total, start = 0.0, 0
    for number in range(bins):
        size = len(rows) // bins + (number < len(rows) % bins)
        some = rows[start : start + size]
        start += size
        confidence = [1 / (1 + np.exp(-size)) for size, _ in some]
        total += abs(sum(confidence) / len(some) - sum(right for _, right in some) / len(some)) * len(some) / len(rows)
    return float(total)


def test_the_error_is_that_of_a_plain_loop() -> None:
    margin, sign = _drawn(333, 2.0)
    assert ece(margin, sign, 10) == pytest.approx(_plain(margin, sign, 10), abs=1e-12)


@pytest.mark.parametrize("scale", [0.2, 1.0, 30.0])
def test_a_planted_temperature_is_found_and_mends_the_margins(scale: float) -> None:
    margin, sign = _drawn(4000, scale)
    assert temperature(margin, sign) == pytest.approx(scale, rel=0.1)
    told = ask(margin, sign, np.arange(4000), seed=0)
    assert told.details["calibrated"] < 0.05
    assert (told.passed, told.blocks, told.n, told.details["n_fitted"]) == (None, False, 2000, 2000)
    assert told.low is not None and told.high is not None
    assert told.value is not None and told.value <= told.high
    if scale == 30.0:
        assert told.value > 0.2


def test_margins_that_say_nothing_get_a_temperature_that_says_so() -> None:
    rng = np.random.default_rng(0)
    margin, sign = rng.normal(size=2000), rng.choice([-1, 1], size=2000)
    told = ask(margin, sign, np.arange(2000), seed=0)
    assert told.details["temperature"] > 5
    assert told.value is not None and told.details["calibrated"] < told.value
    turned = ask(np.where(sign > 0, -1.0, 1.0), sign, np.arange(2000), seed=0)
    assert "no temperature mends that" in turned.words


def test_all_margins_equal_or_none_at_all() -> None:
    assert ece(np.zeros(50), np.ones(50, np.int64), 5) == 0.0
    assert temperature(np.zeros(50), np.ones(50, np.int64)) > 0
    assert "cannot be said from 12 labels" in ask(np.ones(12), np.ones(12, np.int64), np.arange(12), seed=0).words
