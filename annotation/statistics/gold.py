"""Which answers to gold items were right; training, where the answer is shown afterwards, is left out."""

from __future__ import annotations

from annotation.models import Campaign, Judgment, Purpose
from annotation.quality.right import OWN_PART, is_right

TESTED = (Purpose.GOLD, Purpose.QUALIFICATION)


def gold_answers(campaign: Campaign) -> dict[int, bool]:
    """By the id of the judgment; empty for a kind of which nobody can say what is right."""
    if campaign.kind not in OWN_PART:
        return {}
    asked = Judgment.objects.standing().filter(
        campaign=campaign, purpose__in=TESTED, assignment__task__gold__isnull=False
    )
    found = asked.order_by("id").values_list("id", "assignment__task__gold__expected", "payload")
    return {number: is_right(campaign.kind, expected, payload) for number, expected, payload in found}
