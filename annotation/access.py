"""Who may see which campaign, assignment and judgment; the rest is a 404."""

from __future__ import annotations

from typing import Any

import orjson

from accounts.access import Caller, may_use, project_for
from accounts.models import Role, Scope
from accounts.problems import NotFound
from annotation.models import Assignment, Campaign, GoldAnswer, Judgment, Task
from annotation.statements import first_row
from corpus.models import Comparison

# In the order in which the models declare them, which from_db relies on.
_ASSIGNMENT_COLUMNS = ["id", "task_id", "campaign_id", "annotator_id", "purpose", "order_shown", "lease_expires_at"]
_CAMPAIGN_COLUMNS = [
    "id", "project_id", "name", "kind", "unit", "settings", "guidelines_version", "rubric_id", "quality", "stop_rule",
    "is_invited_only", "has_participants", "overlap", "lease_seconds", "state", "consensus_method",
    "reordered_at",
]  # fmt: skip
_JSON_COLUMNS = ("settings", "quality", "stop_rule")
_COMPARISON_COLUMNS = ["id", "response_a_id", "response_b_id"]


def _of(alias: str, columns: list[str]) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns)


_ASSIGNMENT = f"""
SELECT {_of("s", _ASSIGNMENT_COLUMNS)}, {_of("g", _CAMPAIGN_COLUMNS)}, {_of("c", _COMPARISON_COLUMNS)}, g.project_id,
       EXISTS (SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
               WHERE m.project_id = g.project_id AND m.user_id = s.annotator_id AND u.is_active)
FROM annotation_assignment s
JOIN annotation_campaign g ON g.id = s.campaign_id
JOIN annotation_task t ON t.id = s.task_id
LEFT JOIN corpus_comparison c ON c.id = t.comparison_id
WHERE s.id = %(id)s AND s.annotator_id = %(user)s
"""  # noqa: S608 - the names above


def campaign_for(caller: Caller, campaign_id: int, *, role: Role, scope: Scope) -> Campaign:
    campaign = Campaign.objects.select_related("project").filter(id=campaign_id).first()
    if campaign is None:
        raise _unseen("campaign", campaign_id)
    _require(caller, campaign, "campaign", campaign_id, role=role, scope=scope)
    return campaign


def assignment_for(caller: Caller, assignment_id: int) -> Assignment:
    """The caller's own assignment: nobody else has business with it, owner or not.

    One prepared statement with the membership in it, since every submit comes through here.
    """
    names = {"id": assignment_id, "user": caller.user.pk}
    row = first_row(_ASSIGNMENT, names) if 0 < assignment_id < 2**63 else None
    if row is None:
        raise _unseen("assignment", assignment_id)
    project_id, is_member = row[-2], row[-1]
    is_let_in = is_member or (caller.user.is_superuser and caller.user.is_active)
    if not is_let_in or caller.only_project_id not in {None, project_id}:
        raise _unseen("assignment", assignment_id)
    may_use(caller, Scope.ANNOTATE)
    return _assignment_of(row)


def _assignment_of(row: tuple[Any, ...]) -> Assignment:
    """With its campaign, task and comparison as far as the statement reads them; the rest is fetched when asked."""
    places = [len(_ASSIGNMENT_COLUMNS), len(_CAMPAIGN_COLUMNS), len(_COMPARISON_COLUMNS)]
    first, second, third = places[0], places[0] + places[1], sum(places)
    assignment = Assignment.from_db("default", _ASSIGNMENT_COLUMNS, row[:first])
    campaign = list(row[first:second])
    for name in _JSON_COLUMNS:
        place = _CAMPAIGN_COLUMNS.index(name)
        campaign[place] = None if campaign[place] is None else orjson.loads(campaign[place])
    assignment.campaign = Campaign.from_db("default", _CAMPAIGN_COLUMNS, campaign)
    columns = row[second:third]
    assignment.task = Task.from_db("default", ["id", "comparison_id"], [assignment.task_id, columns[0]])
    if columns[0] is not None:
        assignment.task.comparison = Comparison.from_db("default", _COMPARISON_COLUMNS, columns)
    return assignment


def judgment_for(caller: Caller, judgment_id: int) -> Judgment:
    """The caller's own judgment, which only they may revise."""
    judgment = (
        Judgment.objects.select_related("campaign__project", "comparison", "assignment")
        .filter(id=judgment_id, annotator=caller.user)
        .first()
    )
    if judgment is None:
        raise _unseen("judgment", judgment_id)
    _require(caller, judgment.campaign, "judgment", judgment_id, role=Role.ANNOTATOR, scope=Scope.ANNOTATE)
    return judgment


def gold_in(campaign: Campaign, gold_id: int) -> GoldAnswer:
    """For whoever may change the campaign."""
    gold = GoldAnswer.objects.select_related("campaign__project").filter(campaign=campaign, id=gold_id).first()
    if gold is None:
        raise _unseen("known answer", gold_id)
    return gold


def _require(caller: Caller, campaign: Campaign, what: str, number: int, *, role: Role, scope: Scope) -> None:
    try:
        project_for(caller, campaign.project.slug, role=role, scope=scope)
    except NotFound:
        # Its message names the project, which a stranger must not learn from a number.
        raise _unseen(what, number) from None


def _unseen(what: str, number: int) -> NotFound:
    return NotFound(f"There is no {what} {number} that you can see.")
