"""Exact bounds: against a plain reference, and against values that tables give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from curation.audits.bounds import interval, lower_bound, upper_bound


def reference(hits: int, n: int, alpha: float) -> float:
    """Clopper and Pearson's lower bound as a quantile of a beta distribution."""
    return float(beta.ppf(alpha, hits, n - hits + 1)) if hits else 0.0


@pytest.mark.parametrize("n", [1, 7, 50, 100, 1000])
@pytest.mark.parametrize("alpha", [0.05, 0.025, 0.0125])
def test_it_is_the_quantile_of_the_beta_distribution(n: int, alpha: float) -> None:
    for hits in {0, 1, n // 3, n // 2, n - 1, n}:
        assert lower_bound(hits, n, alpha) == pytest.approx(reference(hits, n, alpha), abs=1e-9)


def test_it_agrees_with_tables() -> None:
    assert lower_bound(10, 10) == pytest.approx(0.05**0.1)
    assert upper_bound(0, 100) == pytest.approx(1 - 0.05**0.01)
    assert interval(5, 10) == pytest.approx((0.187086, 0.812914), abs=1e-6)


def test_without_rows_there_is_nothing_to_say() -> None:
    assert lower_bound(0, 0) is None and upper_bound(0, 0) is None and interval(0, 0) is None


def test_it_holds_in_at_least_95_of_100_samples() -> None:
    draws = np.random.default_rng(3).binomial(60, 0.45, 4_000)
    bounds = {int(hits): lower_bound(int(hits), 60) for hits in set(draws.tolist())}
    assert np.mean([bounds[int(hits)] <= 0.45 for hits in draws]) >= 0.945  # type: ignore[operator]  # never None here
