from __future__ import annotations

import gzip
import json
import random
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign
from annotation.statistics.agreement import Metric, campaign_agreement, krippendorff_alpha, patterns_of, raw_agreement

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the real data beside the checkout (../shared/data)")


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


@needs_data
def test_pandalm_has_the_published_alpha() -> None:
    rows = json.loads((DATA / "pandalm" / "testset-v1.json").read_text())
    patterns = patterns_of([[row[f"annotator{number}"] for number in (1, 2, 3)] for row in rows])
    estimate = krippendorff_alpha(patterns, "nominal")
    assert estimate.value == pytest.approx(0.864, abs=5e-4)
    assert estimate.n_items == 999
    assert estimate.low is not None and 0.83 < estimate.low < 0.864


@needs_data
def test_ukpconvarg1_has_the_known_alpha() -> None:
    with gzip.open(DATA / "ukpconvarg1" / "pairs.jsonl.gz", "rt") as lines:
        items = [[vote["value"] for vote in json.loads(line)["mTurkAssignments"]] for line in lines]
    assert krippendorff_alpha(patterns_of(items), "nominal").value == pytest.approx(0.2668, abs=5e-5)


def test_a_campaign_tells_its_agreement(campaign: Campaign, annotator: User, curator: User) -> None:
    answers = {annotator: [3, 1, 0, "both_bad"], curator: [2, -1, 0, "both_bad"]}
    for person, choices in answers.items():
        item = claim(campaign=campaign, annotator=person)
        for choice in choices:
            assert item is not None
            assignment = Assignment.objects.select_related("campaign").get(id=item.assignment_id)
            item = submit(assignment=assignment, payload={"choice": choice}).next
    result = campaign_agreement(campaign.id)
    assert (result.n_judgments, result.n_annotators) == (8, 2)
    assert result.raw.value == pytest.approx(0.75)
    assert result.answers["both_bad"] == 2
    assert result.alpha_nominal.value == pytest.approx(
        _plain_alpha([["b", "b"], ["b", "a"], ["t", "t"], ["x", "x"]], "nominal")
    )
    assert result.alpha_interval.value == pytest.approx(_plain_alpha([[3, 2], [1, -1], [0, 0]], "interval"))
