from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from accounts.models import User
from annotation.models import Campaign, GoldAnswer, Judgment, Purpose, Task
from annotation.statistics.people import agreed_with_others, people_in, people_of_campaign
from annotation.statistics.read import newest_judgment, votes_of
from corpus.models import Comparison
from tests.annotation.statistics.conftest import Vote

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)


def test_the_columns_say_what_was_answered(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote: Vote
) -> None:
    first = vote(annotator, comparisons[0], -3, seconds=4.5, at=NOON)
    vote(annotator, comparisons[1], "both_bad", is_b_first=True, at=NOON)
    vote(curator, comparisons[0], 2, is_b_first=True, purpose=Purpose.GOLD, at=NOON)
    replaced = vote(curator, comparisons[1], 0, at=NOON)
    Judgment.objects.filter(id=replaced.id).update(superseded_by=first.id)
    votes = votes_of(campaign)
    assert votes.id.tolist() == sorted(votes.id) and len(votes) == 3
    assert votes.annotator.tolist() == [annotator.id, annotator.id, curator.id]
    assert votes.comparison.tolist() == [comparisons[0].id, comparisons[1].id, comparisons[0].id]
    assert votes.choice[[0, 2]].tolist() == [-3, 2] and np.isnan(votes.choice[1])
    assert votes.is_both_bad.tolist() == [False, True, False]
    assert votes.is_b_first.tolist() == [False, True, True]
    assert votes.seconds[0] == 4.5 and np.isnan(votes.seconds[1])
    assert votes.at[0] == NOON.timestamp()
    expected = np.log2(len(comparisons[0].response_b.content) / len(comparisons[0].response_a.content))
    assert votes.log2_lengths[0] == pytest.approx(expected)
    assert len(votes.counting) == 2


def test_the_newest_judgment_is_found_whoever_gave_it(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, curator: User, vote: Vote
) -> None:
    assert newest_judgment(campaign) == 0
    newest = [vote(person, one, 1).id for one in comparisons[:2] for person in (curator, annotator)][-1]
    assert newest_judgment(campaign) == newest


@pytest.fixture
def crowd(
    campaign: Campaign, grow: Callable[[int], list[Comparison]], people: Callable[[int], list[User]], vote: Vote
) -> tuple[Campaign, list[User], list[Comparison]]:
    """Sixty items: two agree on everything, the third takes what is shown first."""
    items = grow(60)
    Task.objects.bulk_create(Task(campaign=campaign, comparison=one, cap=3) for one in items)
    rng, persons = random.Random(3), people(3)
    for number, comparison in enumerate(items):
        truth = rng.choice([-1, 1])
        for place, person in enumerate(persons):
            is_b_first = bool((number + place) % 2)
            first = 1 if is_b_first else -1
            choice = truth * 2 if place < 2 else first * 3
            vote(
                person,
                comparison,
                choice,
                is_b_first=is_b_first,
                seconds=10 + number % 7,
                at=NOON + timedelta(seconds=20 * number),
            )
    return campaign, persons, items


def test_each_figure_has_its_n_and_interval(crowd: tuple[Campaign, list[User], list[Comparison]]) -> None:
    campaign, persons, _ = crowd
    found = people_of_campaign(campaign)
    careful, careless = (found.figures(found.place_of(person.id) or 0) for person in (persons[0], persons[2]))
    assert (careful["answers"].value, careful["answers"].n) == (60, 60)
    assert careless["took_first"].value == 1.0
    assert careless["first"].side_of(0.5) == 1 and careful["first"].side_of(0.5) == 0
    assert (careless["first"].n, careful["strongest"].value, careless["strongest"].value) == (60, 0.0, 1.0)
    assert (careful["accuracy"].value or 0) > 0.9 > 0.7 > (careless["accuracy"].value or 0)
    assert careful["seconds"].value == 13 and careful["seconds"].low is not None
    assert careful["per_hour"].value == pytest.approx(180)
    assert careless["agreement"].value == pytest.approx(0.5, abs=0.2) and careless["agreement"].n == 60
    for figure in (*careful.values(), *careless.values()):
        assert figure.value is not None or figure.reason


