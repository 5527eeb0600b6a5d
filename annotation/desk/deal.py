"""Handing out one item: the next open task, a certain task, or one beside the work.

Dealing work is one statement: it finds the first open task after the person's last one, locks it while stepping over
rows that others hold, takes a slot in the order that was shown less often, and writes the assignment. Starting at the
last task keeps the cost the same for somebody who has done a million. Only when nothing is left behind that point does
it look from the start: at what came free since the last such look, and onward from where that look ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annotation.desk.items import ITEM_COLUMNS, ITEM_TABLES, ClaimedItem, claimed_item, item_of
from annotation.models import Campaign, Passed, Purpose, Unit
from annotation.statements import first_row

Names = dict[str, Any]


def names_for(campaign: Campaign, annotator_id: int, now: datetime, expires_at: datetime) -> Names:
    """What every statement here is told."""
    return {
        "campaign": campaign.id,
        "reordered_at": campaign.reordered_at,
        "annotator": annotator_id,
        "now": now,
        "expires_at": expires_at,
    }


def deal_work(names: Names, unit: Unit) -> ClaimedItem | None:
    """The next open task that this person has not done."""
    row = first_row(_DEAL_ONWARD[unit], names) or _deal_from_start(names, unit)
    return None if row is None else item_of(row, unit)


def _deal_from_start(names: Names, unit: Unit) -> tuple[Any, ...] | None:
    row = first_row(_DEAL_RETURNED[unit], names)
    if row is None and first_row(_LOOK_FROM_MARK, names) == (True,):
        row = first_row(_DEAL_FROM_MARK[unit], names)
    return row


def deal_task(names: Names, unit: Unit, task_id: int) -> ClaimedItem | None:
    """This very task as work; None when it is full, done by this person or held by somebody at this moment."""
    row = first_row(_DEAL_TASK[unit], names | {"task": task_id})
    return None if row is None else item_of(row, unit)


def deal_beside(names: Names, unit: Unit, task_id: int, purpose: Purpose) -> ClaimedItem | None:
    """A task that takes no slot: its orders are balanced over those who have been shown it."""
    row = first_row(_DEAL_BESIDE[unit], names | {"task": task_id, "purpose": purpose.value})
    return None if row is None else item_of(row, unit)


def deal_repeat(names: Names, unit: Unit, original_id: int) -> ClaimedItem | None:
    """What this person judged under that assignment once more, the other way round."""
    row = first_row(_DEAL_REPEAT[unit], names | {"original": original_id})
    return None if row is None else item_of(row, unit)


def deal_again(names: Names, unit: Unit, assignment_id: int) -> ClaimedItem | None:
    """An item beside the work that was given back unanswered, as it was shown before."""
    row = first_row(_DEAL_AGAIN, names | {"assignment": assignment_id})
    return None if row is None else claimed_item(row[0], unit)


def forget_where_people_looked(campaign_id: int) -> None:
    """After tasks came free that no `returned_at` tells of."""
    Passed.objects.filter(campaign=campaign_id).delete()


_OPEN = "t.campaign_id = %(campaign)s AND t.cap > t.slots_a_first + t.slots_b_first"
# A scalar subquery on purpose: as a join the planner may choose to read all of the person's assignments first.
_NOT_MINE = """coalesce((SELECT s.state FROM annotation_assignment s
                    WHERE s.task_id = t.id AND s.annotator_id = %(annotator)s
                      AND NOT (s.purpose = 'repeat')), 'released') IN ('released', 'expired')"""
_IN_ORDER = "t.campaign_id, t.priority * -1, t.id"
# What was found in vain is believed for ten minutes at most, whoever may have forgotten to say that a task came free.
_MARK = """
mark AS (
    SELECT p.rank, p.task AS id, p.at FROM annotation_passed p
    WHERE p.campaign_id = %(campaign)s AND p.annotator_id = %(annotator)s
      AND p.at > greatest(now() - interval '10 minutes', coalesce(%(reordered_at)s::timestamptz, '-infinity'))
)
"""
# A transaction that freed a task before the last look may have ended after it.
_RETURNED = """t.returned_at > (SELECT at - interval '1 minute' FROM mark)
      AND (t.priority * -1, t.id) < ((SELECT rank FROM mark), (SELECT id FROM mark))"""

# The last claim only, and the place of the mark if that is further on.
_START = f"""
WITH {_MARK}, last AS (
    SELECT t.priority * -1 AS rank, t.id
    FROM annotation_assignment s JOIN annotation_task t ON t.id = s.task_id
    WHERE s.campaign_id = %(campaign)s AND s.annotator_id = %(annotator)s AND s.purpose = 'work'
      AND s.claimed_at > coalesce(%(reordered_at)s::timestamptz, '-infinity')
    ORDER BY s.claimed_at DESC LIMIT 1
), start AS (
    SELECT rank, id FROM (SELECT rank, id FROM last UNION ALL SELECT rank, id FROM mark) AS places
    ORDER BY rank DESC, id DESC LIMIT 1
),
"""  # noqa: S608 - the texts of this file
# NO KEY UPDATE, since the foreign keys of others' new assignments hold key shares on the row.
_PICK = f"""
picked AS (
    SELECT t.id,
           CASE WHEN t.slots_a_first = t.slots_b_first THEN hashint8(t.id) & 1 = 1
                ELSE t.slots_b_first < t.slots_a_first END AS is_b_first
    FROM annotation_task t
    WHERE {_OPEN}
      AND {{position}}
      AND {_NOT_MINE}
    ORDER BY {{in_order}}
    LIMIT 1
    FOR NO KEY UPDATE OF t SKIP LOCKED
), dealt AS (
    UPDATE annotation_task t
    SET slots_a_first = t.slots_a_first + (NOT picked.is_b_first)::int,
        slots_b_first = t.slots_b_first + picked.is_b_first::int
    FROM picked WHERE t.id = picked.id
    RETURNING t.id, t.comparison_id, t.prompt_id, t.response_ids, picked.is_b_first,
              (t.slots_a_first + t.slots_b_first - 1) / 2 AS turns
)
"""  # noqa: S608 - the texts of this file
_PICK_BESIDE = """
WITH shown AS (
    SELECT count(*) AS n, count(*) FILTER (WHERE is_b_first) AS b_first FROM annotation_assignment
    WHERE task_id = %(task)s AND NOT (purpose = 'repeat') AND annotator_id <> %(annotator)s
), dealt AS (
    SELECT t.id, t.comparison_id, t.prompt_id, t.response_ids, shown.n / 2 AS turns,
           CASE WHEN 2 * shown.b_first = shown.n THEN hashint8(t.id + %(annotator)s) & 1 = 1
                ELSE 2 * shown.b_first < shown.n END AS is_b_first
    FROM annotation_task t, shown WHERE t.id = %(task)s
)
"""
_GIVE = """
, given AS (
INSERT INTO annotation_assignment AS held
    (task_id, campaign_id, annotator_id, state, purpose, order_shown, is_b_first, claimed_at, lease_expires_at,
     skip_reason)
SELECT dealt.id, %(campaign)s::bigint, %(annotator)s::bigint, 'claimed', {purpose}, {order},
       dealt.is_b_first, %(now)s::timestamptz, %(expires_at)s::timestamptz, ''
FROM dealt {order_tables}
ON CONFLICT (task_id, annotator_id) WHERE NOT (purpose = 'repeat') DO UPDATE
    SET state = 'claimed', order_shown = excluded.order_shown, is_b_first = excluded.is_b_first,
        purpose = excluded.purpose, claimed_at = excluded.claimed_at, lease_expires_at = excluded.lease_expires_at,
        skip_reason = ''
    WHERE held.state IN {free}
RETURNING held.*
)
SELECT {columns} FROM given AS s JOIN dealt AS t ON t.id = s.task_id {tables}
"""
_SIDES = """CASE WHEN dealt.is_b_first THEN ARRAY[c.response_b_id, c.response_a_id]
            ELSE ARRAY[c.response_a_id, c.response_b_id] END"""
# Turned on by one place after every two people, who see it from either end. Where it begins differs by task, since with
# few people per task what was imported first would otherwise never stand in the middle.
_TURNED = """ARRAY(SELECT id FROM unnest(dealt.response_ids) WITH ORDINALITY AS listed (id, place)
             ORDER BY CASE WHEN dealt.is_b_first THEN -1 ELSE 1 END
                      * ((listed.place - 1 + dealt.turns + (hashint8(dealt.id) & 1048575) / 2)
                         %% cardinality(dealt.response_ids)))"""
_FREE = "('released', 'expired')"
# Somebody in training or qualifying who skips an item gets it again, after the others.
_FREE_BESIDE = "('released', 'expired', 'skipped')"


def _giving(before: str, *, purpose: str = "'work'", free: str = _FREE) -> dict[Unit, str]:
    return {
        unit: before
        + _GIVE.format(
            purpose=purpose,
            free=free,
            columns=ITEM_COLUMNS[unit],
            tables=ITEM_TABLES[unit],
            order=_SIDES if unit == Unit.COMPARISON else _TURNED,
            order_tables="JOIN corpus_comparison c ON c.id = dealt.comparison_id" if unit == Unit.COMPARISON else "",
        )
        for unit in Unit
    }


def _dealing(before: str, position: str, in_order: str = _IN_ORDER) -> dict[Unit, str]:
    return _giving(before + _PICK.format(position=position, in_order=in_order))


_DEAL_ONWARD = _dealing(
    _START,
    "(t.priority * -1, t.id) >= (coalesce((SELECT rank FROM start), -2147483648), coalesce((SELECT id FROM start), 0))",
)
_DEAL_RETURNED = _dealing(f"WITH {_MARK},", _RETURNED, "t.campaign_id, t.returned_at, t.id")
_DEAL_FROM_MARK = _dealing(
    f"WITH {_MARK},", "(t.priority * -1, t.id) >= ((SELECT rank FROM mark), (SELECT id FROM mark))"
)
_DEAL_TASK = _dealing("WITH", "t.id = %(task)s")
_DEAL_BESIDE = _giving(_PICK_BESIDE, purpose="%(purpose)s", free=_FREE_BESIDE)

# Nothing is locked, so that a task which somebody else holds for a moment counts as left.
_LOOK_FROM_MARK = f"""
WITH {_MARK}, first_left AS (
    SELECT t.priority * -1 AS rank, t.id FROM annotation_task t
    WHERE {_OPEN}
      AND (t.priority * -1, t.id)
          >= (coalesce((SELECT rank FROM mark), -2147483648), coalesce((SELECT id FROM mark), 0))
      AND {_NOT_MINE}
    ORDER BY {_IN_ORDER} LIMIT 1
), last_open AS (
    SELECT t.priority * -1 AS rank, t.id FROM annotation_task t
    WHERE {_OPEN}
    ORDER BY t.campaign_id DESC, (t.priority * -1) DESC, t.id DESC LIMIT 1
), place AS (
    SELECT rank, id FROM first_left UNION ALL SELECT rank, id FROM last_open WHERE NOT EXISTS (SELECT 1 FROM first_left)
)
INSERT INTO annotation_passed AS held (campaign_id, annotator_id, rank, task, at)
SELECT %(campaign)s::bigint, %(annotator)s::bigint, place.rank, place.id,
       CASE WHEN EXISTS (SELECT 1 FROM annotation_task t WHERE {_OPEN} AND {_RETURNED} AND {_NOT_MINE})
            THEN (SELECT at FROM mark) ELSE now() END
