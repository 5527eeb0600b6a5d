"""Taking an answer: once, within the cap, with the next item in the same reply."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.problems import Conflict, Invalid, Problem
from annotation.campaigns.prioritise import has_another_order
from annotation.consensus.rankings import refresh_ranked
from annotation.consensus.refresh import refresh
from annotation.desk.assign import claim, claim_in_transaction, take_slot_again
from annotation.desk.items import ClaimedItem
from annotation.kinds._base import Answer, Asked, Payload, kind_named
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Judgment, Purpose
from annotation.quality.feedback import Feedback, feedback_on
from annotation.quality.seat import Dealt, Seat, is_governed, is_qualifying
from annotation.quality.stop_rule import ask_one_more_if_undecided
from annotation.statements import first_row, the_row
from corpus.models import Comparison

MAX_ACTIVE_SECONDS = 24 * 3600.0


class AlreadyAnswered(Conflict):
    code = "already_answered"


class NotYoursAnyMore(Conflict):
    code = "place_taken"


class CampaignClosed(Conflict):
    code = "campaign_closed"


class Replaced(Conflict):
    code = "already_replaced"


class PartEnded(Conflict):
    code = "part_ended"


class AnswerStands(Conflict):
    code = "answer_stands"


class BadDuration(Invalid):
    code = "invalid_duration"


@dataclass(frozen=True)
class Submitted:
    judgment_id: int
    # False when this very answer had been taken before.
    is_new: bool
    next: ClaimedItem | None
    # In training, after each answer.
    feedback: Feedback | None = None
    # Why there is no next item, where it is not that nothing is left.
    refusal: Problem | None = None


def submit(
    *,
    assignment: Assignment,
    payload: Payload,
    active_seconds: float | None = None,
    with_next: bool = True,
    now: datetime | None = None,
) -> Submitted:
    """Stores the answer and claims the next item. The same answer again gives the same judgment."""
    now = now or timezone.now()
    answer = _valid(assignment.campaign, payload, assignment, assignment.task.comparison)
    seconds = _valid_seconds(active_seconds)
    deals = with_next and assignment.campaign.state == CampaignState.OPEN
    try:
        with transaction.atomic():
            taken = _take_in_turn(assignment, answer, seconds, now)
            dealt = _next(assignment, now, taken.seat) if deals else Dealt()
    except IntegrityError:
        # Another window of this person won a race; what it did is visible now. Or they start over, and the item is
        # asked for something else than before.
        with transaction.atomic():
            taken = _take_in_turn(assignment, answer, seconds, now, may_be_another_attempt=True)
        dealt = _claim_again(assignment, now) if deals else Dealt()
    if deals and dealt.item is None and dealt.refusal is None and has_another_order(assignment.campaign):
        dealt = _claim_again(assignment, now)
    feedback = feedback_on(assignment, answer.payload) if assignment.purpose == Purpose.TRAINING else None
    return Submitted(taken.judgment_id, taken.is_new, dealt.item, feedback, dealt.refusal)


@dataclass(frozen=True)
class _Taken:
    judgment_id: int
    is_new: bool
    # Of the person, where the campaign has quality rules.
    seat: Seat | None


def _take_in_turn(
    assignment: Assignment,
    answer: Answer,
    seconds: float | None,
    now: datetime,
    *,
    may_be_another_attempt: bool = False,
) -> _Taken:
    """The person's seat is locked before their assignment, as a claim does it."""
    campaign = assignment.campaign
    seat = Seat.take(campaign, assignment.annotator_id) if is_governed(campaign) else None
    if seat is not None and seat.is_removed:
        _refuse_unless_answered(assignment, PartEnded(f"A curator has ended your part in {campaign.name!r}."))
    earlier = None
    if may_be_another_attempt or assignment.purpose in {Purpose.TRAINING, Purpose.QUALIFICATION}:
        earlier = _earlier_attempt(assignment)
    judgment_id, is_new = _take(assignment, answer, seconds, now, earlier)
    if seat is not None and is_new:
        seat.answered(Purpose(assignment.purpose))
    return _Taken(judgment_id, is_new, seat)


def _claim_again(assignment: Assignment, now: datetime) -> Dealt:
    try:
        return Dealt(claim(campaign=assignment.campaign, annotator=assignment.annotator, now=now))
    except Problem as refusal:
        return Dealt(refusal=refusal)


