"""Reads of the human side; each list has a total order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection

from accounts.models import Project
from annotation.models import Campaign


@dataclass(frozen=True)
class ShownResponse:
    id: int
    content: str


@dataclass(frozen=True)
class ClaimedItem:
    """A live claim and what is shown for it: no generator, no label, no score, no other person's vote."""

    assignment_id: int
    campaign_id: int
    comparison_id: int
    expires_at: datetime
    response_a_id: int
    response_b_id: int
    prompt_id: int
    messages: list[dict[str, Any]]
    # In the order to show.
    responses: list[ShownResponse]
    draft: dict[str, Any] | None
    # The answer that stands, when the author looks at it again.
    answer: dict[str, Any] | None

    @property
    def order(self) -> list[int]:
        return [response.id for response in self.responses]


def claimed_item(assignment_id: int) -> ClaimedItem:
    """One query, since every submit reads it; the assignment exists."""
    with connection.cursor() as cursor:
        cursor.execute(_ITEM, {"id": assignment_id})
        row: Any = cursor.fetchone()
    a_id, b_id = row[5], row[6]
    contents = {a_id: row[9], b_id: row[10]}
    return ClaimedItem(
        assignment_id=row[0],
        campaign_id=row[1],
        comparison_id=row[2],
        expires_at=row[3],
        response_a_id=a_id,
        response_b_id=b_id,
        prompt_id=row[7],
        messages=orjson.loads(row[8]),
        responses=[ShownResponse(id=response_id, content=contents[response_id]) for response_id in row[4]],
        draft=orjson.loads(row[11]) if row[11] else None,
        answer=orjson.loads(row[12]) if row[12] else None,
    )


_ITEM = """
SELECT s.id, s.campaign_id, c.id, s.lease_expires_at, s.order_shown, c.response_a_id, c.response_b_id,
       p.id, p.messages, a.content, b.content, d.payload, j.payload
FROM annotation_assignment s
JOIN annotation_task t ON t.id = s.task_id
JOIN corpus_comparison c ON c.id = t.comparison_id
JOIN corpus_prompt p ON p.id = c.prompt_id
JOIN corpus_response a ON a.id = c.response_a_id
JOIN corpus_response b ON b.id = c.response_b_id
LEFT JOIN annotation_draft d ON d.assignment_id = s.id
LEFT JOIN annotation_judgment j ON j.assignment_id = s.id AND j.superseded_by_id IS NULL
WHERE s.id = %(id)s
"""


def campaigns_of(project: Project) -> list[Campaign]:
    """Newest first."""
    return list(Campaign.objects.filter(project=project).order_by("-id"))
