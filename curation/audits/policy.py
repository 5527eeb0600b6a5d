"""What a project's owner asks of rules that flip or drop: from which bound on, and what happens without one."""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Invalid
from curation.models import Action, AuditPolicy, Question, Unaudited

FLIP_THRESHOLD = 0.5


class InvalidPolicy(Invalid):
    code = "invalid_policy"


def policy_of(project: Project) -> AuditPolicy:
    return AuditPolicy.objects.filter(project=project).first() or AuditPolicy(project=project)


def threshold(policy: AuditPolicy, action: Action | str, question: str = Question.LABEL) -> float:
    """What the lower bound of P(wrong) has to exceed: a flip that is right less often than not does harm, and so does
    a label, of P(right).

    Of a claim, that of P(holds): a drop of a sound row loses little, a false claim in the card loses trust.
    """
    if question == Question.CLAIM:
        return policy.claim_threshold
    return FLIP_THRESHOLD if action in {Action.FLIP, Action.LABEL} else policy.drop_threshold


def set_policy(
    *, project: Project, unaudited: str, drop_threshold: float, by: User, claim_threshold: float | None = None
) -> AuditPolicy:
    """Without a threshold for claims that one stays as it is."""
    if unaudited not in Unaudited.values:
        raise InvalidPolicy("Choose mark, review or refuse.", fields={"unaudited": "unknown"})
    details: dict[str, Any] = {"drop_threshold": drop_threshold}
    if claim_threshold is not None:
        details["claim_threshold"] = claim_threshold
    for name, share in details.items():
        if not math.isfinite(share) or not 0 <= share < 1:
            raise InvalidPolicy("The threshold is a share, from 0 to below 1.", fields={name: "0 to 1"})
    details["unaudited"] = unaudited
    with transaction.atomic():
        found, _ = AuditPolicy.objects.update_or_create(project=project, defaults=details)
        audit.record(actor=by, project=project, action="set audit policy", subject=found, details=details)
    return found
