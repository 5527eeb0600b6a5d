"""What somebody has been given beside the work, and what comes next of it; asked with their Participant row locked.

Items beside the work are few per person and have an index of their own, so that none of this grows with what they did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annotation.models import Campaign, Judgment, Purpose
from annotation.statements import first_row, the_row


@dataclass(frozen=True)
class Counts:
    """Answered in training and in the qualification round; gold items given; and, of gold and repeats, the assignment
    that was released or whose lease ended."""

    trained: int
    qualified: int
    golds: int
    given_back: int | None


def counts(campaign: Campaign, annotator_id: int) -> Counts:
    return Counts(*the_row(_COUNTS, {"campaign": campaign.id, "annotator": annotator_id}))


def has_worked(campaign: Campaign, annotator_id: int) -> bool:
    """Whether somebody was at work here before the campaign had quality settings."""
    return Judgment.objects.filter(campaign=campaign, annotator=annotator_id, purpose=Purpose.WORK).exists()


def next_of_round(campaign: Campaign, annotator_id: int, phase: Purpose, chance: int) -> int | None:
    """A task not answered yet: what was given back first, what was skipped or seen in an earlier attempt last.

    Training goes in the order in which its items were chosen, qualification in one of the person's own.
    """
    return _task(
        _NEXT_OF_ROUND,
        {"campaign": campaign.id, "annotator": annotator_id, "phase": phase.value, "chance": chance},
    )


def unseen_gold(campaign: Campaign, annotator_id: int, chance: int) -> int | None:
    return _task(_UNSEEN_GOLD, {"campaign": campaign.id, "annotator": annotator_id, "chance": chance})


def to_repeat(campaign: Campaign, annotator_id: int, *, items: int, until: datetime, chance: int) -> int | None:
    """The assignment of an own answer with at least so many later ones, claimed before `until`, not repeated yet.

    `chance` goes that many further back, where there is something.
    """
    names = {"campaign": campaign.id, "annotator": annotator_id, "until": until, "back": items + chance}
    return _task(_TO_REPEAT, names) or (_task(_TO_REPEAT, names | {"back": items}) if chance else None)


def is_open_to(task_id: int, annotator_id: int) -> bool:
    """Whether the task has a place, and this person has not answered or skipped it."""
    return first_row(_IS_OPEN_TO, {"task": task_id, "annotator": annotator_id}) is not None


def _task(statement: str, names: dict[str, object]) -> int | None:
    row = first_row(statement, names)
    return None if row is None else int(row[0])


_COUNTS = """
SELECT count(*) FILTER (WHERE purpose = 'training' AND state = 'submitted'),
       count(*) FILTER (WHERE purpose = 'qualification' AND state = 'submitted'
                        AND EXISTS (SELECT 1 FROM annotation_goldanswer g WHERE g.task_id = s.task_id)),
       count(*) FILTER (WHERE purpose = 'gold'),
       min(s.id) FILTER (WHERE state IN ('released', 'expired') AND (purpose = 'repeat' OR purpose = 'gold'
                         AND EXISTS (SELECT 1 FROM annotation_goldanswer g WHERE g.task_id = s.task_id)))
FROM annotation_assignment s
WHERE campaign_id = %(campaign)s AND annotator_id = %(annotator)s AND NOT (purpose = 'work')
"""
_NEXT_OF_ROUND = """
SELECT g.task_id
FROM annotation_goldanswer g
LEFT JOIN annotation_assignment s
    ON s.task_id = g.task_id AND s.annotator_id = %(annotator)s AND NOT (s.purpose = 'repeat')
WHERE g.campaign_id = %(campaign)s AND g.phase = %(phase)s
  AND (s.id IS NULL OR s.state IN ('released', 'expired') OR (s.state = 'skipped' AND s.purpose = %(phase)s))
ORDER BY coalesce(s.state = 'skipped', false),
         EXISTS (SELECT 1 FROM annotation_judgment j WHERE j.assignment_id = s.id), s.id IS NULL,
         CASE WHEN %(phase)s = 'qualification' THEN hashint8extended(g.task_id, %(chance)s) END, g.id
LIMIT 1
"""
_UNSEEN_GOLD = """
SELECT g.task_id FROM annotation_goldanswer g
WHERE g.campaign_id = %(campaign)s AND g.phase = 'gold'
  AND coalesce((SELECT s.state FROM annotation_assignment s
                WHERE s.task_id = g.task_id AND s.annotator_id = %(annotator)s AND NOT (s.purpose = 'repeat')),
               'released') IN ('released', 'expired')
ORDER BY hashint8extended(g.task_id, %(chance)s), g.id
LIMIT 1
"""
_TO_REPEAT = """
SELECT s.id FROM annotation_assignment s
WHERE s.campaign_id = %(campaign)s AND s.annotator_id = %(annotator)s AND s.claimed_at <= %(until)s
  AND s.purpose = 'work' AND s.state = 'submitted'
  AND NOT EXISTS (SELECT 1 FROM annotation_assignment r
                  WHERE r.task_id = s.task_id AND r.annotator_id = s.annotator_id AND r.purpose = 'repeat')
ORDER BY s.claimed_at DESC OFFSET %(back)s LIMIT 1
"""
_IS_OPEN_TO = """
SELECT 1 FROM annotation_task t
WHERE t.id = %(task)s AND t.cap > t.slots_a_first + t.slots_b_first
  AND coalesce((SELECT s.state FROM annotation_assignment s
                WHERE s.task_id = t.id AND s.annotator_id = %(annotator)s AND NOT (s.purpose = 'repeat')),
               'released') IN ('released', 'expired')
"""
