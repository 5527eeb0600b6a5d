from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AuditEvent, User
from annotation.campaigns.create import create_campaign
from annotation.campaigns.dispute import dispute_of
from annotation.campaigns.waiting import waiting
from annotation.consensus.adjudicate import (
    InvalidAdjudication,
    NotAdjudicated,
    NotInCampaign,
    NoVotesYet,
    adjudicate,
    take_back,
)
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Adjudication, Assignment, Campaign, Consensus
from curation.decide import decide
from curation.queries import rows_of


@pytest.fixture
def split(campaign: Campaign, people: Callable[[int], list[User]]) -> int:
    """A comparison on which two people differ, so that the majority is undecided."""
    numbers = set()
    for person, choice in zip(people(2), (2, -2), strict=True):
        item = claim(campaign=campaign, annotator=person)
        assert item is not None and item.comparison_id is not None
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        submit(assignment=assignment, payload={"choice": choice}, with_next=False)
        numbers.add(item.comparison_id)
    (only,) = numbers
    return only


def test_a_decision_is_the_consensus_in_force_at_once(campaign: Campaign, split: int, curator: User) -> None:
    assert rows_of(campaign.project, [split])[0].label is None
    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=-1, reason="The second is wrong.")
    row = rows_of(campaign.project, [split])[0]
    assert (row.label, row.consensus and row.consensus.method) == (-1, "adjudicated")
    assert Consensus.objects.get(method="majority").label is None
    assert AuditEvent.objects.get(action="adjudicate").actor == curator


def test_it_is_in_force_beside_another_campaign_that_changed_later(
    campaign: Campaign, split: int, curator: User, annotator: User
) -> None:
    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=-1)
    other = create_campaign(project=campaign.project, name="Second look")
    item = claim(campaign=other, annotator=annotator)
    assert item is not None and item.comparison_id == split
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": 3}, with_next=False)
    assert rows_of(campaign.project, [split])[0].label == -1


def test_what_rankings_leave_open_is_decided_too(
    campaign: Campaign, people: Callable[[int], list[User]], curator: User
) -> None:
    ranked = create_campaign(project=campaign.project, name="Ranked", kind="ranking", overlap=2)
    for person, is_turned in zip(people(2), (False, True), strict=True):
        item = claim(campaign=ranked, annotator=person)
        assert item is not None
        assignment = Assignment.objects.select_related("campaign", "task").get(id=item.assignment_id)
        places = sorted(([response.id] for response in item.responses), reverse=is_turned)
        submit(assignment=assignment, payload={"ranking": places, "reason": "It is right."}, with_next=False)
    (open_one,) = waiting(ranked).comparisons
    dispute = dispute_of(ranked, open_one)
    assert [vote.words for vote in dispute.votes] == ["A better", "B better"]
    assert [(pile.words, pile.count) for pile in dispute.piles] == [("A better", 1), ("B better", 1)]
    adjudicate(campaign=ranked, comparison_id=open_one, by=curator, label=-1)
    assert rows_of(campaign.project, [open_one])[0].label == -1
    assert waiting(ranked).comparisons == []
    assert Consensus.objects.get(campaign=ranked, method="adjudicated").votes == 2
    unranked = campaign.tasks.exclude(comparison_id=open_one).values_list("comparison_id", flat=True)[0]
    with pytest.raises(NoVotesYet):
        adjudicate(campaign=ranked, comparison_id=unranked, by=curator, label=1)
    with pytest.raises(NotInCampaign):
        adjudicate(campaign=ranked, comparison_id=10**9, by=curator, label=1)


def test_its_label_can_be_flipped_by_hand(campaign: Campaign, split: int, curator: User) -> None:
    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=2)
    decide(project=campaign.project, comparison_ids=[split], action="flip", reason="", author=curator)
    assert rows_of(campaign.project, [split])[0].label == -2


def test_both_bad_is_an_answer_without_a_label(campaign: Campaign, split: int, curator: User) -> None:
    adjudicate(campaign=campaign, comparison_id=split, by=curator, is_both_bad=True)
    row = rows_of(campaign.project, [split])[0]
    assert row.label is None
    assert row.consensus is not None and row.consensus.both_bad


def test_the_same_again_changes_nothing_and_another_replaces_it(campaign: Campaign, split: int, curator: User) -> None:
    first = adjudicate(campaign=campaign, comparison_id=split, by=curator, label=1)
    assert adjudicate(campaign=campaign, comparison_id=split, by=curator, label=1) == first
    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=0)
    assert Adjudication.objects.count() == 2
    assert Consensus.objects.get(method="adjudicated").label == 0


def test_taking_back_is_a_row_of_its_own(campaign: Campaign, split: int, curator: User) -> None:
    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=1)
    take_back(campaign=campaign, comparison_id=split, by=curator)
    assert [row.is_taken_back for row in Adjudication.objects.order_by("id")] == [False, True]
    assert rows_of(campaign.project, [split])[0].label is None
    with pytest.raises(NotAdjudicated):
        take_back(campaign=campaign, comparison_id=split, by=curator)


def test_a_vote_that_comes_later_does_not_undo_it(
    campaign: Campaign, split: int, curator: User, annotator: User
) -> None:
    from annotation.campaigns.create import extend_overlap
    from annotation.campaigns.prioritise import reprioritise

    adjudicate(campaign=campaign, comparison_id=split, by=curator, label=-3)
    extend_overlap(campaign=campaign, overlap=3, by=curator)
    reprioritise(campaign=campaign, by=curator, comparisons=[split], priority=1)
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None and item.comparison_id == split
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": 3}, with_next=False)
    assert rows_of(campaign.project, [split])[0].label == -3


@pytest.mark.parametrize(
    ("label", "is_both_bad", "reason"),
    [(None, False, ""), (1, True, ""), (4, False, ""), (True, False, ""), (1, False, "x" * 2001), (1, False, "\0")],
    ids=["neither", "both", "off the scale", "a truth", "long reason", "NUL"],
)
def test_what_is_no_answer_is_refused(
    campaign: Campaign, split: int, curator: User, label: int | None, is_both_bad: bool, reason: str
) -> None:
    with pytest.raises(InvalidAdjudication):
        adjudicate(
            campaign=campaign, comparison_id=split, by=curator, label=label, is_both_bad=is_both_bad, reason=reason
        )
    assert not Adjudication.objects.exists()


def test_without_votes_there_is_nothing_to_adjudicate(campaign: Campaign, split: int, curator: User) -> None:
    unjudged = campaign.tasks.exclude(comparison=split).values_list("comparison_id", flat=True)[0]
    assert unjudged is not None
    with pytest.raises(NoVotesYet):
        adjudicate(campaign=campaign, comparison_id=unjudged, by=curator, label=1)


def test_a_comparison_of_no_task_here_is_not_found(campaign: Campaign, curator: User) -> None:
    with pytest.raises(NotInCampaign):
        adjudicate(campaign=campaign, comparison_id=10**12, by=curator, label=1)
