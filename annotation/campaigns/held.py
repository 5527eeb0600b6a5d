"""Items that somebody holds at the moment, and the ways in which a curator ends that."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.problems import NotFound
from annotation.campaigns.flagged import task_opening
from annotation.desk.assign import release
from annotation.models import Assignment, AssignmentState, Campaign

SHOWN = 100


class NotHeld(NotFound):
    code = "not_held"


@dataclass(frozen=True)
class HeldRow:
    assignment: Assignment
    opening: str


@dataclass(frozen=True)
class Held:
    """`count` in all; the first SHOWN of them, longest held first."""

    count: int
    rows: list[HeldRow]


def held_items(campaign: Campaign) -> Held:
    claimed = Assignment.objects.filter(campaign=campaign, state=AssignmentState.CLAIMED)
    shown = claimed.select_related("annotator", "task__comparison__prompt", "task__prompt").order_by("claimed_at", "id")
    found = [HeldRow(assignment, task_opening(assignment.task)) for assignment in shown[:SHOWN]]
    return Held(len(found) if len(found) < SHOWN else claimed.count(), found)


def held_item(campaign: Campaign, assignment_id: int) -> Assignment:
    """Also when its hold has ended a moment ago: giving it back then changes nothing."""
    found = Assignment.objects.filter(campaign=campaign, id=assignment_id).select_related("campaign", "annotator")
    assignment = found.first()
    if assignment is None:
        raise NotHeld(f"Nobody holds an item {assignment_id} in {campaign.name}.")
    return assignment


def give_back(*, assignment: Assignment, by: User | None) -> bool:
    """For anyone else, and the same person; what they have written is kept. False when it was not held any more."""
    with transaction.atomic():
        was_held = release(assignment=assignment)
        if was_held:
            details = {"person": assignment.annotator_id, "assignment": assignment.pk}
            project = assignment.campaign.project
            record(actor=by, project=project, action="give back", subject=assignment.campaign, details=details)
    return was_held
