"""Who works on what: claims with leases, and the ways to give one back.

A claim is one statement: it finds the first open task after the person's last one, locks it while stepping over
rows that others hold, takes a slot in the order that was shown less often, and writes the assignment. Starting at
the last task keeps the cost the same for somebody who has done a million; only when nothing is left behind that
point does it look again from the start, for slots that were given back meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.problems import Conflict, Invalid
from annotation.desk.items import ITEM_COLUMNS, ITEM_TABLES, ClaimedItem, claimed_item, item_of
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Unit
from annotation.statements import first_row

# How many expired leases one claim cleans up; the sweep does the rest.
EXPIRED_PER_CLAIM = 20
MAX_SKIP_REASON_CHARACTERS = 200


class CampaignNotOpen(Conflict):
    code = "campaign_not_open"


class LeaseEnded(Conflict):
    code = "lease_ended"


class SkipReasonTooLong(Invalid):
    code = "invalid_skip_reason"


def claim(*, campaign: Campaign, annotator: User, now: datetime | None = None) -> ClaimedItem | None:
    """The person's live claim in this campaign, or the next open task; None when nothing is left for them."""
    now = now or timezone.now()
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpen(f"The campaign {campaign.name!r} is {campaign.state}, so it gives out no work.")
    expires_at = now + timedelta(seconds=campaign.lease_seconds)
    for _ in range(3):
        try:
            with transaction.atomic():
                return _claim_once(campaign, annotator.id, now, expires_at)
        except IntegrityError:
            # A second window of the same person claimed in between: its claim is found on the next round.
            continue
    raise LeaseEnded("Another window of yours is claiming work at the same moment; try again.")


def _claim_once(campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime) -> ClaimedItem | None:
    names = _names(campaign, annotator_id, now, expires_at)
    live = first_row(_RENEW_LIVE_CLAIM, names)
    if live is not None:
        return claimed_item(live[0], Unit(campaign.unit))
    reclaim_expired(campaign_id=campaign.id, now=now, limit=EXPIRED_PER_CLAIM)
    return _deal(names, Unit(campaign.unit))


def claim_in_transaction(
    campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime
) -> ClaimedItem | None:
    """For somebody who has just answered, in the transaction of the answer: expects that they hold nothing.

    IntegrityError when they do, or when a second window won a race. Expired leases are looked for only when
    nothing else is left, so that this costs one statement.
    """
    names = _names(campaign, annotator_id, now, expires_at)
    unit = Unit(campaign.unit)
    item = _deal(names, unit)
    if item is None and reclaim_expired(campaign_id=campaign.id, now=now, limit=EXPIRED_PER_CLAIM):
        item = _deal(names, unit)
    return item


def _names(campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime) -> dict[str, Any]:
    return {
        "campaign": campaign.id,
        "reordered_at": campaign.reordered_at,
        "annotator": annotator_id,
        "now": now,
        "expires_at": expires_at,
    }


def _deal(names: dict[str, Any], unit: Unit) -> ClaimedItem | None:
    row = first_row(_DEAL_ONWARD[unit], names) or first_row(_DEAL_FROM_START[unit], names)
    return None if row is None else item_of(row, unit)


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


def skip(*, assignment: Assignment, reason: str = "") -> None:
    """Gives the item back for others; this person does not get it again."""
    if len(reason) > MAX_SKIP_REASON_CHARACTERS or "\0" in reason:
        limit = f"must be at most {MAX_SKIP_REASON_CHARACTERS} characters, without NUL"
        raise SkipReasonTooLong("This reason cannot be kept.", {"reason": limit})
    if not _give_back(assignment, AssignmentState.SKIPPED, reason=reason):
        assignment.refresh_from_db(fields=["state"])
        if assignment.state == AssignmentState.SUBMITTED:
            raise Conflict("You have answered this item, so it cannot be skipped.")
        Assignment.objects.filter(id=assignment.id).exclude(state=AssignmentState.SUBMITTED).update(
            state=AssignmentState.SKIPPED, skip_reason=reason
        )


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

