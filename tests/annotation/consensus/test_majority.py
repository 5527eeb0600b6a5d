from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from accounts.models import User
from annotation.campaigns.create import create_campaign
from annotation.consensus.majority import majority, refresh_majority
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, Consensus, Judgment
from corpus.models import Comparison


@pytest.mark.parametrize(
    ("answers", "label", "is_both_bad", "confidence"),
    [
        ([2], 2, False, 1.0),
        ([-3, -1, 1], -2, False, 2 / 3),
        ([-1, -2], -2, False, 1.0),
        ([1, 2], 2, False, 1.0),
        ([1, -1], None, False, 0.5),
        ([0, 0, 3], 0, False, 2 / 3),
        (["both_bad", "both_bad", 1], None, True, 2 / 3),
        (["both_bad", 0], None, False, 0.5),
        ([1, 1, -3, -3, 0], None, False, 0.4),
    ],
)
def test_the_most_frequent_direction_wins(
    answers: list[int | str], label: int | None, is_both_bad: bool, confidence: float
) -> None:
    result = majority(answers)
    assert (result.label, result.is_both_bad) == (label, is_both_bad)
    assert result.confidence == pytest.approx(confidence)
    assert result.votes == len(answers)


def _judged(comparisons: list[Comparison], people: list[User]) -> Campaign:
    campaign = create_campaign(project=comparisons[0].project, name="All of them", overlap=len(people))
    for person in people:
        item = claim(campaign=campaign, annotator=person)
        while item is not None:
            assignment = Assignment.objects.select_related("campaign").get(id=item.assignment_id)
            item = submit(assignment=assignment, payload={"choice": 1}).next
    return campaign


def test_the_set_wise_refresh_rounds_as_the_rule_does(
    comparisons: list[Comparison], people: Callable[[int], list[User]]
) -> None:
    """Means of all kinds on either side; the votes are changed in the table, since only the sum is looked at."""
    campaign = _judged(comparisons, people(5))
    given, rng = list(Judgment.objects.order_by("id")), random.Random(3)
    for _ in range(60):
        side = rng.choice([-1, 1])
        for judgment in given:
            said = rng.choice([side, side, 2 * side, 3 * side, 3 * side, 0, -side, None])
            judgment.choice, judgment.is_both_bad = said, said is None
        Judgment.objects.bulk_update(given, ["choice", "is_both_bad"])
        refresh_majority(campaign_id=campaign.id)
        for row in Consensus.objects.all():
            said_of_it = [j.choice for j in given if j.comparison_id == row.comparison_id]
            votes: list[int | str] = ["both_bad" if choice is None else choice for choice in said_of_it]
            expected = majority(votes)
            assert (row.label, row.is_both_bad, row.votes) == (expected.label, expected.is_both_bad, 5), votes


def test_the_set_wise_refresh_follows_the_rule(
    comparisons: list[Comparison], people: Callable[[int], list[User]]
) -> None:
    campaign = create_campaign(project=comparisons[0].project, name="Five each", overlap=5)
    rng = random.Random(7)
    for person in people(5):
        item = claim(campaign=campaign, annotator=person)
        while item is not None:
            assignment = Assignment.objects.select_related("campaign").get(id=item.assignment_id)
            item = submit(assignment=assignment, payload={"choice": rng.choice([-3, -1, 0, 2, "both_bad"])}).next
    hot = {row.comparison_id: (row.label, row.is_both_bad, row.confidence) for row in Consensus.objects.all()}
    Consensus.objects.all().delete()
    assert refresh_majority(campaign_id=campaign.id) == 4
    for row in Consensus.objects.all():
        votes = [judgment.payload["choice"] for judgment in Judgment.objects.filter(comparison=row.comparison_id)]
        expected = majority(votes)
        assert (row.label, row.is_both_bad, row.votes) == (expected.label, expected.is_both_bad, expected.votes)
        assert row.confidence == pytest.approx(expected.confidence)
        assert hot[row.comparison_id] == (row.label, row.is_both_bad, row.confidence)
        assert sum(row.posterior.values()) == pytest.approx(1.0, abs=1e-5)
