"""Give a project another name; its address stays, since links and programs hold it."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import Project, User


@transaction.atomic
def rename_project(*, project: Project, name: str, by: User) -> Project:
    name = name.strip()
    if name == project.name:
        return project
    details = {"from": project.name, "to": name}
    project.name = name
    project.save(update_fields=["name"])
    audit.record(actor=by, project=project, action="rename project", subject=project, details=details)
    return project
