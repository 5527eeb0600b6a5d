"""Known answers: which tasks have one, for what they are asked, and taking that back.

A task with a known answer takes no more votes: its cap is what has been given already, for most 0, so that it is never
dealt as work and progress counts without it. Votes that people gave it before stay votes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.problems import Conflict, Invalid
from annotation.desk.assign import release_all
from annotation.kinds._base import Asked
from annotation.models import Assignment, AssignmentState, Campaign, GoldAnswer, Purpose, Task, Unit
from annotation.quality.right import problems_with_expected

PHASES = (Purpose.TRAINING, Purpose.QUALIFICATION, Purpose.GOLD)
MAX_EXPLANATION_CHARACTERS = 4000
MAX_AT_ONCE = 10_000
SLOTS = F("slots_a_first") + F("slots_b_first")
FIELDS = ("expected", "explanation", "phase")


class InvalidGold(Invalid):
    code = "invalid_gold"


class ItemsAreHeld(Conflict):
    code = "items_are_held"


@dataclass(frozen=True)
class Known:
    """A checked entry."""

    task: Task
    expected: dict[str, Any]
    explanation: str
    phase: Purpose


def mark_gold(*, campaign: Campaign, items: list[dict[str, Any]], by: User | None) -> list[GoldAnswer]:
    """All of them or none. An entry names its item by the campaign's unit: {"comparison": ID, "expected": {...},
    "explanation"?: text, "phase"?: "gold" | "training" | "qualification"}. Marking again changes the answer."""
    if len(items) > MAX_AT_ONCE:
        raise InvalidGold("Too many at once.", {"items": f"at most {MAX_AT_ONCE:,} at once"})
    known = _checked(campaign, items)
    for _ in range(5):
        with transaction.atomic():
            if _close(campaign, [entry.task.id for entry in known]):
                return _write(campaign, known, by)
    raise ItemsAreHeld("People take these items faster than they can be closed; pause the campaign and try again.")


def unmark_gold(*, gold: GoldAnswer, by: User | None) -> None:
    """The task is work again. What people answered meanwhile stays what it was: no vote."""
    campaign = gold.campaign
    with transaction.atomic():
        task = Task.objects.select_for_update(no_key=True).get(id=gold.task_id)
        Task.objects.filter(id=task.id).update(cap=Greatest(SLOTS, campaign.overlap), returned_at=Now())
        _count(campaign, 1)
        details = {"task": task.id, "phase": gold.phase, "expected": gold.expected}
        gold.delete()
        record(actor=by, project=campaign.project, action="remove gold", subject=campaign, details=details)


def _checked(campaign: Campaign, items: list[dict[str, Any]]) -> list[Known]:
    named = "comparison" if campaign.unit == Unit.COMPARISON else str(campaign.unit)
    tasks = _tasks_by_item(campaign, [entry.get(named) for entry in items if isinstance(entry, dict)])
    problems: dict[str, str] = {}
    known: dict[int, Known] = {}
    for place, entry in enumerate(items):
        wrong = {f"items.{place}{path}": text for path, text in _problems(campaign, entry, named, tasks).items()}
        problems |= wrong
        if not wrong:
            task = tasks[entry[named]]
            phase = Purpose(entry.get("phase", Purpose.GOLD))
            known[task.id] = Known(task, entry["expected"], entry.get("explanation", "").strip(), phase)
    if problems or not items:
        raise InvalidGold("These known answers cannot be kept.", problems or {"items": "must name at least one"})
    return [known[task_id] for task_id in sorted(known)]


def _problems(campaign: Campaign, entry: object, named: str, tasks: dict[int, Task]) -> dict[str, str]:
    if not isinstance(entry, dict):
        return {"": "must be an object"}
    problems = {f".{str(name)[:40]}": "is not known here" for name in entry if name not in (*FIELDS, named)}
    explanation = entry.get("explanation", "")
    if not isinstance(explanation, str) or len(explanation) > MAX_EXPLANATION_CHARACTERS or "\0" in explanation:
        problems[".explanation"] = f"must be text of at most {MAX_EXPLANATION_CHARACTERS:,} characters, without NUL"
    if entry.get("phase", Purpose.GOLD) not in PHASES:
        problems[".phase"] = f"must be one of: {', '.join(PHASES)}"
    number = entry.get(named)
    if not isinstance(number, int) or isinstance(number, bool) or number not in tasks:
        problems[f".{named}"] = f"is no {named} of this campaign"
        return problems
    wrong = problems_with_expected(campaign, entry.get("expected"), _asked(tasks[number]))
    return problems | {f".expected.{path}".rstrip("."): text for path, text in wrong.items()}


def _tasks_by_item(campaign: Campaign, numbers: Iterable[object]) -> dict[int, Task]:
    wanted = [one for one in numbers if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 2**63]
    tasks = Task.objects.filter(campaign=campaign).select_related("comparison")
    if campaign.unit == Unit.COMPARISON:
        return {task.comparison_id: task for task in tasks.filter(comparison__in=wanted) if task.comparison_id}
    if campaign.unit == Unit.RESPONSE:
        of_prompts = tasks.filter(prompt__responses__in=wanted).distinct()
        return {task.response_ids[0]: task for task in of_prompts if task.response_ids}
    return {task.prompt_id: task for task in tasks.filter(prompt__in=wanted) if task.prompt_id}


def _asked(task: Task) -> Asked:
    if task.comparison is None:
        return Asked(response_ids=tuple(task.response_ids or ()))
    sides = (task.comparison.response_a_id, task.comparison.response_b_id)
    return Asked(response_ids=sides, response_a_id=sides[0], response_b_id=sides[1])


def _close(campaign: Campaign, task_ids: list[int]) -> bool:
    """Gives back what is held of them and locks them; False when somebody took one meanwhile.

    Assignments are locked before their tasks everywhere else, and the campaign's counters after them.
    """
    live = Assignment.objects.filter(task__in=task_ids, state=AssignmentState.CLAIMED, purpose=Purpose.WORK)
    release_all(live)
    list(Task.objects.select_for_update(no_key=True).filter(id__in=task_ids).order_by("id"))
    return not live.exists()


def _write(campaign: Campaign, known: list[Known], by: User | None) -> list[GoldAnswer]:
    held = set(GoldAnswer.objects.filter(campaign=campaign).values_list("task_id", flat=True))
    fresh = [entry.task.id for entry in known if entry.task.id not in held]
    Task.objects.filter(id__in=fresh).update(cap=SLOTS)
    _count(campaign, -len(fresh))
    written = [
        GoldAnswer(
            campaign=campaign, task=entry.task, phase=entry.phase, expected=entry.expected,
            explanation=entry.explanation, created_by=by, created_at=timezone.now(),
        )
        for entry in known
    ]  # fmt: skip
    GoldAnswer.objects.bulk_create(
        written, update_conflicts=True, unique_fields=["task"], update_fields=["phase", "expected", "explanation"]
    )
    phases = {phase.value: sum(entry.phase == phase for entry in known) for phase in PHASES}
    record(actor=by, project=campaign.project, action="mark gold", subject=campaign, details=phases)
    return list(GoldAnswer.objects.filter(task__in=[entry.task.id for entry in known]).order_by("id"))


def _count(campaign: Campaign, tasks: int) -> None:
    Campaign.objects.filter(id=campaign.id).update(task_count=F("task_count") + tasks)
    campaign.refresh_from_db(fields=["task_count"])
