"""Training and qualification: what somebody new is given before the work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.desk.assign import claim, release, skip
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import AnswerStands, revise
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    Consensus,
    GoldAnswer,
    Judgment,
    Participant,
    ParticipantState,
    Purpose,
    Task,
)
from annotation.quality.gold import unmark_gold
from annotation.quality.participants import let_in, start_over
from annotation.quality.seat import NotQualified, NotReady
from tests.annotation.quality.conftest import answer, given, purposes, work_through

Make = Callable[..., Campaign]
People = Callable[[int], list[User]]
WrongIn = Callable[[Purpose, int], Callable[[ClaimedItem], "int | str"]]
ROUNDS = {"training": {"items": 2}, "qualification": {"items": 4, "threshold": 0.75}}
KNOWN = {"training": 2, "qualification": 4}


def _state(campaign: Campaign, person: User) -> str:
    return Participant.objects.get(campaign=campaign, annotator=person).state


def _claim(campaign: Campaign, person: User) -> ClaimedItem:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    return item


def test_somebody_new_is_trained_then_qualifies_then_works(quality: Make, annotator: User) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    came = work_through(campaign, annotator, 8)
    assert purposes(came) == ["training"] * 2 + ["qualification"] * 4 + ["work"] * 2
    assert len({item.item_id for item in came}) == 8
    assert _state(campaign, annotator) == ParticipantState.ACTIVE


def test_training_tells_what_was_expected_and_goes_on_after_a_mistake(quality: Make, annotator: User) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    first = _claim(campaign, annotator)
    done = answer(first, -2)
    assert done.feedback is not None and not done.feedback.is_right
    letter = "A" if first.order[0] == first.response_b_id else "B"
    assert done.feedback.words == f"{letter} is better"
    assert (done.feedback.expected, done.feedback.explanation) == ({"better": "b"}, "B is right.")
    assert answer(first, -2).feedback == done.feedback
    assert done.next is not None and done.next.purpose == Purpose.TRAINING
    following = answer(done.next, 3)
    assert following.feedback is not None and following.feedback.is_right
    assert following.next is not None and following.next.purpose == Purpose.QUALIFICATION
    assert answer(following.next, 1).feedback is None


def test_who_passes_has_the_share_right_on_record(quality: Make, annotator: User, wrong_in: WrongIn) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    work_through(campaign, annotator, 7, wrong_in(Purpose.QUALIFICATION, 1))
    person = Participant.objects.get()
    assert person.state == ParticipantState.ACTIVE
    result = person.qualification
    assert (result["right"], result["n"], result["threshold"]) == (3, 4, 0.75)
    assert 0.29 < result["low"] < 0.31 and 0.95 < result["high"] < 0.96


def test_who_stays_below_the_threshold_gets_no_work_and_reads_why(
    quality: Make, annotator: User, wrong_in: WrongIn
) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    came = work_through(campaign, annotator, 20, wrong_in(Purpose.QUALIFICATION, 2))
    assert purposes(came) == ["training"] * 2 + ["qualification"] * 4
    assert _state(campaign, annotator) == ParticipantState.FAILED
    with pytest.raises(NotQualified, match=r"2 of 4 answers were as expected \(50 %, 95 % interval 15 to 85 %\)"):
        claim(campaign=campaign, annotator=annotator)


def test_the_last_wrong_answer_is_stored_and_its_reply_says_why_nothing_follows(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    done = answer(_claim(campaign, annotator), -1)
    assert done.next is None and isinstance(done.refusal, NotQualified)
    assert Judgment.objects.get().purpose == Purpose.QUALIFICATION


def test_a_curator_lets_somebody_in_anyway(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    answer(_claim(campaign, annotator), -1)
    let_in(campaign=campaign, person=annotator, by=None)
    assert _claim(campaign, annotator).purpose == Purpose.WORK


def test_starting_over_asks_again_and_keeps_the_earlier_answers(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 2}, qualification={"items": 2, "threshold": 1})
    work_through(campaign, annotator, 2, lambda item: -1)
    assert _state(campaign, annotator) == ParticipantState.FAILED
    start_over(campaign=campaign, person=annotator, by=None)
    came = work_through(campaign, annotator, 3)
    assert purposes(came) == ["qualification"] * 2 + ["work"]
    assert _state(campaign, annotator) == ParticipantState.ACTIVE
    of_round = Judgment.objects.filter(purpose=Purpose.QUALIFICATION)
    assert (of_round.count(), of_round.standing().count()) == (4, 2)
    assert set(of_round.standing().values_list("choice", flat=True)) == {1}


def test_a_second_attempt_takes_unseen_items_first(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 4}, qualification={"items": 2, "threshold": 1})
    first = {item.item_id for item in work_through(campaign, annotator, 2, lambda item: -1)}
    start_over(campaign=campaign, person=annotator, by=None)
    again = {item.item_id for item in work_through(campaign, annotator, 2, lambda item: -1)}
    assert not first & again


def test_whoever_starts_over_answers_an_item_that_became_work_meanwhile(quality: Make, annotator: User) -> None:
    campaign = quality(1, known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    [failed] = work_through(campaign, annotator, 1, lambda item: -1)
    start_over(campaign=campaign, person=annotator, by=None)
    unmark_gold(gold=GoldAnswer.objects.get(), by=None)
    let_in(campaign=campaign, person=annotator, by=None)
    [again] = work_through(campaign, annotator, 1)
    assert (again.assignment_id, again.purpose) == (failed.assignment_id, Purpose.WORK)
    assert [judgment.choice for judgment in Judgment.objects.counting()] == [1]
    assert Judgment.objects.count() == 2


def test_known_answers_take_no_slot_and_count_in_nothing(quality: Make, people: People) -> None:
    campaign = quality(10, known=KNOWN, overlap=1, **ROUNDS)
    assert campaign.tasks.filter(cap=0).count() == campaign.task_count + 2 == 6
    for person in people(3):
        work_through(campaign, person, 6)
    assert not Task.objects.filter(cap=0).exclude(judged=0, slots_a_first=0, slots_b_first=0).exists()
    assert not Judgment.objects.counting().exists()
    assert not Consensus.objects.exists()


def test_each_known_item_is_shown_equally_in_both_orders(quality: Make, people: People) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    for person in people(4):
        work_through(campaign, person, 6)
    for gold in GoldAnswer.objects.all():
        orders = Assignment.objects.filter(task=gold.task_id).values_list("is_b_first", flat=True)
        assert sorted(orders) == [False, False, True, True]


def test_a_skipped_item_of_a_round_comes_again_after_the_others(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 3}, qualification={"items": 3, "threshold": 0})
    first = _claim(campaign, annotator)
    skip(assignment=given(first), reason="I cannot tell")
    came = work_through(campaign, annotator, 4)
    assert [item.item_id for item in came][2] == first.item_id
    assert purposes(came) == ["qualification"] * 3 + ["work"]


def test_an_item_of_a_round_that_is_given_back_comes_again(quality: Make, annotator: User) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    first = _claim(campaign, annotator)
    release(assignment=given(first))
    assert given(first).state == AssignmentState.RELEASED
    again = _claim(campaign, annotator)
    assert (again.item_id, again.purpose) == (first.item_id, Purpose.TRAINING)


def test_who_was_at_work_before_the_rounds_goes_on_working(quality: Make, annotator: User) -> None:
    campaign = quality()
    work_through(campaign, annotator, 1)
    Campaign.objects.update(quality=ROUNDS)
    campaign.refresh_from_db()
    release(assignment=given(_claim(Campaign.objects.get(), annotator)))
    assert _claim(campaign, annotator).purpose == Purpose.WORK


def test_a_round_without_items_keeps_people_waiting(quality: Make, annotator: User) -> None:
    campaign = quality(**ROUNDS)
    with pytest.raises(NotReady):
        claim(campaign=campaign, annotator=annotator)


def test_the_round_ends_even_where_the_campaign_gives_no_next_item(quality: Make, annotator: User) -> None:
    campaign = quality(known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    answer(_claim(campaign, annotator), 1, with_next=False)
    assert _state(campaign, annotator) == ParticipantState.ACTIVE


def test_a_training_answer_stands_and_one_of_a_round_can_be_changed_until_its_end(
    quality: Make, annotator: User
) -> None:
    campaign = quality(known=KNOWN, **ROUNDS)
    work_through(campaign, annotator, 3, lambda item: -1)
    trained, qualified = (Judgment.objects.filter(purpose=p).earliest("id") for p in ("training", "qualification"))
    with pytest.raises(AnswerStands):
        revise(judgment=trained, payload={"choice": 1})
    changed = revise(judgment=qualified, payload={"choice": 1})
    work_through(campaign, annotator, 3)
    assert Participant.objects.get().qualification["right"] == 4
    with pytest.raises(AnswerStands):
        revise(judgment=Judgment.objects.get(id=changed), payload={"choice": -1})


def test_a_corrected_known_answer_is_what_later_people_are_measured_by(quality: Make, people: People) -> None:
    campaign = quality(known={"qualification": 1}, qualification={"items": 1, "threshold": 1})
    GoldAnswer.objects.update(expected={"accept": [-1]}, created_at=timezone.now())
    first, second = people(2)
    work_through(campaign, first, 1, lambda item: -1)
    work_through(campaign, second, 1, lambda item: 1)
    assert [_state(campaign, person) for person in (first, second)] == ["active", "failed"]