def revise(
    *, judgment: Judgment, payload: Payload, active_seconds: float | None = None, now: datetime | None = None
) -> int:
    """A new judgment in the place of one's own old one, which stays as it was; the id of the new one."""
    now = now or timezone.now()
    campaign, seconds = judgment.campaign, _valid_seconds(active_seconds)
    if campaign.state == CampaignState.CLOSED:
        raise CampaignClosed(f"The campaign {campaign.name!r} is closed; its answers stand as they are.")
    _refuse_to_revise(judgment)
    answer = _valid(campaign, payload, judgment.assignment, judgment.comparison)
    with transaction.atomic():
        _lock_task(judgment.assignment.task_id)
        standing = Judgment.objects.select_for_update(no_key=True).get(id=judgment.id)
        if standing.superseded_by_id is not None:
            return _same_revision(standing, answer)
        if standing.payload == answer.payload:
            return standing.id
        new_id = _replace(judgment, answer, seconds, now)
        _refresh(judgment.assignment, judgment.comparison_id, now)
    return new_id


def _refuse_to_revise(judgment: Judgment) -> None:
    """What was expected has been shown, or a result has been drawn from it."""
    if judgment.purpose == Purpose.TRAINING:
        raise AnswerStands("You have seen what was expected here, so this training answer stays as it is.")
    if judgment.purpose == Purpose.QUALIFICATION and not is_qualifying(judgment.campaign, judgment.annotator_id):
        raise AnswerStands("Your qualification round is over, so its answers stay as they are.")


def _replace(judgment: Judgment, answer: Answer, seconds: float | None, now: datetime) -> int:
    assignment = judgment.assignment
    assignment.campaign = judgment.campaign
    new_id = the_row(_REPLACE, {"old": judgment.id})[0]
    the_row(_REVISE, _columns(assignment, judgment.comparison_id, answer, seconds, now) | {"id": new_id})
    return int(new_id)


def _same_revision(replaced: Judgment, answer: Answer) -> int:
    successor = Judgment.objects.get(supersedes=replaced)
    if successor.superseded_by_id is None and successor.payload == answer.payload:
        return successor.id
    raise Replaced("You have replaced this answer already; look at the newest one.")


def _valid(campaign: Campaign, payload: Payload, assignment: Assignment, comparison: Comparison | None) -> Answer:
    rubric = campaign.rubric
    asked = Asked(
        response_ids=tuple(assignment.order_shown),
        response_a_id=comparison.response_a_id if comparison else None,
        response_b_id=comparison.response_b_id if comparison else None,
        rubric=rubric.criteria if rubric else None,
        rubric_version=rubric.version if rubric else None,
    )
    return kind_named(campaign.kind).validate(payload, campaign.settings, asked)


def _valid_seconds(seconds: Any) -> float | None:
    if seconds is None:
        return None
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not is_number or seconds < 0:
        raise BadDuration("The time spent cannot be read.", {"seconds": "must be a number of seconds, 0 or more"})
    return min(float(seconds), MAX_ACTIVE_SECONDS)


def _take(
    assignment: Assignment, answer: Answer, seconds: float | None, now: datetime, earlier: Judgment | None
) -> tuple[int, bool]:
    """Writes the judgment if the claim still stands, which the same statement checks and ends."""
    if assignment.campaign.state == CampaignState.CLOSED:
        closed = f"The campaign {assignment.campaign.name!r} is closed and takes no more answers."
        _refuse_unless_answered(assignment, CampaignClosed(closed))
    names = _columns(assignment, assignment.task.comparison_id, answer, seconds, now)
    new_id = int(the_row(_REPLACE, {"old": earlier.id})[0]) if earlier else None
    claimed, late = (_SUBMIT_CLAIMED, _SUBMIT_LATE) if new_id is None else (_SUBMIT_CLAIMED_AS, _SUBMIT_LATE_AS)
    names |= {} if new_id is None else {"id": new_id}
    taken = first_row(claimed, names)
    if taken is None:
        state = Assignment.objects.select_for_update(no_key=True).values_list("state", flat=True).get(id=assignment.id)
        if state == AssignmentState.SUBMITTED:
            return _same_judgment(assignment, answer), False
        if state == AssignmentState.SKIPPED:
            raise NotYoursAnyMore("You skipped this item, so it takes no answer from you.")
        if assignment.purpose == Purpose.WORK and not take_slot_again(assignment_id=assignment.id):
            raise NotYoursAnyMore("Your hold on this item ended and others have taken its places; it needs no answer.")
        taken = the_row(late, names)
    _refresh(assignment, assignment.task.comparison_id, now)
    return int(taken[0]), True


def _earlier_attempt(assignment: Assignment) -> Judgment | None:
    """What stands of an attempt before a curator let this person start over; the new answer takes its place."""
    held = Assignment.objects.select_for_update(no_key=True).get(id=assignment.id)
    is_open = held.state != AssignmentState.SUBMITTED
    return Judgment.objects.standing().filter(assignment=held).first() if is_open else None


