"""A claimed item, and what its author has answered before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db.models import QuerySet

from accounts.models import Project, User
from annotation.models import Campaign, Judgment, Purpose, Unit
from annotation.statements import the_row


@dataclass(frozen=True)
class ShownResponse:
    id: int
    content: str


@dataclass(frozen=True)
class ClaimedItem:
    """A live claim and what is shown for it: no generator, no label, no score, no other person's vote."""

    assignment_id: int
    campaign_id: int
    unit: Unit
    purpose: Purpose
    # None where the unit is no comparison, as response_a_id and response_b_id then are.
    comparison_id: int | None
    expires_at: datetime
    response_a_id: int | None
    response_b_id: int | None
    prompt_id: int
    messages: list[dict[str, Any]]
    # In the order to show.
    responses: list[ShownResponse]
    draft: dict[str, Any] | None
    draft_saved_at: datetime | None
    # The answer that stands, when the author looks at it again.
    answer: dict[str, Any] | None
    judgment_id: int | None

    @property
    def item_id(self) -> int:
        """What is judged, named by its unit: the comparison, the prompt or the response."""
        if self.comparison_id is not None:
            return self.comparison_id
        return self.prompt_id if self.unit == Unit.PROMPT else self.responses[0].id

    @property
    def order(self) -> list[int]:
        return [response.id for response in self.responses]


def claimed_item(assignment_id: int, unit: Unit, answer: Judgment | None = None) -> ClaimedItem:
    """The assignment exists."""
    return item_of(the_row(_ITEM[unit], {"id": assignment_id}), unit, answer)


def item_of(row: tuple[Any, ...], unit: Unit, answer: Judgment | None = None) -> ClaimedItem:
    """From the columns below; with the answer that stands when its author looks at it again."""
    draft, saved_at = orjson.loads(row[11]) if row[11] else (None, None)
    return ClaimedItem(
        assignment_id=row[0],
        campaign_id=row[1],
        unit=unit,
        purpose=Purpose(row[2]),
        comparison_id=row[3],
        expires_at=row[4],
        response_a_id=row[6],
        response_b_id=row[7],
        prompt_id=row[8],
        messages=orjson.loads(row[9]),
        responses=[ShownResponse(*shown) for shown in zip(row[5], row[10], strict=True)],
        draft=draft,
        draft_saved_at=datetime.fromisoformat(saved_at) if saved_at else None,
        answer=answer.payload if answer else None,
        judgment_id=answer.id if answer else None,
    )


# For a query that has the assignment as `s` and its task as `t`. Drafts and judgments are asked for one by one: a join
# that was planned while these tables were small would read them whole when they are large.
_COLUMNS = """
s.id, s.campaign_id, s.purpose, {comparison}, s.lease_expires_at, s.order_shown, {a}, {b}, p.id, p.messages, {contents},
(SELECT jsonb_build_array(d.payload, d.updated_at) FROM annotation_draft d WHERE d.assignment_id = s.id)
"""
_OF_COMPARISON = _COLUMNS.format(
    comparison="c.id",
    a="c.response_a_id",
    b="c.response_b_id",
    contents="CASE WHEN s.is_b_first THEN ARRAY[b.content, a.content] ELSE ARRAY[a.content, b.content] END",
)
_COMPARISON_TABLES = """
JOIN corpus_comparison c ON c.id = t.comparison_id
JOIN corpus_prompt p ON p.id = c.prompt_id
JOIN corpus_response a ON a.id = c.response_a_id
JOIN corpus_response b ON b.id = c.response_b_id
"""
_OF_PROMPT = _COLUMNS.format(
    comparison="NULL::bigint",
    a="NULL::bigint",
    b="NULL::bigint",
    contents="""ARRAY(SELECT r.content FROM unnest(s.order_shown) WITH ORDINALITY AS shown (id, place)
          JOIN corpus_response r ON r.id = shown.id ORDER BY shown.place)""",
)
_PROMPT_TABLES = "JOIN corpus_prompt p ON p.id = t.prompt_id"
ITEM_COLUMNS = {Unit.COMPARISON: _OF_COMPARISON, Unit.PROMPT: _OF_PROMPT, Unit.RESPONSE: _OF_PROMPT}
ITEM_TABLES = {Unit.COMPARISON: _COMPARISON_TABLES, Unit.PROMPT: _PROMPT_TABLES, Unit.RESPONSE: _PROMPT_TABLES}
_ITEM = {
    unit: f"""
SELECT {ITEM_COLUMNS[unit]} FROM annotation_assignment s JOIN annotation_task t ON t.id = s.task_id {ITEM_TABLES[unit]}
WHERE s.id = %(id)s
"""  # noqa: S608 - the texts above
    for unit in Unit
}


def own_standing_judgment(
    campaign: Campaign,
    annotator: User,
    *,
    before: int | None = None,
    after: int | None = None,
    exactly: int | None = None,
) -> Judgment | None:
    """In the order of ids: the newest, the one before or after another, or exactly that one."""
    own = Judgment.objects.standing().filter(campaign=campaign, annotator=annotator)
    if exactly is not None:
        return own.filter(id=exactly).first()
    if after is not None:
        return own.filter(id__gt=after).order_by("id").first()
    if before is not None:
        own = own.filter(id__lt=before)
    return own.order_by("-id").first()


def own_judgments(project: Project, annotator: User, *, before: int | None = None) -> QuerySet[Judgment]:
    """The person's standing answers in all campaigns, newest first."""
    campaigns = Campaign.objects.filter(project=project).values("id")
    own = Judgment.objects.standing().filter(campaign__in=campaigns, annotator=annotator)
    if before is not None:
        own = own.filter(id__lt=before)
    return own.select_related("campaign", "comparison__prompt", "assignment__task__prompt").order_by("-id")
