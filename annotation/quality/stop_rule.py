"""Asking one more only while undecided.

Let `l` be the votes of the leading answer (a, tie, b or both bad) and `r` those of the runner-up. With a uniform prior
on how often people would prefer the leader of these two, the posterior after the votes is Beta(l + 1, r + 1), and the
leader is the true majority of the two with probability

    P(p > 1/2) = P(X <= l), X ~ Binomial(l + r + 1, 1/2)

2-0 gives .875, 3-0 .9375, 2-1 .6875, 3-1 .8125; 1-1 gives .5. Votes for third answers are left out: they say that
neither of the two is right, and change nothing between them.

A task whose judgments are all in, and whose leader is still below `until`, takes one more, up to `max`. That happens in
the transaction of the judgment, under the lock of its task, so that the cap is never passed and no vote is missed.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any

from django.db import connection

from annotation.models import Campaign
from annotation.statements import first_row


def posterior(leading: int, runner_up: int) -> float:
    """That the leading answer is the true majority of the two, 0.5..1."""
    n = leading + runner_up + 1
    return float(sum(comb(n, k) for k in range(leading + 1)) / 2**n)


@lru_cache(maxsize=64)
def votes_needed(until: float, most: int) -> list[int]:
    """By the votes of the runner-up, from 0 on: how many the leader needs to be decided."""
    needed = []
    for runner_up in range(most + 1):
        leading = runner_up
        while leading <= most and posterior(leading, runner_up) < until:
            leading += 1
        needed.append(leading)
    return needed


def ask_one_more_if_undecided(*, campaign: Campaign, task_id: int) -> bool:
    """After an answer, in its transaction; the caller holds the lock of the task. Whether one more is asked for."""
    return campaign.stop_rule is not None and first_row(_GROW_TASK, _names(campaign) | {"task": task_id}) is not None


def apply_stop_rule(campaign: Campaign) -> int:
    """To the tasks whose judgments were all in before the rule was set; how many take one more."""
    if campaign.stop_rule is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_GROW_CAMPAIGN, _names(campaign))
        return int(cursor.rowcount)


def _names(campaign: Campaign) -> dict[str, Any]:
    rule = campaign.stop_rule or {}
    return {
        "campaign": campaign.id,
        "most": rule["max"],
        "needed": votes_needed(float(rule["until"]), int(rule["max"])),
    }


# A task of gold has no votes that count, and is full with none.
_GROW = """
UPDATE annotation_task t SET cap = t.cap + 1, returned_at = now()
FROM (
    SELECT j.comparison_id, max(j.n) AS leading, coalesce((array_agg(j.n ORDER BY j.n DESC))[2], 0) AS runner_up
    FROM (
        SELECT comparison_id, count(*) AS n FROM annotation_judgment
        WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
              AND (is_both_bad OR choice IS NOT NULL) {judgments}
        GROUP BY comparison_id, CASE WHEN is_both_bad THEN 2 ELSE sign(choice) END
    ) AS j GROUP BY j.comparison_id
) AS votes
WHERE t.campaign_id = %(campaign)s {tasks} AND t.comparison_id = votes.comparison_id
  AND t.judged = t.cap AND t.cap < %(most)s AND votes.leading < (%(needed)s::int[])[votes.runner_up + 1]
  AND NOT EXISTS (SELECT 1 FROM annotation_goldanswer g WHERE g.task_id = t.id)
RETURNING t.id
"""
_GROW_CAMPAIGN = _GROW.format(judgments="", tasks="")
_GROW_TASK = _GROW.format(
    judgments="AND comparison_id = (SELECT comparison_id FROM annotation_task WHERE id = %(task)s)",
    tasks="AND t.id = %(task)s",
)
