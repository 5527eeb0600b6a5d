from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pytest

from annotation.statistics.alpha import Metric, krippendorff_alpha, raw_agreement
from annotation.statistics.patterns import patterns_of


def _plain_alpha(items: list[list[Any]], metric: Metric) -> float:
    """Krippendorff's definition by loops over ordered pairs."""
    units = [[v for v in item if v is not None] for item in items]
    units = [unit for unit in units if len(unit) >= 2]
    pool = sorted(v for unit in units for v in unit)
    counts = {v: pool.count(v) for v in set(pool)}

    def distance(x: Any, y: Any) -> float:
        if metric == "nominal":
            return float(x != y)
        if metric == "interval":
            return float((x - y) ** 2)
        low, high = min(x, y), max(x, y)
        between = sum(times for v, times in counts.items() if low <= v <= high)
        return float((between - (counts[x] + counts[y]) / 2) ** 2)

    observed = sum(sum(distance(x, y) for x, y in permutations(u, 2)) / (len(u) - 1) for u in units) / len(pool)
    expected = sum(distance(x, y) for x, y in permutations(pool, 2)) / (len(pool) * (len(pool) - 1))
    return 1 - observed / expected


# Krippendorff's own example: four observers, twelve units, values missing.
_TEXTBOOK: list[list[int | None]] = [
    [1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, None, 3, None],
]  # fmt: skip


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_textbook(metric: Metric, alpha: float) -> None:
    assert krippendorff_alpha(patterns_of(_TEXTBOOK), metric).value == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
def test_alpha_equals_the_plain_definition(metric: Metric) -> None:
    rng = random.Random(3)
    items = [[rng.choice([None, -3, -1, 0, 0, 2, 3]) for _ in range(4)] for _ in range(40)]
    estimate = krippendorff_alpha(patterns_of(items), metric)
    assert estimate.value == pytest.approx(_plain_alpha(items, metric))
    assert estimate.low is not None and estimate.high is not None
    assert estimate.low < (estimate.value or 0) < estimate.high


def test_the_interval_is_the_same_each_time() -> None:
    patterns = patterns_of([[1, 1], [1, 2], [2, 2]] * 5)
    assert krippendorff_alpha(patterns, "nominal") == krippendorff_alpha(patterns, "nominal")


_THREE: list[list[str | None]] = [["a", "a", "b"], ["b", "b"], ["a", None]]


def test_raw_agreement_is_the_share_of_equal_pairs() -> None:
    estimate = raw_agreement(patterns_of(_THREE))
    assert estimate.value == pytest.approx((1 / 3 + 1) / 2)
    assert (estimate.n_items, estimate.n_answers) == (2, 5)


def test_it_says_why_there_is_no_figure() -> None:
    lonely: list[list[int | None]] = [[1], [2, None]]
    nothing = krippendorff_alpha(patterns_of(lonely), "nominal")
    assert nothing.value is None and "two answers" in nothing.reason
    alike = krippendorff_alpha(patterns_of([[1, 1]] * 20), "nominal")
    assert alike.value is None and "same answer" in alike.reason
    few = krippendorff_alpha(patterns_of([[1, 2], [1, 1]]), "nominal")
    assert few.value is not None and few.low is None and "interval" in few.reason