def test_agreement_leaves_the_own_answer_out(
    campaign: Campaign,
    comparisons: list[Comparison],
    people: Callable[[int], list[User]],
    vote_all: Callable[..., None],
) -> None:
    one, two, three = people(3)
    vote_all({one: [1, 1, 1, 0], two: [1, -1, -1, 0], three: [-1, -1, 1, "both_bad"]}, comparisons)
    votes = votes_of(campaign).counting
    has_majority, is_same = agreed_with_others(votes)
    by_person = {
        person: list(
            zip(has_majority[votes.annotator == person.id], is_same[votes.annotator == person.id], strict=True)
        )
        for person in (one, two, three)
    }
    # One's others say b and a: no majority; then a and a; then a and b; then tie and both bad.
    assert by_person[one] == [(0, 0), (1, 0), (0, 0), (0, 0)]
    assert by_person[two] == [(0, 0), (0, 0), (1, 0), (0, 0)]
    assert by_person[three] == [(1, 0), (0, 0), (0, 0), (1, 0)]


def test_second_looks_tell_the_response_from_the_side(
    crowd: tuple[Campaign, list[User], list[Comparison]], vote: Vote
) -> None:
    campaign, persons, items = crowd
    for person, sticks in ((persons[0], False), (persons[2], True)):
        for comparison in items[:8]:
            before = Judgment.objects.get(annotator=person, comparison=comparison)
            choice = before.choice or 0
            was_b_first = before.order_shown[0] == comparison.response_b_id
            again = -choice if sticks else choice
            vote(person, comparison, again, is_b_first=not was_b_first, purpose=Purpose.REPEAT)
    found = people_of_campaign(campaign)
    faithful, fickle = (found.figures(found.place_of(person.id) or 0) for person in (persons[0], persons[2]))
    assert (faithful["consistency"].value, faithful["stuck_to_side"].value, faithful["consistency"].n) == (1.0, 0.0, 8)
    assert (fickle["consistency"].value, fickle["stuck_to_side"].value) == (0.0, 1.0)
    assert faithful["answers"].n == 60


@pytest.mark.parametrize(("asked", "share"), [(4, None), (6, 0.5)])
def test_gold_is_right_by_the_direction_expected(
    crowd: tuple[Campaign, list[User], list[Comparison]], vote: Vote, annotator: User, asked: int, share: float | None
) -> None:
    campaign, _, items = crowd
    for number, comparison in enumerate(items[:asked]):
        task = Task.objects.get(campaign=campaign, comparison=comparison)
        GoldAnswer.objects.create(campaign=campaign, task=task, expected={"better": "a" if number % 2 else "b"})
        vote(annotator, comparison, 2, purpose=Purpose.GOLD)
    found = people_of_campaign(campaign)
    figure = found.figures(found.place_of(annotator.id) or 0)["gold"]
    assert (figure.n, figure.value) == (asked, share)
    assert share is not None or "5 answers to gold" in figure.reason


def test_few_answers_have_reasons(
    campaign: Campaign, comparisons: list[Comparison], annotator: User, vote_all: Callable[..., None]
) -> None:
    vote_all({annotator: [1, 1, -1, 0]}, comparisons)
    found = people_of_campaign(campaign)
    figures = found.figures(0)
    assert all(figure.reason for name, figure in figures.items() if name != "answers")
    assert "several people" in found.whole.first.reason


def test_items_shown_in_one_order_only_tell_no_side_bias(crowd: tuple[Campaign, list[User], list[Comparison]]) -> None:
    votes = votes_of(crowd[0])
    frozen = votes.where(np.ones(len(votes), dtype=bool))
    object.__setattr__(frozen, "is_b_first", frozen.comparison % 2 == 0)
    found = people_in(frozen, {})
    assert "one order only" in found.figures(0)["first"].reason
    assert found.figures(0)["longer"].value is not None


def test_a_column_ranks_the_places_with_the_unknown_last(
    crowd: tuple[Campaign, list[User], list[Comparison]], vote: Vote, annotator: User
) -> None:
    campaign, persons, items = crowd
    vote(annotator, items[0], 1)
    found = people_of_campaign(campaign)
    ranked = [int(found.annotators[place]) for place in found.ranked("took_first", descending=True)]
    assert ranked[0] == persons[2].id and ranked[-1] == annotator.id


def test_a_campaign_nobody_judged_has_no_rows(campaign: Campaign) -> None:
    assert len(people_of_campaign(campaign).annotators) == 0
