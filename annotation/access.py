"""Who may see which campaign, assignment and judgment; the rest is a 404."""

from __future__ import annotations

from accounts.access import Caller, project_for
from accounts.models import Role, Scope
from accounts.problems import NotFound
from annotation.models import Assignment, Campaign, Judgment


def campaign_for(caller: Caller, campaign_id: int, *, role: Role, scope: Scope) -> Campaign:
    campaign = Campaign.objects.select_related("project").filter(id=campaign_id).first()
    if campaign is None:
        raise _unseen("campaign", campaign_id)
    _require(caller, campaign, "campaign", campaign_id, role=role, scope=scope)
    return campaign


def assignment_for(caller: Caller, assignment_id: int) -> Assignment:
    """The caller's own assignment: nobody else has business with it, owner or not."""
    assignment = (
        Assignment.objects.select_related("campaign__project", "task__comparison")
        .defer("task__comparison__metadata")
        .filter(id=assignment_id, annotator=caller.user)
        .first()
    )
    if assignment is None:
        raise _unseen("assignment", assignment_id)
    _require(caller, assignment.campaign, "assignment", assignment_id, role=Role.ANNOTATOR, scope=Scope.ANNOTATE)
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


def _require(caller: Caller, campaign: Campaign, what: str, number: int, *, role: Role, scope: Scope) -> None:
    try:
        project_for(caller, campaign.project.slug, role=role, scope=scope)
    except NotFound:
        # Its message names the project, which a stranger must not learn from a number.
        raise _unseen(what, number) from None


def _unseen(what: str, number: int) -> NotFound:
    return NotFound(f"There is no {what} {number} that you can see.")
