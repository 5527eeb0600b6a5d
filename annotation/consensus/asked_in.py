"""Where a campaign asks for a comparison: in a task of its own, or in the ranking of its prompt's responses."""

from __future__ import annotations

from django.db.models import QuerySet

from annotation.kinds.ranking import Sides, implied_choices
from annotation.models import Campaign, Judgment, Task, Unit
from corpus.models import Comparison

# Of consensus rows `k`.
_ITS_OWN = "LEFT JOIN annotation_task t ON t.campaign_id = k.campaign_id AND t.comparison_id = k.comparison_id"
_RANKED = """
LEFT JOIN corpus_comparison c ON c.id = k.comparison_id
LEFT JOIN annotation_task t ON t.campaign_id = k.campaign_id AND t.prompt_id = c.prompt_id
          AND t.response_ids @> ARRAY[c.response_a_id, c.response_b_id]
"""


def joined_task(campaign: Campaign) -> str:
    return _RANKED if campaign.unit == Unit.PROMPT else _ITS_OWN


def tasks_asking(campaign: Campaign, comparison_id: int) -> QuerySet[Task]:
    """One, or none where the campaign does not ask for it."""
    tasks = Task.objects.filter(campaign=campaign)
    if campaign.unit != Unit.PROMPT:
        return tasks.filter(comparison_id=comparison_id)
    comparison = Comparison.objects.filter(id=comparison_id, project=campaign.project_id).first()
    if comparison is None:
        return tasks.none()
    sides = [comparison.response_a_id, comparison.response_b_id]
    return tasks.filter(prompt_id=comparison.prompt_id, response_ids__contains=sides)


def answers_on(campaign: Campaign, comparison_id: int) -> QuerySet[Judgment]:
    """Standing ones that count, ratings without a preference included."""
    asking = tasks_asking(campaign, comparison_id)
    return Judgment.objects.counting().filter(campaign=campaign, assignment__task__in=asking)


def choice_on(judgment: Judgment, sides: Sides) -> int | None:
    """-3..3, negative = response_a better; of a ranking by direction alone."""
    if "ranking" in judgment.payload:
        return implied_choices(judgment.payload, [sides]).get(sides.id)
    return judgment.choice
