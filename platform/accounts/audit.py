"""The trail of who changed what. Every verb that changes something a person may be asked about records it here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from accounts.models import AuditEvent, Project, User


def record(
    *,
    actor: User | None,
    project: Project | None,
    action: str,
    subject: Model,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Call it in the transaction of the change. `actor` None is the house itself; `action` reads "verb object"."""
    return AuditEvent.objects.create(
        actor=actor,
        project=project,
        action=action,
        subject_kind=str(subject._meta.verbose_name),
        subject_id=str(subject.pk),
        details=dict(details or {}),
    )
