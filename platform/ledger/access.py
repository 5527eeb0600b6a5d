"""Who may see and steer a run."""

from __future__ import annotations

from accounts.access import Caller, project_for
from accounts.models import Role, Scope
from accounts.problems import NotFound
from ledger.models import Run


def run_for(caller: Caller, run_id: int, *, role: Role = Role.CURATOR, scope: Scope = Scope.READ) -> Run:
    run = Run.objects.select_related("project", "requested_by").filter(id=run_id).first()
    if run is None:
        raise _unknown(run_id)
    try:
        project_for(caller, run.project.slug, role=role, scope=scope)
    except NotFound:
        raise _unknown(run_id) from None
    return run


def _unknown(run_id: int) -> NotFound:
    return NotFound(f"There is no run {run_id} that you can see.")