def _refresh(assignment: Assignment, comparison_id: int | None, now: datetime) -> None:
    """What people say together of the comparison, or of those that a ranking answers; only work changes it.

    The stop rule asks for one more in the same transaction, under the same lock of the task.
    """
    if assignment.purpose != Purpose.WORK:
        return
    if comparison_id is not None:
        refresh(campaign=assignment.campaign, comparison_id=comparison_id, now=now)
        ask_one_more_if_undecided(campaign=assignment.campaign, task_id=assignment.task_id)
    elif assignment.campaign.kind == "ranking":
        refresh_ranked(campaign=assignment.campaign, task=assignment.task, now=now)


def _refuse_unless_answered(assignment: Assignment, problem: Problem) -> None:
    if not Assignment.objects.filter(id=assignment.id, state=AssignmentState.SUBMITTED).exists():
        raise problem


def _same_judgment(assignment: Assignment, answer: Answer) -> int:
    first = Judgment.objects.filter(assignment=assignment, payload=answer.payload).order_by("id").first()
    if first is None:
        raise AlreadyAnswered("You have answered this item with another answer; revise that one instead.")
    return first.id


def _next(assignment: Assignment, now: datetime, seat: Seat | None) -> Dealt:
    expires_at = now + timedelta(seconds=assignment.campaign.lease_seconds)
    return claim_in_transaction(assignment.campaign, assignment.annotator_id, now, expires_at, seat)


def _lock_task(task_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM annotation_task WHERE id = %s FOR NO KEY UPDATE", [task_id])


def _columns(
    assignment: Assignment, comparison_id: int | None, answer: Answer, seconds: float | None, now: datetime
) -> dict[str, Any]:
    return {
        "campaign": assignment.campaign_id,
        "comparison": comparison_id,
        "assignment": assignment.id,
        "annotator": assignment.annotator_id,
        "kind": assignment.campaign.kind,
        "payload": orjson.dumps(answer.payload).decode(),
        "choice": answer.choice,
        "is_both_bad": answer.is_both_bad,
        "order": assignment.order_shown,
        "seconds": seconds,
        "guidelines": assignment.campaign.guidelines_version,
        "rubric": assignment.campaign.rubric_id,
        "purpose": assignment.purpose,
        "now": now,
    }


_INSERT = """
INSERT INTO annotation_judgment
    (campaign_id, comparison_id, assignment_id, annotator_id, kind, payload, choice, is_both_bad, order_shown,
     active_seconds, guidelines_version, rubric_id, purpose, created_at)
SELECT %(campaign)s::bigint, %(comparison)s::bigint, %(assignment)s::bigint, %(annotator)s::bigint, %(kind)s,
       %(payload)s::jsonb, %(choice)s::smallint, %(is_both_bad)s::boolean, %(order)s::bigint[],
       %(seconds)s::float8, %(guidelines)s::integer, %(rubric)s::bigint, %(purpose)s, %(now)s::timestamptz
{source}
RETURNING id
"""
# Counting the judgment locks the task: of two simultaneous votes on it, the second waits here.
_HELD = """
WITH held AS (
    UPDATE annotation_assignment SET state = 'submitted' WHERE id = %(assignment)s AND state {states}
    RETURNING task_id, purpose
), counted AS (
    UPDATE annotation_task SET judged = judged + (held.purpose = 'work')::int FROM held
    WHERE annotation_task.id = held.task_id
), drafts AS (
    DELETE FROM annotation_draft WHERE assignment_id = %(assignment)s
)
"""
_SUBMIT_CLAIMED = _HELD.format(states="= 'claimed'") + _INSERT.format(source="FROM held")
_SUBMIT_LATE = _HELD.format(states="IN ('released', 'expired')") + _INSERT.format(source="FROM held")
# The foreign key is checked at commit, so the old row may name the new one before it is there: at no moment do
# two judgments of one assignment stand.
_REPLACE = """
WITH new AS (SELECT nextval(pg_get_serial_sequence('annotation_judgment', 'id')) AS id)
UPDATE annotation_judgment SET superseded_by_id = new.id FROM new WHERE annotation_judgment.id = %(old)s
RETURNING new.id
"""
_INSERT_AS = _INSERT.replace("(campaign_id,", "(id, campaign_id,", 1).replace("SELECT ", "SELECT %(id)s::bigint, ", 1)
_REVISE = _INSERT_AS.format(source="")
_SUBMIT_CLAIMED_AS = _HELD.format(states="= 'claimed'") + _INSERT_AS.format(source="FROM held")
_SUBMIT_LATE_AS = _HELD.format(states="IN ('released', 'expired')") + _INSERT_AS.format(source="FROM held")
