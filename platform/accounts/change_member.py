"""Who is in a project, and as what. A project always keeps an owner."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from accounts.models import Membership, Project, Role, User
from accounts.problems import Conflict, NotFound


class LastOwner(Conflict):
    code = "last_owner"


class NotAMember(NotFound):
    code = "not_a_member"


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: User) -> Membership:
    current = _locked(membership)
    if current.role == role:
        return current
    if current.role == Role.OWNER:
        _refuse_for_the_last_owner(current, "be given another role")
    before, current.role = current.role, role
    current.save(update_fields=["role"])
    audit.record(
        actor=by,
        project=current.project,
        action="change role",
        subject=current,
        details={"member": current.user.email, "from": before, "to": role.value},
    )
    return current


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """Their judgments and decisions stay, with their name; their tokens for this project end to reach it."""
    current = _locked(membership)
    if current.role == Role.OWNER:
        _refuse_for_the_last_owner(current, "be removed")
    details = {"member": current.user.email, "role": current.role}
    audit.record(actor=by, project=current.project, action="remove member", subject=current, details=details)
    current.delete()


def _locked(membership: Membership) -> Membership:
    """Two owners who demote each other at once wait in line at the project's row."""
    Project.objects.select_for_update(no_key=True).get(pk=membership.project_id)
    current = Membership.objects.select_related("user", "project").filter(pk=membership.pk).first()
    if current is None:
        raise NotAMember("They have left the project already.")
    return current


def _refuse_for_the_last_owner(membership: Membership, what: str) -> None:
    others = Membership.objects.filter(project=membership.project, role=Role.OWNER, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwner(
            f"{membership.user.email} is the only owner of {membership.project.name} and cannot {what}. "
            "Make somebody else an owner first."
        )
