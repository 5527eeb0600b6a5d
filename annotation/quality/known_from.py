"""Known answers that are there already: what curators judged themselves, and where the project's votes agree."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from accounts.models import Membership, Role, User
from annotation.models import Campaign, Consensus, GoldAnswer, Judgment, Purpose, Unit
from annotation.quality.gold import InvalidGold, mark_gold
from annotation.quality.right import expected_of

LEAST_VOTES = 3


def mark_own_judgments(*, campaign: Campaign, phase: Purpose, by: User, limit: int | None = None) -> int:
    """What curators, owners and `by` have answered as work here, where they do not contradict each other."""
    above = [Role.CURATOR, Role.OWNER]
    curators = Membership.objects.filter(project=campaign.project, role__in=above).values_list("user_id", flat=True)
    given = Judgment.objects.counting().filter(campaign=campaign, annotator__in={*curators, by.pk})
    answers: dict[int, list[dict[str, Any]]] = defaultdict(list)
    tasks = given.select_related("assignment__task").order_by("id")
    for judgment in tasks:
        answers[judgment.assignment.task_id].append(expected_of(campaign.kind, judgment.payload))
    known = set(GoldAnswer.objects.filter(campaign=campaign).values_list("task_id", flat=True))
    agreed = {task: said[0] for task, said in answers.items() if task not in known and all(s == said[0] for s in said)}
    items = [
        _entry(campaign, judgment, agreed[judgment.assignment.task_id], phase)
        for judgment in {j.assignment.task_id: j for j in tasks}.values()
        if agreed.get(judgment.assignment.task_id)
    ]
    return _mark(campaign, items[:limit], by, "No curator has judged an item here that is not gold yet.")


def mark_unanimous(*, campaign: Campaign, phase: Purpose, by: User, limit: int, least_votes: int = LEAST_VOTES) -> int:
    """Where at least so many people of the project gave one answer and nobody another; the most votes first, and those
    that nobody here has judged before others."""
    if campaign.unit != Unit.COMPARISON:
        words = f"This campaign asks about a {campaign.unit} at a time, of which there is no consensus."
        raise InvalidGold(words, {"from": "consensus is of comparisons only"})
    agreed = Consensus.objects.filter(
        campaign__project=campaign.project, method="majority", confidence=1, votes__gte=least_votes
    )
    agreed = agreed.filter(comparison__in=campaign.tasks.filter(gold=None, judged=0).values("comparison"))
    found: dict[int, dict[str, Any]] = {}
    for row in agreed.order_by("-votes", "comparison_id", "id").iterator():
        better = "both_bad" if row.is_both_bad else _direction(row.label)
        found.setdefault(
            row.comparison_id,
            {"comparison": row.comparison_id, "expected": {"better": better}, "phase": phase.value},
        )
        if len(found) >= limit:
            break
    words = f"No comparison of this campaign that nobody judged here has {least_votes} or more votes that all agree."
    return _mark(campaign, list(found.values()), by, words)


def _mark(campaign: Campaign, items: list[dict[str, Any]], by: User, otherwise: str) -> int:
    if not items:
        raise InvalidGold(otherwise, {"from": "gives nothing"})
    return len(mark_gold(campaign=campaign, items=items, by=by))


def _entry(campaign: Campaign, judgment: Judgment, expected: dict[str, Any], phase: Purpose) -> dict[str, Any]:
    task = judgment.assignment.task
    response = task.response_ids[0] if task.response_ids else None
    number = {Unit.COMPARISON: task.comparison_id, Unit.PROMPT: task.prompt_id, Unit.RESPONSE: response}
    return {str(campaign.unit): number[Unit(campaign.unit)], "expected": expected, "phase": phase.value}


def _direction(label: int | None) -> str:
    return "a" if (label or 0) < 0 else "b" if (label or 0) > 0 else "tie"
