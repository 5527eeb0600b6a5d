"""What a project's owner asks of rules that flip or drop: from which bound on, and what happens without one."""

from __future__ import annotations

import math

from django.db import transaction

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Invalid
from curation.models import Action, AuditPolicy, Unaudited

FLIP_THRESHOLD = 0.5


class InvalidPolicy(Invalid):
    code = "invalid_policy"


def policy_of(project: Project) -> AuditPolicy:
    return AuditPolicy.objects.filter(project=project).first() or AuditPolicy(project=project)


def threshold(policy: AuditPolicy, action: Action | str) -> float:
    """What the lower bound of P(wrong) has to exceed: a flip that is right less often than not does harm."""
    return FLIP_THRESHOLD if action == Action.FLIP else policy.drop_threshold


def set_policy(*, project: Project, unaudited: str, drop_threshold: float, by: User) -> AuditPolicy:
    if unaudited not in Unaudited.values:
        raise InvalidPolicy("Choose mark, review or refuse.", fields={"unaudited": "unknown"})
    if not math.isfinite(drop_threshold) or not 0 <= drop_threshold < 1:
        raise InvalidPolicy("The threshold is a share, from 0 to below 1.", fields={"drop_threshold": "0 to 1"})
    details = {"unaudited": unaudited, "drop_threshold": drop_threshold}
    with transaction.atomic():
        found, _ = AuditPolicy.objects.update_or_create(project=project, defaults=details)
        audit.record(actor=by, project=project, action="set audit policy", subject=found, details=details)
    return found
