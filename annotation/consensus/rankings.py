"""What rankings say together of the comparisons among the ranked responses.

Each standing ranking of a task answers every comparison among its responses by direction alone, since a ranking has no
strength; the majority of these answers is the comparison's. A response that ties with another is a vote for "tie".
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from annotation.consensus.majority import direction, majority
from annotation.kinds.ranking import Sides, implied_choices
from annotation.models import Campaign, Consensus, Judgment, Task
from corpus.models import Comparison


def refresh_ranked(*, campaign: Campaign, task: Task, now: datetime) -> int:
    """Majority rows of the comparisons among a task's responses; how many. The caller holds the lock of the task."""
    payloads = list(
        Judgment.objects.counting().filter(assignment__task=task, kind="ranking").values_list("payload", flat=True)
    )
    answers: dict[int, list[int | str]] = {}
    among = comparisons_among(campaign, task)
    for payload in payloads:
        for comparison, choice in implied_choices(payload, among).items():
            answers.setdefault(comparison, []).append(choice)
    rows = [_row(campaign.id, comparison, given, now) for comparison, given in sorted(answers.items())]
    changing = ("label", "is_both_bad", "confidence", "votes", "posterior", "updated_at")
    Consensus.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("campaign", "comparison", "method"), update_fields=changing
    )
    return len(rows)


def comparisons_among(campaign: Campaign, task: Task) -> list[Sides]:
    """Those of the campaign's sources whose responses are both ranked in the task."""
    if task.prompt_id is None or task.response_ids is None:
        return []
    ranked = task.response_ids
    found = Comparison.objects.filter(prompt_id=task.prompt_id, response_a_id__in=ranked, response_b_id__in=ranked)
    if campaign.source_ids:
        found = found.filter(source_id__in=campaign.source_ids)
    return [Sides(*row) for row in found.order_by("id").values_list("id", "response_a_id", "response_b_id")]


def _row(campaign_id: int, comparison_id: int, answers: list[int | str], now: datetime) -> Consensus:
    decided = majority(answers)
    counts = Counter(direction(answer) for answer in answers)
    return Consensus(
        campaign_id=campaign_id,
        comparison_id=comparison_id,
        method="majority",
        label=decided.label,
        is_both_bad=decided.is_both_bad,
        confidence=decided.confidence,
        votes=decided.votes,
        posterior={name: round(count / len(answers), 6) for name, count in counts.items()},
        updated_at=now,
    )