# The scalar subquery on assignments is on purpose: as a join the planner may choose to read all of the person's
# assignments first. NO KEY UPDATE, since the foreign keys of others' new assignments hold key shares on the row.
_DEAL = """
WITH last AS (
    SELECT t.priority * -1 AS rank, t.id
    FROM annotation_assignment s JOIN annotation_task t ON t.id = s.task_id
    WHERE s.campaign_id = %(campaign)s AND s.annotator_id = %(annotator)s AND s.purpose = 'work'
      AND s.claimed_at > coalesce(%(reordered_at)s::timestamptz, '-infinity')
    ORDER BY s.claimed_at DESC LIMIT 1
), picked AS (
    SELECT t.id,
           CASE WHEN t.slots_a_first = t.slots_b_first THEN hashint8(t.id) & 1 = 1
                ELSE t.slots_b_first < t.slots_a_first END AS is_b_first
    FROM annotation_task t
    WHERE t.campaign_id = %(campaign)s AND t.cap > t.slots_a_first + t.slots_b_first
      AND {position}
      AND coalesce((SELECT s.state FROM annotation_assignment s
                    WHERE s.task_id = t.id AND s.annotator_id = %(annotator)s
                      AND NOT (s.purpose = 'repeat')), 'released') IN ('released', 'expired')
    ORDER BY t.campaign_id, t.priority * -1, t.id
    LIMIT 1
    FOR NO KEY UPDATE OF t SKIP LOCKED
), dealt AS (
    UPDATE annotation_task t
    SET slots_a_first = t.slots_a_first + (NOT picked.is_b_first)::int,
        slots_b_first = t.slots_b_first + picked.is_b_first::int
    FROM picked WHERE t.id = picked.id
    RETURNING t.id, t.comparison_id, t.prompt_id, t.response_ids, picked.is_b_first,
              (t.slots_a_first + t.slots_b_first - 1) / 2 AS turns
), given AS (
INSERT INTO annotation_assignment AS held
    (task_id, campaign_id, annotator_id, state, purpose, order_shown, is_b_first, claimed_at, lease_expires_at,
     skip_reason)
SELECT dealt.id, %(campaign)s::bigint, %(annotator)s::bigint, 'claimed', 'work', {order},
       dealt.is_b_first, %(now)s::timestamptz, %(expires_at)s::timestamptz, ''
FROM dealt {order_tables}
ON CONFLICT (task_id, annotator_id) WHERE NOT (purpose = 'repeat') DO UPDATE
    SET state = 'claimed', order_shown = excluded.order_shown, is_b_first = excluded.is_b_first,
        claimed_at = excluded.claimed_at, lease_expires_at = excluded.lease_expires_at
    WHERE held.state IN ('released', 'expired')
RETURNING held.*
)
SELECT {columns} FROM given AS s JOIN dealt AS t ON t.id = s.task_id {tables}
"""
_SIDES = """CASE WHEN dealt.is_b_first THEN ARRAY[c.response_b_id, c.response_a_id]
            ELSE ARRAY[c.response_a_id, c.response_b_id] END"""
# Turned on by one place after every two people, who see it from either end.
_TURNED = """ARRAY(SELECT id FROM unnest(dealt.response_ids) WITH ORDINALITY AS listed (id, place)
             ORDER BY CASE WHEN dealt.is_b_first THEN -1 ELSE 1 END
                      * ((listed.place - 1 + dealt.turns) %% cardinality(dealt.response_ids)))"""


def _deal_statements(position: str) -> dict[Unit, str]:
    return {
        unit: _DEAL.format(
            columns=ITEM_COLUMNS[unit],
            tables=ITEM_TABLES[unit],
            position=position,
            order=_SIDES if unit == Unit.COMPARISON else _TURNED,
            order_tables="JOIN corpus_comparison c ON c.id = dealt.comparison_id" if unit == Unit.COMPARISON else "",
        )
        for unit in Unit
    }


_DEAL_ONWARD = _deal_statements(
    "(t.priority * -1, t.id) >= (coalesce((SELECT rank FROM last), -2147483648), coalesce((SELECT id FROM last), 0))"
)
_DEAL_FROM_START = _deal_statements("(t.priority * -1, t.id) < ((SELECT rank FROM last), (SELECT id FROM last))")

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
    SET slots_a_first = t.slots_a_first - slots.a_first, slots_b_first = t.slots_b_first - slots.b_first
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
        slots_b_first = t.slots_b_first - given.is_b_first::int
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
