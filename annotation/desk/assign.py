"""Who works on what: claims with leases, and the ways to give one back.

What is handed out is the business of `deal.py`, and of the quality rules where a campaign has any.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.problems import Conflict, Invalid
from annotation.campaigns.prioritise import has_another_order
from annotation.desk.deal import deal_work, names_for
from annotation.desk.items import ClaimedItem, claimed_item
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Task, Unit
from annotation.quality.seat import Dealt, Seat, is_governed
from annotation.statements import first_row

# How many expired leases one claim cleans up; the sweep does the rest.
EXPIRED_PER_CLAIM = 20
MAX_SKIP_REASON_CHARACTERS = 200
ENDED = (AssignmentState.RELEASED, AssignmentState.EXPIRED, AssignmentState.SKIPPED)


class CampaignNotOpen(Conflict):
    code = "campaign_not_open"


class LeaseEnded(Conflict):
    code = "lease_ended"


class SkipReasonTooLong(Invalid):
    code = "invalid_skip_reason"


def claim(*, campaign: Campaign, annotator: User, now: datetime | None = None) -> ClaimedItem | None:
    """The person's live claim in this campaign, or the next open task; None when nothing is left for them.

    Who may not work here, or has not qualified, is told so by a Problem.
    """
    now = now or timezone.now()
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpen(f"The campaign {campaign.name!r} is {campaign.state}, so it gives out no work.")
    expires_at = now + timedelta(seconds=campaign.lease_seconds)
    for _ in range(3):
        try:
            with transaction.atomic():
                dealt = _claim_once(campaign, annotator.id, now, expires_at)
        except IntegrityError:
            # A second window of the same person claimed in between: its claim is found on the next round.
            continue
        # Only now: what the quality rules have written of this person stays.
        if dealt.refusal is not None:
            raise dealt.refusal
        if dealt.item is None and has_another_order(campaign):
            continue
        return dealt.item
    raise LeaseEnded("Another window of yours is claiming work at the same moment; try again.")


def _claim_once(campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime) -> Dealt:
    seat = Seat.take(campaign, annotator_id) if is_governed(campaign) else None
    if seat is not None and seat.refusal is not None:
        return Dealt(refusal=seat.refusal)
    names = names_for(campaign, annotator_id, now, expires_at)
    live = first_row(_RENEW_LIVE_CLAIM, names)
    if live is not None:
        return Dealt(claimed_item(live[0], Unit(campaign.unit)))
    reclaim_expired(campaign_id=campaign.id, now=now, limit=EXPIRED_PER_CLAIM)
    return _deal(campaign, names, seat)


def claim_in_transaction(
    campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime, seat: Seat | None = None
) -> Dealt:
    """For somebody who has just answered, in the transaction of the answer: expects that they hold nothing.

    IntegrityError when they do, or when a second window won a race. Expired leases are looked for only when
    nothing else is left, so that this costs one statement.
    """
    names = names_for(campaign, annotator_id, now, expires_at)
    dealt = _deal(campaign, names, seat)
    is_over = dealt.item is None and dealt.refusal is None
    if is_over and reclaim_expired(campaign_id=campaign.id, now=now, limit=EXPIRED_PER_CLAIM):
        dealt = _deal(campaign, names, seat)
    return dealt


def _deal(campaign: Campaign, names: dict[str, Any], seat: Seat | None) -> Dealt:
    return Dealt(deal_work(names, Unit(campaign.unit))) if seat is None else seat.deal(names)


def reclaim_expired(*, now: datetime, campaign_id: int | None = None, limit: int = 1000) -> int:
    """Gives back the slots of leases that ran out; beat calls it for all campaigns. How many there were."""
    where = "s.campaign_id = %(campaign)s AND" if campaign_id else ""
    statement = _RECLAIM_EXPIRED.format(where=where)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"campaign": campaign_id, "now": now, "limit": limit})
        return int(cursor.rowcount)


def heartbeat(*, assignment: Assignment, now: datetime | None = None) -> datetime:
    """Renews the lease; the new end of it."""
    now = now or timezone.now()
    expires_at = now + timedelta(seconds=assignment.campaign.lease_seconds)
    held = Assignment.objects.filter(id=assignment.id, state=AssignmentState.CLAIMED)
    if not held.update(lease_expires_at=expires_at):
        raise LeaseEnded("Your hold on this item has ended. What you wrote is kept; claim again to go on.")
    return expires_at


def release(*, assignment: Assignment, held_until: datetime | None = None) -> bool:
    """Gives the item back unanswered, for anyone including the same person; False when it was not held.

    With `held_until`, only if the lease still ends then: a release sent on leaving the page may arrive after the
    next page has renewed the claim, and must not take it away.
    """
    return _give_back(assignment, AssignmentState.RELEASED, held_until=held_until)


def release_all(assignments: Iterable[Assignment]) -> None:
    """Those of several people, inside a transaction: all are locked before the first task is, since whoever skips or
    answers one of them locks it and then its task."""
    numbers = sorted(assignment.id for assignment in assignments)
    held = list(Assignment.objects.select_for_update(no_key=True).filter(id__in=numbers).order_by("id"))
    tasks = Task.objects.filter(id__in={assignment.task_id for assignment in held})
    list(tasks.select_for_update(no_key=True).order_by("id"))
    for assignment in held:
        release(assignment=assignment)


def skip(*, assignment: Assignment, reason: str = "") -> None:
    """Gives the item back for others; this person does not get it again."""
    if len(reason) > MAX_SKIP_REASON_CHARACTERS or "\0" in reason:
        limit = f"must be at most {MAX_SKIP_REASON_CHARACTERS} characters, without NUL"
        raise SkipReasonTooLong("This reason cannot be kept.", {"reason": limit})
    if _give_back(assignment, AssignmentState.SKIPPED, reason=reason):
        return
    # Those that hold no slot; another window may claim it again meanwhile.
    ended = Assignment.objects.filter(id=assignment.id, state__in=ENDED)
    if ended.update(state=AssignmentState.SKIPPED, skip_reason=reason):
        return
    if not _give_back(assignment, AssignmentState.SKIPPED, reason=reason):
        raise Conflict("You have answered this item, so it cannot be skipped.")


def _give_back(
    assignment: Assignment, state: AssignmentState, *, reason: str = "", held_until: datetime | None = None
) -> bool:
    names: dict[str, Any] = {"id": assignment.id, "state": state.value, "reason": reason, "held_until": held_until}
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, names)
        return cursor.fetchone() is not None


def take_slot_again(*, assignment_id: int) -> bool:
    """Takes back the slot of a lease that ended, if nobody else has it."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_SLOT_AGAIN, {"id": assignment_id})
        return bool(cursor.rowcount)


