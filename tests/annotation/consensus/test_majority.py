from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from annotation.campaigns import consensus_method
from annotation.campaigns.consensus_method import change_consensus_method
from annotation.campaigns.create import create_campaign, extend_overlap
from annotation.consensus.majority import majority, refresh_majority
from annotation.consensus.refresh import refresh_campaign
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


@pytest.mark.parametrize("method", ["majority", "three_most_similar"])
def test_a_refresh_that_began_before_the_newest_vote_leaves_its_row_alone(
    comparisons: list[Comparison], people: Callable[[int], list[User]], curator: User, method: str
) -> None:
    campaign = _judged(comparisons, people(3))
    change_consensus_method(campaign=campaign, method=method, by=curator)
    rows = Consensus.objects.filter(method=method)
    newer = rows.first()
    assert newer is not None
    # What a vote wrote that the refresh does not see.
    rows.filter(id=newer.id).update(votes=4, label=-2)
    rows.exclude(id=newer.id).update(votes=2, label=-2)
    refresh_campaign(campaign=campaign, method=method)
    assert list(rows.order_by("-votes").values_list("votes", "label")) == [(4, -2), (3, 1), (3, 1), (3, 1)]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_in_while_the_method_changes_is_in_its_consensus(
    comparisons: list[Comparison], people: Callable[[int], list[User]], curator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It arrives after the votes were read, and from a page that knows the method before."""
    *others, last = people(4)
    campaign = _judged(comparisons, others)
    extend_overlap(campaign=campaign, overlap=4, by=curator)
    before = Campaign.objects.get(id=campaign.id)

    def answers_meanwhile(**named: Any) -> None:
        monkeypatch.undo()
        item = claim(campaign=before, annotator=last)
        assert item is not None
        assignment = Assignment.objects.get(id=item.assignment_id)
        assignment.campaign = before
        submit(assignment=assignment, payload={"choice": 3}, with_next=False)

    monkeypatch.setattr(consensus_method, "record", answers_meanwhile)
    change_consensus_method(campaign=campaign, method="three_most_similar", by=curator)
    votes = Consensus.objects.filter(method="three_most_similar").values_list("votes", flat=True)
    assert sorted(votes) == [3, 3, 3, 4]
