"""What somebody in training is told after an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from annotation.kinds._base import Payload
from annotation.models import Assignment, GoldAnswer
from annotation.quality.right import in_words, is_right


@dataclass(frozen=True)
class Feedback:
    is_right: bool
    # In words, sides in the letters as shown, and as the document that a curator wrote.
    words: str
    expected: dict[str, Any]
    explanation: str


def feedback_on(assignment: Assignment, payload: Payload) -> Feedback | None:
    """None when the item is no longer one of training."""
    gold = GoldAnswer.objects.filter(task=assignment.task_id).first()
    if gold is None:
        return None
    comparison = assignment.task.comparison
    words = in_words(
        assignment.campaign.kind,
        gold.expected,
        assignment.order_shown,
        comparison.response_a_id if comparison else None,
    )
    right = is_right(assignment.campaign.kind, gold.expected, payload)
    return Feedback(right, words, gold.expected, gold.explanation)
