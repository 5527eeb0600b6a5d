"""Who may see which rubric; the rest is a 404."""

from __future__ import annotations

from accounts.access import Caller, project_for
from accounts.models import Role, Scope
from accounts.problems import NotFound
from annotation.models import Rubric


def rubric_for(caller: Caller, rubric_id: int, *, role: Role, scope: Scope) -> Rubric:
    """One version of a rubric, by its id."""
    found = Rubric.objects.select_related("project", "created_by")
    rubric = found.filter(id=rubric_id).first() if 0 < rubric_id < 2**63 else None
    unseen = NotFound(f"There is no rubric {rubric_id} that you can see.")
    if rubric is None:
        raise unseen
    try:
        project_for(caller, rubric.project.slug, role=role, scope=scope)
    except NotFound:
        # Its message names the project, which a stranger must not learn from a number.
        raise unseen from None
    return rubric
