"""What comes between the work and cannot be told from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.consensus.refresh import refresh_campaign
from annotation.desk.assign import claim, reclaim_expired, release, skip
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import revise
from annotation.models import Assignment, AssignmentState, Campaign, Consensus, Judgment, Participant, Purpose, Task
from annotation.quality.gold import mark_gold, unmark_gold
from annotation.quality.qualify import marked_answers
from annotation.quality.stop_rule import apply_stop_rule
from annotation.statistics.agreement import campaign_agreement
from tests.annotation.quality.conftest import answer, given, purposes, work_through

Make = Callable[..., Campaign]
People = Callable[[int], list[User]]


def _by_purpose(said: dict[Purpose, int]) -> Callable[[ClaimedItem], int | str]:
    return lambda item: said[item.purpose]


def _gaps(came: list[str], purpose: str) -> list[int]:
    """Work items before each."""
    gaps, count = [], 0
    for one in came:
        if one == purpose:
            gaps.append(count)
            count = 0
        elif one == "work":
            count += 1
    return gaps


def test_gold_comes_about_every_nth_item_and_never_twice(quality: Make, annotator: User) -> None:
    campaign = quality(60, known={"gold": 12}, gold={"every": 4})
    came = work_through(campaign, annotator, 60)
    gaps = _gaps(purposes(came), "gold")
    assert len(gaps) in range(10, 13)
    assert set(gaps) <= {2, 3, 4, 5, 6} and len(set(gaps)) > 1
    gold = [item.item_id for item in came if item.purpose == Purpose.GOLD]
    assert len(gold) == len(set(gold))


def test_two_people_get_their_gold_at_different_places(quality: Make, people: People) -> None:
    campaign = quality(50, known={"gold": 10}, gold={"every": 4})
    came = [purposes(work_through(campaign, person, 40)) for person in people(2)]
    assert came[0] != came[1]


def test_there_is_always_work_between_two_gold_items(quality: Make, annotator: User) -> None:
    campaign = quality(40, known={"gold": 15}, gold={"every": 1})
    came = purposes(work_through(campaign, annotator, 30))
    assert came == ["work", "gold"] * 15


def test_when_all_gold_is_seen_the_work_goes_on(quality: Make, annotator: User) -> None:
    campaign = quality(20, known={"gold": 2}, gold={"every": 1})
    assert purposes(work_through(campaign, annotator, 10)) == ["work", "gold"] * 2 + ["work"] * 6


def test_a_gold_item_looks_like_work(quality: Make, annotator: User) -> None:
    campaign = quality(10, known={"gold": 1}, gold={"every": 1})
    work, gold = work_through(campaign, annotator, 2)
    told = [set(vars(item)) for item in (work, gold)]
    assert told[0] == told[1]
    assert answer(gold, 1).feedback is None
    assert revise(judgment=Judgment.objects.get(assignment=gold.assignment_id), payload={"choice": 2})


def test_a_gold_answer_is_right_or_not_and_no_vote(quality: Make, people: People) -> None:
    campaign = quality(10, known={"gold": 1}, gold={"every": 1})
    right, wrong = people(2)
    work_through(campaign, right, 2, lambda item: 3)
    work_through(campaign, wrong, 2, lambda item: -3)
    assert [(m.annotator_id, m.is_right) for m in marked_answers(campaign)] == [(right.pk, True), (wrong.pk, False)]
    assert Judgment.objects.counting().count() == 2
    assert Consensus.objects.count() == Task.objects.filter(judged__gt=0).count()


def test_a_skipped_gold_item_is_unanswered_and_does_not_come_again(quality: Make, annotator: User) -> None:
    campaign = quality(20, known={"gold": 1}, gold={"every": 1})
    work_through(campaign, annotator, 1)
    gold = claim(campaign=campaign, annotator=annotator)
    assert gold is not None and gold.purpose == Purpose.GOLD
    skip(assignment=given(gold))
    assert set(purposes(work_through(campaign, annotator, 8))) == {"work"}
    assert list(marked_answers(campaign)) == []


@pytest.mark.parametrize("purpose", ["gold", "repeat"])
def test_what_is_given_back_or_expires_comes_back(quality: Make, annotator: User, purpose: str) -> None:
    parts = {"gold": {"gold": {"every": 1}}, "repeat": {"repeats": {"every": 1, "after_items": 1}}}[purpose]
    campaign = quality(10, known={"gold": 1} if purpose == "gold" else None, **parts)
    work_through(campaign, annotator, 1 if purpose == "gold" else 2)
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None and item.purpose.value == purpose
    release(assignment=given(item))
    again = claim(campaign=campaign, annotator=annotator)
    assert again is not None and (again.assignment_id, again.order) == (item.assignment_id, item.order)
    later = timezone.now() + timedelta(hours=1)
    assert reclaim_expired(campaign_id=campaign.id, now=later) == 1
    once_more = claim(campaign=campaign, annotator=annotator, now=later)
    assert once_more is not None and once_more.assignment_id == item.assignment_id
    assert not Task.objects.filter(slots_a_first__lt=0).exists()


def test_a_repeat_shows_an_own_comparison_with_its_sides_swapped(quality: Make, annotator: User) -> None:
    campaign = quality(30, repeats={"every": 3, "after_items": 2})
    came = work_through(campaign, annotator, 20)
    first_seen = {item.item_id: item for item in came if item.purpose == Purpose.WORK}
    places = {item.item_id: place for place, item in enumerate(came) if item.purpose == Purpose.WORK}
    repeats = [(place, item) for place, item in enumerate(came) if item.purpose == Purpose.REPEAT]
    assert _gaps(purposes(came), "repeat") == [3] * 5
    for place, item in repeats:
        assert item.order == first_seen[item.item_id].order[::-1]
        between = purposes(came[places[item.item_id] + 1 : place])
        assert between.count("work") >= 2
    assert len({item.item_id for _, item in repeats}) == len(repeats)


def test_a_repeat_counts_in_nothing_and_stands_beside_the_first_answer(quality: Make, annotator: User) -> None:
    campaign = quality(10, repeats={"every": 2, "after_items": 1})
    came = work_through(campaign, annotator, 3, lambda item: -1 if item.purpose == Purpose.REPEAT else 2)
    again = came[-1]
    assert again.purpose == Purpose.REPEAT
    pair = Judgment.objects.filter(comparison=again.item_id).order_by("id")
    assert [(j.purpose, j.choice) for j in pair] == [("work", 2), ("repeat", -1)]
    task = Task.objects.get(comparison=again.item_id)
    assert (task.judged, task.slots_a_first + task.slots_b_first) == (1, 1)
    assert Consensus.objects.get(comparison=again.item_id).label == 2


def test_no_figure_of_the_campaign_counts_a_repeat_or_gold(quality: Make, people: People) -> None:
    campaign = quality(6, known={"gold": 2}, gold={"every": 2}, repeats={"every": 2, "after_items": 1})
    for person, first in zip(people(3), (2, 1, -1), strict=True):
        said = {Purpose.WORK: first, Purpose.GOLD: -3, Purpose.REPEAT: -3}
        came = work_through(campaign, person, 40, _by_purpose(said))
        assert {"repeat", "gold"} <= set(purposes(came))
    votes = Judgment.objects.counting().count()
    assert votes == 12 < Judgment.objects.count()
    columns = ("comparison", "label", "votes", "posterior")
    before = list(Consensus.objects.order_by("id").values(*columns))
    for method in ("majority", "three_most_similar"):
        refresh_campaign(campaign=campaign, method=method)
        rows = Consensus.objects.filter(method=method).order_by("id").values(*columns)
        assert sum(row["votes"] for row in rows) == votes
        assert method != "majority" or list(rows) == before
    agreement = campaign_agreement(campaign)
    assert (agreement.n_judgments, agreement.answers["-3"]) == (votes, 0)
    campaign.stop_rule = {"max": 9, "until": 0.6}
    assert apply_stop_rule(campaign) == 0


def test_nothing_is_repeated_before_its_time(quality: Make, annotator: User) -> None:
    campaign = quality(20, repeats={"every": 2, "after_days": 1})
    assert set(purposes(work_through(campaign, annotator, 6))) == {"work"}
    Assignment.objects.update(claimed_at=timezone.now() - timedelta(days=2))
    assert "repeat" in purposes(work_through(campaign, annotator, 4))


def test_a_task_is_repeated_once_at_most(quality: Make, annotator: User) -> None:
    campaign = quality(3, repeats={"every": 1, "after_items": 1})
    came = work_through(campaign, annotator, 20)
    assert purposes(came) == ["work", "work", "repeat", "work", "repeat"]


def test_counters_move_with_answers_only(quality: Make, annotator: User) -> None:
    campaign = quality(10, known={"gold": 1}, gold={"every": 5})
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    answer(item)
    answer(item)
    assert Participant.objects.get().since_gold == 1


def test_gold_that_is_work_again_is_dealt_as_work(quality: Make, people: People) -> None:
    campaign = quality(3, known={"gold": 1}, gold={"every": 1}, overlap=1)
    gold = campaign.gold.get()
    assert campaign.task_count == 2
    unmark_gold(gold=gold, by=None)
    campaign.refresh_from_db()
    assert campaign.task_count == 3
    assert purposes(work_through(campaign, people(1)[0], 9)) == ["work"] * 3


def test_marking_takes_the_item_from_whoever_holds_it(quality: Make, people: People) -> None:
    campaign = quality(3, overlap=2)
    first, second = people(2)
    item = claim(campaign=campaign, annotator=first)
    assert item is not None
    mark_gold(campaign=campaign, items=[{"comparison": item.item_id, "expected": {"better": "a"}}], by=None)
    assert given(item).state == AssignmentState.RELEASED
    assert item.item_id not in [one.item_id for one in work_through(campaign, second, 9)]
