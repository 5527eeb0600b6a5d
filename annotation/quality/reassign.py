"""Giving somebody's items to somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.problems import Conflict, Invalid
from annotation.desk.assign import release_all
from annotation.models import Assignment, AssignmentState, Campaign, Participant, ParticipantState, Purpose, Task
from annotation.quality.participants import seat_of, watch

MAX_RESERVED = 1000


class CannotBeReassigned(Invalid):
    code = "cannot_be_reassigned"


class CannotTakeWork(Conflict):
    code = "cannot_take_work"


def reassign(
    *,
    campaign: Campaign,
    to: User,
    by: User | None,
    assignments: Sequence[int] = (),
    tasks: Sequence[int] = (),
) -> int:
    """Puts tasks at the head of somebody's queue, by number or by the assignment under which another person holds them;
    how many.

    What is held of them is given back first. The tasks stay open to all: whoever claims first gets them, and the deal
    leaves out what is full or what `to` has answered or skipped by then. An answer that its author sends after that
    counts if there is still a place.
    """
    with transaction.atomic():
        named = Assignment.objects.filter(campaign=campaign, id__in=assignments, purpose=Purpose.WORK)
        wanted = [*named.order_by("id").values_list("task_id", flat=True), *tasks]
        _lock_people(campaign, wanted, to)
        seat = _ready(campaign, to)
        release_all([*_live(named, to), *_in_the_way(campaign, tasks, to)])
        found = _may_be_asked(campaign, wanted, to)
        if not found:
            words = "None of these items can go to them: they have answered or skipped them, or they are not work here."
            raise CannotBeReassigned(words, {"tasks": "none can go to them"})
        seat.queue = [*found, *(task for task in seat.queue if task not in found)][:MAX_RESERVED]
        seat.updated_at = timezone.now()
        seat.save(update_fields=["queue", "updated_at"])
        watch(campaign)
        details = {"to": to.pk, "tasks": found}
        record(actor=by, project=campaign.project, action="reassign items", subject=campaign, details=details)
    return len(found)


def _ready(campaign: Campaign, to: User) -> Participant:
    seat = seat_of(campaign, to)
    if seat.state in {ParticipantState.REMOVED, ParticipantState.FAILED}:
        raise CannotTakeWork(f"{to} is {seat.state} in {campaign.name!r}; let them in first.")
    return seat


def _lock_people(campaign: Campaign, tasks: Sequence[int], to: User) -> None:
    """All in one order, and before their assignments, as their own claims and answers do."""
    holders = Assignment.objects.filter(campaign=campaign, task__in=tasks, state=AssignmentState.CLAIMED)
    of_all = Q(annotator__in=holders.values("annotator")) | Q(annotator=to)
    list(Participant.objects.filter(of_all, campaign=campaign).select_for_update(no_key=True).order_by("id"))


def _live(held: QuerySet[Assignment], to: User) -> QuerySet[Assignment]:
    return held.filter(state=AssignmentState.CLAIMED).exclude(annotator=to).order_by("id")


def _in_the_way(campaign: Campaign, tasks: Sequence[int], to: User) -> list[Assignment]:
    """Where a task has no free place: of those who hold it, who has held it longest."""
    full = Task.objects.filter(campaign=campaign, id__in=tasks, cap=F("slots_a_first") + F("slots_b_first"))
    held = Assignment.objects.filter(campaign=campaign, task__in=full, purpose=Purpose.WORK)
    return list({a.task_id: a for a in _live(held, to).order_by("-claimed_at")}.values())


def _may_be_asked(campaign: Campaign, wanted: Sequence[int], to: User) -> list[int]:
    """In the order given, each once."""
    done = Assignment.objects.filter(task__in=wanted, annotator=to).exclude(purpose=Purpose.REPEAT)
    closed = [AssignmentState.SUBMITTED, AssignmentState.SKIPPED, AssignmentState.CLAIMED]
    answered = set(done.filter(state__in=closed).values_list("task_id", flat=True))
    work = Task.objects.filter(campaign=campaign, id__in=wanted, gold=None).values_list("id", flat=True)
    known = set(work) - answered
    return [task for task in dict.fromkeys(wanted) if task in known]
