from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from annotation.models import Campaign, Judgment, Purpose
from annotation.statistics.agreement import agreement_over_time, agreement_per_subject, campaign_agreement
from annotation.statistics.alpha import krippendorff_alpha
from annotation.statistics.patterns import patterns_of
from corpus.models import Comparison, Source
from tests.annotation.statistics.conftest import Vote

MONDAY = datetime(2024, 3, 4, 12, tzinfo=UTC)


def _alpha(items: list[list[int | str]]) -> float | None:
    return krippendorff_alpha(patterns_of(items), "nominal").value


def test_a_campaign_tells_its_agreement(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote_all: Callable[..., None]
) -> None:
    vote_all({annotator: [3, 1, 0, "both_bad"], curator: [2, -1, 0, "both_bad"]}, comparisons)
    result = campaign_agreement(campaign)
    assert (result.n_judgments, result.n_annotators, result.n_simulated) == (8, 2, 0)
    assert result.raw.value == pytest.approx(0.75)
    assert result.answers["both_bad"] == 2
    assert result.alpha_nominal.value == pytest.approx(_alpha([["b", "b"], ["b", "a"], ["t", "t"], ["x", "x"]]))
    numbers = patterns_of([[3, 2], [1, -1], [0, 0]])
    assert result.alpha_interval.value == krippendorff_alpha(numbers, "interval").value


def test_of_a_revised_answer_only_the_newest_counts(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote: Vote
) -> None:
    old = vote(annotator, comparisons[0], -3)
    new = Judgment.objects.get(id=old.id)
    new.pk, new.choice = None, 2
    Judgment.objects.filter(id=old.id).update(superseded_by=old.id)
    new.save()
    vote(curator, comparisons[0], 1)
    result = campaign_agreement(campaign)
    assert (result.n_judgments, result.raw.value) == (2, 1.0)


def test_gold_and_second_looks_are_not_what_people_say_together(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote: Vote
) -> None:
    vote(annotator, comparisons[0], -3, purpose=Purpose.GOLD)
    vote(curator, comparisons[0], 1, purpose=Purpose.REPEAT)
    assert campaign_agreement(campaign).n_judgments == 0


@pytest.fixture
def long_campaign(
    campaign: Campaign, grow: Callable[[int], list[Comparison]], annotator: User, curator: User, vote: Vote
) -> Campaign:
    """Twelve items with one vote on the first Monday and the second a number of days later; they agree on even ones."""
    from annotation.campaigns.create import extend_overlap
    from annotation.models import Task

    more = grow(24)
    Task.objects.bulk_create(Task(campaign=campaign, comparison=one, cap=2) for one in more)
    extend_overlap(campaign=campaign, overlap=3, by=None)
    for number, comparison in enumerate(more):
        later = MONDAY + timedelta(days=8 if number >= 12 else 0)
        vote(annotator, comparison, 1 if number % 4 < 2 else -1, at=MONDAY)
        same = number < 12 or number % 2
        vote(curator, comparison, (1 if number % 4 < 2 else -1) * (1 if same else -1), at=later)
    return campaign


def test_an_item_counts_when_its_newest_answer_came(long_campaign: Campaign) -> None:
    found = agreement_over_time(long_campaign)
    assert found.period == "day"
    assert [(point.start.isoformat(), point.raw.n_items, point.raw.value) for point in found.points] == [
        ("2024-03-04", 12, 1.0),
        ("2024-03-12", 12, 0.5),
    ]
    last = found.points[1].alpha
    assert last.low is not None and last.high is not None and last.low < (last.value or 0) < last.high


def test_a_long_campaign_is_told_by_weeks(long_campaign: Campaign) -> None:
    for number, judgment in enumerate(Judgment.objects.order_by("id")):
        Judgment.objects.filter(id=judgment.id).update(created_at=MONDAY + timedelta(days=number))
    found = agreement_over_time(long_campaign)
    assert found.period == "week"
    assert all(point.start.weekday() == 0 for point in found.points)
    assert sum(point.raw.n_items for point in found.points) == 24


def test_a_period_with_few_items_says_so(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote_all: Callable[..., None]
) -> None:
    vote_all({annotator: [1, 1, 1, 1], curator: [1, 1, 1, -1]}, comparisons)
    (point,) = agreement_over_time(campaign).points
    assert point.alpha.value is None and "Fewer than 10" in point.alpha.reason


def test_subjects_are_those_of_the_prompts_else_the_sources(long_campaign: Campaign) -> None:
    for comparison in Comparison.objects.order_by("id")[4:16]:
        comparison.prompt.metadata = {"subject": "Cooking"}
        comparison.prompt.save()
    found = agreement_per_subject(long_campaign)
    assert [(one.subject, one.raw.n_items) for one in found] == [("Cooking", 12), (Source.objects.get().name, 12)]
    assert found[0].raw.value == 1.0


def test_an_empty_campaign_has_reasons_instead_of_figures(campaign: Campaign) -> None:
    result = campaign_agreement(campaign)
    assert result.raw.value is None and "two answers" in result.raw.reason
    assert agreement_over_time(campaign).points == [] and agreement_per_subject(campaign) == []
