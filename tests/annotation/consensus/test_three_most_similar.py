from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from statistics import median, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.access import Caller
from accounts.models import User
from annotation.access import assignment_for
from annotation.campaigns.consensus_method import change_consensus_method
from annotation.campaigns.create import extend_overlap
from annotation.consensus.three_most_similar import METHOD, refresh_similar, three_most_similar
from annotation.desk.assign import claim
from annotation.desk.judge import revise, submit
from annotation.models import Assignment, Campaign, Consensus, Judgment

ANSWERS = st.lists(st.one_of(st.integers(-3, 3), st.just("both_bad")), min_size=1, max_size=8)


def _by_brute_force(answers: list[int | str]) -> int | str | None:
    """Over all triples, with the rule written out once more."""
    numbers = [answer for answer in answers if isinstance(answer, int)]
    if len(answers) - len(numbers) > len(numbers):
        return "both_bad"
    ranked = []
    for triple in combinations(numbers, 3):
        spread = max(triple) - min(triple)
        exact = [Fraction(number) for number in triple]
        moved = abs(median(exact) - median(map(Fraction, numbers)))
        ranked.append(((spread, pvariance(exact), moved, abs(Fraction(sum(triple), 3))), sum(triple)))
    if not ranked:
        return None
    best = min(key for key, _ in ranked)
    sums = {total for key, total in ranked if key == best}
    if best[0] > 2 or len(sums) > 1:
        return None
    return int((Decimal(sums.pop()) / 3).quantize(Decimal(1), ROUND_HALF_UP))


def _said(answers: list[int | str]) -> int | str | None:
    found = three_most_similar(answers)
    return "both_bad" if found.is_both_bad else found.label


@given(ANSWERS)
def test_it_is_what_trying_all_triples_finds(answers: list[int | str]) -> None:
    assert _said(answers) == _by_brute_force(answers)


@pytest.mark.parametrize("votes", [3, 4, 5])
def test_it_is_what_trying_all_triples_finds_for_every_set_of_votes(votes: int) -> None:
    """Where only the median decides is rare, and not met by chance."""
    for answers in combinations_with_replacement(range(-3, 4), votes):
        assert _said(list(answers)) == _by_brute_force(list(answers)), answers


@given(ANSWERS, st.randoms())
def test_the_order_of_the_votes_changes_nothing(answers: list[int | str], rng: random.Random) -> None:
    shuffled = list(answers)
    rng.shuffle(shuffled)
    assert three_most_similar(shuffled) == three_most_similar(answers)


@given(ANSWERS)
def test_swapping_the_responses_swaps_the_sign(answers: list[int | str]) -> None:
    mirrored = [-answer if isinstance(answer, int) else answer for answer in answers]
    here, there = three_most_similar(answers), three_most_similar(mirrored)
    assert there.label == (None if here.label is None else -here.label)
    assert (there.is_both_bad, there.confidence) == (here.is_both_bad, here.confidence)


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        ([1, 2, 2], 2),
        ([-3, 1, 2, 2], 2),
        # of (1, 1, 2) and (2, 3, 3) the one nearer to 0
        ([1, 1, 2, 3, 3], 1),
        # thirds, away from zero and towards it
        ([0, 0, 2], 1),
        ([0, 0, -2], -1),
        ([-1, 0, 1], 0),
        # a spread of 2 is kept, of 3 is not
        ([1, 2, 3], 2),
        ([0, 2, 3], None),
        # mirrored triples decide nothing
        ([-2, -2, -2, 2, 2, 2], None),
        ([3, 3], None),
        (["both_bad", 2, 2, 2], 2),
        (["both_bad", 2, 2], None),
    ],
)
def test_by_hand(answers: list[int | str], label: int | None) -> None:
    found = three_most_similar(answers)
    assert (found.label, found.is_both_bad) == (label, False)


def test_both_bad_enters_no_mean_and_wins_by_its_number() -> None:
    assert three_most_similar(["both_bad", "both_bad", 1]).is_both_bad
    assert three_most_similar(["both_bad", "both_bad", 3, 3, 3]).label == 3


def _answer(campaign: Campaign, person: User, choices: list[int | str]) -> None:
    item = claim(campaign=campaign, annotator=person)
    for choice in choices:
        assert item is not None
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        item = submit(assignment=assignment, payload={"choice": choice}).next


def _rows(campaign: Campaign) -> list[tuple[int | None, bool, float, int, float | None, dict[str, float]]]:
    held = Consensus.objects.filter(campaign=campaign, method=METHOD).order_by("comparison_id")
    return list(held.values_list("label", "is_both_bad", "confidence", "votes", "effective_votes", "posterior"))


VOTES: list[list[int | str]] = [[3, 1, -3, "both_bad"], [2, 1, 0, "both_bad"], [3, 2, 3, 1]]


@pytest.fixture
def three_voted(campaign: Campaign, people: Callable[[int], list[User]]) -> Campaign:
    extend_overlap(campaign=campaign, overlap=3, by=None)
    for person, choices in zip(people(3), VOTES, strict=True):
        _answer(campaign, person, choices)
    return campaign


EXPECTED = [
    (3, False, 1.0, 3, 3.0, {"b": 1.0}),
    (1, False, 1.0, 3, 3.0, {"b": 1.0}),
    (None, False, pytest.approx(1 / 3), 3, None, {"a": 0.333333, "b": 0.333333, "tie": 0.333333}),
    (None, True, pytest.approx(2 / 3), 3, None, {"b": 0.333333, "both_bad": 0.666667}),
]


def test_a_whole_campaign_is_written_at_once(three_voted: Campaign) -> None:
    assert refresh_similar(campaign_id=three_voted.id) == 4
    assert _rows(three_voted) == EXPECTED
    refresh_similar(campaign_id=three_voted.id)
    assert _rows(three_voted) == EXPECTED


def test_when_in_force_each_judgment_brings_it_up_to_date(
    campaign: Campaign, people: Callable[[int], list[User]]
) -> None:
    extend_overlap(campaign=campaign, overlap=3, by=None)
    change_consensus_method(campaign=campaign, method=METHOD, by=None)
    for person, choices in zip(people(3), VOTES, strict=True):
        _answer(campaign, person, choices)
    assert _rows(campaign) == EXPECTED
    first = Judgment.objects.filter(comparison=campaign.tasks.order_by("id")[0].comparison).order_by("id")[0]
    revise(judgment=first, payload={"choice": -3})
    assert _rows(campaign)[0][0] is None


def test_when_not_in_force_a_judgment_writes_the_majority_alone(three_voted: Campaign) -> None:
    assert {row.method for row in Consensus.objects.all()} == {"majority"}


def test_putting_it_in_force_computes_it(three_voted: Campaign) -> None:
    change_consensus_method(campaign=three_voted, method=METHOD, by=None)
    assert _rows(three_voted) == EXPECTED


def test_a_submit_asks_for_the_method_in_force_without_another_query(campaign: Campaign, annotator: User) -> None:
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    assignment = assignment_for(Caller(user=annotator), item.assignment_id)
    assert "consensus_method" not in assignment.campaign.get_deferred_fields()
