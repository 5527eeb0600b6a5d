"""The tasks of a campaign: made with it, and added for what is imported later."""

from __future__ import annotations

from typing import Any, Literal, get_args

from django.db import connection, transaction

from accounts.audit import record
from accounts.models import User
from annotation.desk.deal import forget_where_people_looked
from annotation.models import Campaign, Unit

# Of more responses to a prompt, these many are ranked, the oldest first.
MAX_RANKED = 12
# From here on the planner is told of the new rows at once, so that the first claims are planned well.
MANY = 1000

Order = Literal["imported", "shuffled", "shortest first"]
ORDERS: tuple[str, ...] = get_args(Order)


def extend_with_new_rows(*, campaign: Campaign, by: User | None, order: Order = "imported", seed: int = 0) -> int:
    """Tasks for what its sources have gained since; how many. They come after those that are there."""
    with transaction.atomic():
        # Two at once would both find the same rows without a task.
        locked = Campaign.objects.select_for_update(no_key=True).get(id=campaign.id)
        added = add_tasks(locked, order=order, seed=seed)
        forget_where_people_looked(campaign.pk)
        campaign.task_count = locked.task_count + added
        campaign.save(update_fields=["task_count"])
        record(actor=by, project=campaign.project, action="add tasks", subject=campaign, details={"tasks": added})
    return added


def add_tasks(campaign: Campaign, *, order: Order, seed: int) -> int:
    """One statement, also for a million: the ids of the tasks follow the order, and ties of priority follow the ids."""
    names: dict[str, Any] = {
        "campaign": campaign.id,
        "project": campaign.project_id,
        "cap": campaign.overlap,
        "sources": campaign.source_ids,
        "most": MAX_RANKED,
        "seed": seed,
    }
    where = "AND c.source_id = ANY(%(sources)s)" if campaign.source_ids else ""
    unit = Unit(campaign.unit)
    with connection.cursor() as cursor:
        cursor.execute(_ADD[unit].format(where=where, order=_ORDERS[unit][order]), names)
        count = int(cursor.rowcount)
        if count > MANY:
            cursor.execute("ANALYZE annotation_task")
        return count


_COLUMNS = "priority, cap, slots_a_first, slots_b_first, judged"
_ADD_COMPARISONS = f"""
INSERT INTO annotation_task (campaign_id, comparison_id, {_COLUMNS})
SELECT %(campaign)s, c.id, 0, %(cap)s, 0, 0, 0 FROM corpus_comparison c
WHERE c.project_id = %(project)s {{where}}
  AND NOT EXISTS (SELECT 1 FROM annotation_task t WHERE t.campaign_id = %(campaign)s AND t.comparison_id = c.id)
ORDER BY {{order}}
"""  # noqa: S608 - the texts of this file
_ADD_SETS = f"""
INSERT INTO annotation_task (campaign_id, prompt_id, response_ids, {_COLUMNS})
SELECT %(campaign)s, s.prompt_id, s.response_ids, 0, %(cap)s, 0, 0, 0 FROM (
    SELECT listed.prompt_id, {{chosen}} AS response_ids FROM (
        SELECT DISTINCT c.prompt_id, unnest(ARRAY[c.response_a_id, c.response_b_id]) AS response_id
        FROM corpus_comparison c WHERE c.project_id = %(project)s {{{{where}}}}
    ) AS listed {{grouped}}
) AS s
WHERE NOT EXISTS (SELECT 1 FROM annotation_task t WHERE t.campaign_id = %(campaign)s AND t.prompt_id = s.prompt_id
                  {{same}})
ORDER BY {{{{order}}}}
"""  # noqa: S608 - the texts of this file
_ADD = {
    Unit.COMPARISON: _ADD_COMPARISONS,
    Unit.PROMPT: _ADD_SETS.format(
        chosen="(array_agg(listed.response_id ORDER BY listed.response_id))[1:%(most)s]",
        grouped="GROUP BY listed.prompt_id HAVING count(*) > 1",
        # A prompt that has gained responses stays as it was asked.
        same="",
    ),
    Unit.RESPONSE: _ADD_SETS.format(
        chosen="ARRAY[listed.response_id]", grouped="", same="AND t.response_ids = s.response_ids"
    ),
}
_LENGTH_OF_COMPARISON = """
(SELECT octet_length(p.messages::text) FROM corpus_prompt p WHERE p.id = c.prompt_id)
+ (SELECT sum(octet_length(r.content)) FROM corpus_response r WHERE r.id IN (c.response_a_id, c.response_b_id)), c.id
"""
_LENGTH_OF_SET = """
(SELECT octet_length(p.messages::text) FROM corpus_prompt p WHERE p.id = s.prompt_id)
+ (SELECT sum(octet_length(r.content)) FROM corpus_response r WHERE r.id = ANY(s.response_ids)),
s.prompt_id, s.response_ids
"""
_OF_COMPARISONS = {
    "imported": "c.id",
    "shuffled": "hashint8extended(c.id, %(seed)s), c.id",
    "shortest first": _LENGTH_OF_COMPARISON,
}
_OF_SETS = {
    "imported": "s.prompt_id, s.response_ids",
    "shuffled": "hash_array_extended(s.response_ids, %(seed)s), s.prompt_id",
    "shortest first": _LENGTH_OF_SET,
}
_ORDERS = {Unit.COMPARISON: _OF_COMPARISONS, Unit.PROMPT: _OF_SETS, Unit.RESPONSE: _OF_SETS}
