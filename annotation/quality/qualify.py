"""How somebody did on what has a known answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from annotation.models import Campaign, Purpose
from annotation.quality.right import is_right
from ledger.shares import Share


@dataclass(frozen=True)
class Marked:
    """A standing answer to a task with a known one."""

    judgment_id: int
    gold_id: int
    annotator_id: int
    purpose: Purpose
    is_right: bool


def marked_answers(
    campaign: Campaign, *, annotator_id: int | None = None, purpose: Purpose | None = None
) -> Iterator[Marked]:
    """As people answered, against what is expected now: a corrected gold item corrects the results."""
    names = {"campaign": campaign.id, "annotator": annotator_id, "purpose": purpose and purpose.value}
    with connection.cursor() as cursor:
        cursor.execute(_MARKED, names)
        for judgment, gold, annotator, given_as, expected, payload in cursor.fetchall():
            right = is_right(campaign.kind, orjson.loads(expected), orjson.loads(payload))
            yield Marked(judgment, gold, annotator, Purpose(given_as), right)


def qualification_result(campaign: Campaign, annotator_id: int, threshold: float) -> dict[str, Any] | None:
    """As it is kept; None without a single answer."""
    answers = list(marked_answers(campaign, annotator_id=annotator_id, purpose=Purpose.QUALIFICATION))
    share = Share(sum(answer.is_right for answer in answers), len(answers))
    if share.interval is None:
        return None
    low, high = (round(end, 4) for end in share.interval)
    decided_at = timezone.now().isoformat(timespec="seconds")
    return {
        "right": share.hits, "n": share.n, "threshold": threshold, "low": low, "high": high, "decided_at": decided_at
    }  # fmt: skip


def said(result: dict[str, Any]) -> str:
    """For the person it is about."""
    low, high = (f"{100 * result[end]:.0f}" for end in ("low", "high"))
    right, n, wanted = result["right"], result["n"], 100 * result["threshold"]
    return (
        f"{right} of {n} answers were as expected ({100 * right / n:.0f} %, 95 % interval {low} to {high} %); "
        f"{wanted:.0f} % are asked for."
    )


_MARKED = """
SELECT j.id, g.id, s.annotator_id, s.purpose, g.expected::text, j.payload::text
FROM annotation_goldanswer g
JOIN annotation_assignment s ON s.task_id = g.task_id
JOIN annotation_judgment j ON j.assignment_id = s.id AND j.superseded_by_id IS NULL
WHERE g.campaign_id = %(campaign)s AND s.state = 'submitted' AND NOT (s.purpose IN ('work', 'repeat'))
  AND (%(annotator)s::bigint IS NULL OR s.annotator_id = %(annotator)s)
  AND (%(purpose)s::text IS NULL OR s.purpose = %(purpose)s)
ORDER BY j.id
"""
