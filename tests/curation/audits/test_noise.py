"""Noise rates: planted ones are found again, and where nothing can be said the reason is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from accounts.models import Project, User
from annotation.models import Campaign
from curation.audits.draw import Sampling, draw_labels
from curation.audits.noise import noise_of, rates_from_votes
from tests.curation.audits.conftest import Check

Counts = list[tuple[int | None, int, int, int, int]]


def planted(eps: float, eta: float, rows: int = 3_000, seed: int = 0) -> Counts:
    """Two to five votes on each of many rows, each wrong by `eps`, beside a label that is wrong by `eta`."""
    rng = np.random.default_rng(seed)
    truth, votes = rng.choice([-1, 1], rows), rng.integers(2, 6, rows)
    wrong = rng.binomial(votes, eps)
    b = np.where(truth > 0, votes - wrong, wrong)
    label = np.where(rng.random(rows) < eta, -truth, truth)
    counted = Counter(zip(label.tolist(), (votes - b).tolist(), b.tolist(), strict=True))
    return [(sign, for_a, for_b, n, 0) for (sign, for_a, for_b), n in sorted(counted.items())]


def reference(counts: Counts) -> tuple[float, float]:
    """The two formulas, row by row."""
    disagree = [2 * a * b / ((a + b) * (a + b - 1)) for _, a, b, n, _ in counts if a + b > 1 for _ in range(n)]
    against = [(a if sign > 0 else b) / (a + b) for sign, a, b, n, _ in counts if sign for _ in range(n)]
    eps = (1 - (1 - 2 * np.mean(disagree)) ** 0.5) / 2
    return float(eps), float((np.mean(against) - eps) / (1 - 2 * eps))


@pytest.mark.parametrize(("eps", "eta"), [(0.1, 0.2), (0.25, 0.05), (0.3, 0.4)])
def test_planted_rates_lie_in_their_intervals(eps: float, eta: float) -> None:
    counts = planted(eps, eta)
    votes, labels = rates_from_votes(counts)
    assert (votes.value, labels.value) == pytest.approx(reference(counts))
    for rate, truth in ((votes, eps), (labels, eta)):
        assert rate.low is not None and rate.high is not None and rate.low <= truth <= rate.high
        assert rate.high - rate.low < 0.1 and rate.n == 3_000


def test_intervals_hold_in_most_samples() -> None:
    found = [rates_from_votes(planted(0.2, 0.15, rows=300, seed=seed)) for seed in range(60)]
    for number, truth in ((0, 0.2), (1, 0.15)):
        held = [rates[number].low <= truth <= rates[number].high for rates in found]  # type: ignore[operator]  # never None here
        assert sum(held) >= 52


def test_swapping_the_sides_changes_nothing() -> None:
    counts = planted(0.2, 0.3, rows=500)
    swapped: Counts = [(-(sign or 0), b, a, n, made_up) for sign, a, b, n, made_up in counts]
    before, after = rates_from_votes(counts), rates_from_votes(swapped)
    assert [rate.value for rate in before] == pytest.approx([rate.value for rate in after])


def test_votes_that_all_agree_leave_room_for_a_rate_that_was_not_seen() -> None:
    votes, labels = rates_from_votes([(-1, 3, 0, 50, 0)])
    assert (votes.value, labels.value, votes.low) == (0, 0, 0)
    assert votes.high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_where_nothing_can_be_said_there_is_a_reason() -> None:
    few, _ = rates_from_votes([(-1, 2, 0, 19, 0), (-1, 1, 0, 500, 0)])
    assert few.value is None and "fewer than 20" in few.reason and few.n == 19
    nothing, none = rates_from_votes([])
    assert nothing.value is None and none.value is None
    noisy, labels = rates_from_votes([(-1, 1, 1, 100, 0)])
    assert noisy.value == 0.5 and labels.value is None and "too noisy" in labels.reason
    _, unlabelled = rates_from_votes([(None, 2, 0, 30, 0), (0, 2, 0, 30, 0)])
    assert unlabelled.value is None and "imported label" in unlabelled.reason


def test_it_counts_the_standing_answers_of_the_project(
    project: Project, corpus: Any, simulated_answer: Callable[..., None], campaign: Campaign
) -> None:
    campaign.overlap = 9
    campaign.save()
    for number in range(20):
        row = corpus.add(label=-1)
        for choice in (-1, -2, 2 if number < 5 else -3, 0):
            simulated_answer(row, choice)
    found = noise_of(project)
    assert found.votes.n == 20 and found.votes.simulated == 60
    # Five of twenty rows have one vote of three against: d = 5/20 * 2/3.
    assert found.votes.value == pytest.approx((1 - (1 - 2 * (5 / 20) * (2 / 3)) ** 0.5) / 2)
    assert found.sampled.value is None and found.sampled.reason


def test_a_sample_of_all_labels_gives_the_share_of_wrong_ones(
    project: Project, corpus: Any, curator: User, check: Check
) -> None:
    for _ in range(30):
        corpus.add(label=2)
    audit = check(draw_labels(project=project, sampling=Sampling(10, 2), by=curator), wrong=4)
    found = noise_of(project)
    assert (found.sampled.value, found.sampled.n, found.audit_id) == (0.2, 20, audit.pk)
    assert noise_of(project, as_of=audit.created_at).sampled.value is None