FROM place
ON CONFLICT (campaign_id, annotator_id) DO UPDATE SET rank = excluded.rank, task = excluded.task, at = excluded.at
RETURNING EXISTS (SELECT 1 FROM first_left)
"""  # noqa: S608 - the texts of this file

_DEAL_REPEAT = {
    unit: f"""
WITH dealt AS (
    SELECT t.*, first.order_shown, first.is_b_first
    FROM annotation_assignment first JOIN annotation_task t ON t.id = first.task_id WHERE first.id = %(original)s
), given AS (
INSERT INTO annotation_assignment AS held
    (task_id, campaign_id, annotator_id, state, purpose, order_shown, is_b_first, claimed_at, lease_expires_at,
     skip_reason)
SELECT dealt.id, %(campaign)s::bigint, %(annotator)s::bigint, 'claimed', 'repeat',
       ARRAY(SELECT id FROM unnest(dealt.order_shown) WITH ORDINALITY AS listed (id, place) ORDER BY place DESC),
       NOT dealt.is_b_first, %(now)s::timestamptz, %(expires_at)s::timestamptz, ''
FROM dealt
ON CONFLICT (task_id, annotator_id) WHERE purpose = 'repeat' DO NOTHING
RETURNING held.*
)
SELECT {ITEM_COLUMNS[unit]} FROM given AS s JOIN dealt AS t ON t.id = s.task_id {ITEM_TABLES[unit]}
"""  # noqa: S608 - the texts of this file
    for unit in Unit
}
_DEAL_AGAIN = """
UPDATE annotation_assignment
SET state = 'claimed', claimed_at = %(now)s::timestamptz, lease_expires_at = %(expires_at)s::timestamptz
WHERE id = %(assignment)s AND state IN ('released', 'expired') RETURNING id
"""
