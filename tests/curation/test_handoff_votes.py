"""What a fit reads of a campaign's judgments, and what it writes: everything that counts, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from annotation.models import (
    AnnotatorReliability,
    Assignment,
    AssignmentState,
    Campaign,
    Consensus,
    Judgment,
    Purpose,
    Task,
)
from corpus.models import Comparison, Response, Source
from curation.handoff.consensus import write_consensus
from curation.handoff.votes import NoVotes, WhichCampaign, campaign_to_read, count_votes, read_votes

MakeComparison = Callable[..., Comparison]
Judge = Callable[..., Judgment]


@pytest.fixture
def judge(campaign: Campaign) -> Judge:
    """What somebody said, as the desk would have stored it."""

    def say(
        person: User, comparison: Comparison | None, choice: int | str | None, *, order: list[int] | None = None,
        purpose: str = Purpose.WORK, **fields: Any,
    ) -> Judgment:  # fmt: skip
        shown = order or ([comparison.response_a_id, comparison.response_b_id] if comparison else [])
        prompt = None if comparison else Response.objects.get(id=shown[0]).prompt
        responses = None if comparison else shown
        task, _ = Task.objects.get_or_create(
            campaign=campaign, comparison=comparison, prompt=prompt, defaults={"cap": 9, "response_ids": responses}
        )
        assignment = Assignment.objects.create(
            task=task, campaign=campaign, annotator=person, state=AssignmentState.SUBMITTED, order_shown=shown,
            is_b_first=False, lease_expires_at="2026-01-01T00:00Z",
        )  # fmt: skip
        values = {"kind": "pairwise", "payload": {}, **fields}
        return Judgment.objects.create(
            campaign=campaign, comparison=comparison, assignment=assignment, annotator=person, order_shown=shown,
            choice=None if isinstance(choice, str) else choice, is_both_bad=choice == "both_bad", purpose=purpose,
            **values,
        )  # fmt: skip

    return say


def _rows(campaign: Campaign) -> list[tuple[int, int, int, bool, int]]:
    found = read_votes(campaign)
    columns = (found.comparison, found.annotator, found.choice, found.is_both_bad, found.first)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_votes_come_by_comparison_and_annotator_with_the_order_shown(
    campaign: Campaign, make_comparison: MakeComparison, judge: Judge, owner: User, curator: User
) -> None:
    one, two = make_comparison(), make_comparison()
    judge(curator, two, 0, order=[two.response_b_id, two.response_a_id])
    judge(curator, one, -3)
    judge(owner, one, "both_bad")
    assert _rows(campaign) == [
        (one.id, owner.id, 0, True, 1), (one.id, curator.id, -3, False, 1), (two.id, curator.id, 0, False, -1)
    ]  # fmt: skip
    found = read_votes(campaign)
    assert found.response_a.tolist() == [one.response_a_id] * 2 + [two.response_a_id]
    assert found.response_b.tolist() == [one.response_b_id] * 2 + [two.response_b_id]
    assert count_votes(campaign) == len(found) == 3


def test_what_was_replaced_or_was_no_work_or_compares_nothing_does_not_count(
    campaign: Campaign, make_comparison: MakeComparison, judge: Judge, owner: User, curator: User
) -> None:
    comparison, other = make_comparison(), make_comparison()
    standing = judge(owner, comparison, 2)
    Judgment.objects.create(
        campaign=campaign, comparison=comparison, assignment=standing.assignment, annotator=owner, kind="pairwise",
        payload={}, choice=-2, order_shown=standing.order_shown, superseded_by=standing,
    )  # fmt: skip
    judge(curator, comparison, 1, purpose=Purpose.GOLD)
    judge(curator, other, None, kind="rating")
    assert _rows(campaign) == [(comparison.id, owner.id, 2, False, 1)]


def test_another_campaign_has_its_own_votes(
    project: Project, campaign: Campaign, make_comparison: MakeComparison, judge: Judge, owner: User
) -> None:
    judge(owner, make_comparison(), 1)
    other = Campaign.objects.create(project=project, name="Second look", kind="pairwise")
    with pytest.raises(NoVotes, match="Nobody has compared anything in Second look yet"):
        count_votes(other)
    assert len(read_votes(other)) == 0


def _ranked(comparison: Comparison, source: Source) -> tuple[Response, Comparison, Comparison]:
    """A third response to the prompt, and its comparisons with the two."""
    third = Response.objects.create(prompt=comparison.prompt, content="Third", content_hash=b"third")
    both = [
        Comparison.objects.create(
            project=comparison.project, source=source, prompt=comparison.prompt, response_a_id=side, response_b=third,
            row_number=100 + side,
        )
        for side in (comparison.response_a_id, comparison.response_b_id)
    ]  # fmt: skip
    return third, both[0], both[1]


def test_a_ranking_answers_every_comparison_among_its_responses(
    campaign: Campaign, make_comparison: MakeComparison, source: Source, judge: Judge, owner: User
) -> None:
    comparison = make_comparison()
    third, with_a, with_b = _ranked(comparison, source)
    a, b, c = comparison.response_a_id, comparison.response_b_id, third.id
    judge(owner, None, None, kind="ranking", payload={"ranking": [[c], [a, b]]}, order=[b, c, a])
    # c before both, a and b tied; b was shown before c, and c before a.
    assert _rows(campaign) == [
        (comparison.id, owner.id, 0, False, -1),
        (with_a.id, owner.id, 1, False, -1),
        (with_b.id, owner.id, 1, False, 1),
    ]


def test_a_ranking_says_nothing_of_other_sources_where_the_campaign_names_its_own(
    project: Project, campaign: Campaign, make_comparison: MakeComparison, source: Source, judge: Judge, owner: User
) -> None:
    comparison = make_comparison()
    elsewhere = Source.objects.create(project=project, name="elsewhere", format="generic")
    third, _, _ = _ranked(comparison, elsewhere)
    campaign.source_ids = [source.pk]
    campaign.save()
    ranking = [[comparison.response_b_id], [comparison.response_a_id], [third.id]]
    judge(owner, None, None, kind="ranking", payload={"ranking": ranking}, order=[r for [r] in ranking])
    assert _rows(campaign) == [(comparison.id, owner.id, 1, False, -1)]


def test_which_campaign_is_meant(project: Project, campaign: Campaign, stranger: User) -> None:
    assert campaign_to_read(project, 0) == campaign_to_read(project, campaign.pk) == campaign
    second = Campaign.objects.create(project=project, name="Second look", kind="pairwise")
    with pytest.raises(WhichCampaign, match=rf"Say which campaign: {campaign.pk} \(First look\), {second.pk}"):
        campaign_to_read(project, 0)
    other = Project.objects.create(slug="other", name="Other")
    foreign = Campaign.objects.create(project=other, name="Theirs", kind="pairwise")
    with pytest.raises(WhichCampaign, match=f"The project has no campaign {foreign.pk}; it has"):
        campaign_to_read(project, foreign.pk)
    with pytest.raises(WhichCampaign, match="no campaign yet"):
        campaign_to_read(Project.objects.create(slug="empty", name="Empty"), 0)


def test_a_fit_replaces_what_it_said_before_and_nothing_else(
    campaign: Campaign, make_comparison: MakeComparison, owner: User, curator: User
) -> None:
    one, two, three = make_comparison(), make_comparison(), make_comparison()
    Consensus.objects.create(campaign=campaign, comparison=one, method="majority", label=1, confidence=1.0, votes=1)

    def write(*comparisons: Comparison, label: int | None, person: User) -> int:
        posterior = {"a": 0.25, "tie": 1e-9, "b": 0.75, "both_bad": 0.0}
        return write_consensus(
            campaign_id=campaign.pk,
            method="mace",
            rows=[(c.pk, label, label is None, 0.75, 10**6, 2.5, posterior) for c in comparisons],
            reliabilities=[(person.pk, None if label is None else 0.5, 0.25, 0.75, 7, {"habit": {"a": 0.5}})],
        )

    assert write(one, two, label=None, person=owner) == 2
    assert write(two, three, label=2, person=curator) == 2
    said = Consensus.objects.filter(method="mace").order_by("comparison_id")
    assert [row.comparison_id for row in said] == [two.pk, three.pk]
    assert (said[0].label, said[0].is_both_bad, said[0].votes, said[0].effective_votes) == (2, False, 32767, 2.5)
    assert said[0].posterior == {"a": 0.25, "b": 0.75}
    assert Consensus.objects.get(method="majority").label == 1
    held = AnnotatorReliability.objects.get()
    assert (held.annotator, held.value, held.low, held.high, held.n) == (curator, 0.5, 0.25, 0.75, 7)
    assert held.details == {"habit": {"a": 0.5}}