_RENEW_LIVE_CLAIM = """
UPDATE annotation_assignment SET lease_expires_at = %(expires_at)s
WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND state = 'claimed'
RETURNING id
"""

# Steps over locked rows, so that cleaning up inside a claim never waits for anybody.
_RECLAIM_EXPIRED = """
WITH ended AS (
    SELECT s.id, s.task_id, s.is_b_first, s.purpose
    FROM annotation_assignment s JOIN annotation_task t ON t.id = s.task_id
    WHERE {where} s.state = 'claimed' AND s.lease_expires_at < %(now)s
    ORDER BY s.lease_expires_at
    LIMIT %(limit)s
    FOR NO KEY UPDATE OF s, t SKIP LOCKED
), slots AS (
    SELECT task_id, count(*) FILTER (WHERE NOT is_b_first) AS a_first, count(*) FILTER (WHERE is_b_first) AS b_first
    FROM ended WHERE purpose = 'work' GROUP BY task_id
), freed AS (
    UPDATE annotation_task t
    SET slots_a_first = t.slots_a_first - slots.a_first, slots_b_first = t.slots_b_first - slots.b_first,
        returned_at = now()
    FROM slots WHERE t.id = slots.task_id
)
UPDATE annotation_assignment s SET state = 'expired' FROM ended WHERE s.id = ended.id
"""

_GIVE_BACK = """
WITH given AS (
    UPDATE annotation_assignment SET state = %(state)s, skip_reason = %(reason)s
    WHERE id = %(id)s AND state = 'claimed'
      -- JSON carries milliseconds
      AND (%(held_until)s::timestamptz IS NULL
           OR date_trunc('milliseconds', lease_expires_at) = date_trunc('milliseconds', %(held_until)s::timestamptz))
    RETURNING task_id, is_b_first, purpose
), freed AS (
    UPDATE annotation_task t
    SET slots_a_first = t.slots_a_first - (NOT given.is_b_first)::int,
        slots_b_first = t.slots_b_first - given.is_b_first::int, returned_at = now()
    FROM given WHERE t.id = given.task_id AND given.purpose = 'work'
)
SELECT 1 FROM given
"""

_TAKE_SLOT_AGAIN = """
UPDATE annotation_task t
SET slots_a_first = t.slots_a_first + (NOT s.is_b_first)::int, slots_b_first = t.slots_b_first + s.is_b_first::int
FROM annotation_assignment s
WHERE s.id = %(id)s AND t.id = s.task_id AND t.cap > t.slots_a_first + t.slots_b_first
"""
