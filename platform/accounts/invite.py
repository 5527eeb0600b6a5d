"""Invitation links: made by an owner, shown once, good for one person and seven days."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.access import ROLES
from accounts.models import Invitation, Membership, Project, Role, User
from accounts.problems import Conflict, Forbidden, Invalid, NotFound, Problem
from accounts.tokens import digest

GOOD_FOR = timedelta(days=7)


class NoSuchInvitation(NotFound):
    code = "no_such_invitation"


class InvitationEnded(Problem):
    status = 410
    code = "invitation_ended"


class MeantForSomebodyElse(Forbidden):
    code = "meant_for_somebody_else"


class AccountExists(Conflict):
    code = "account_exists"


class WeakPassword(Invalid):
    code = "weak_password"


@transaction.atomic
def invite(
    *, project: Project, role: Role, email: str = "", by: User, now: datetime | None = None
) -> tuple[Invitation, str]:
    """The row, and the secret of the link in clear, which nobody can read again."""
    now = now or timezone.now()
    secret = secrets.token_urlsafe(24)
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        email=email.strip().lower(),
        token_sha256=digest(secret),
        created_by=by,
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    details = {"role": role.value, "email": invitation.email}
    audit.record(actor=by, project=project, action="invite", subject=invitation, details=details)
    return invitation, secret


def find(secret: str, *, now: datetime | None = None) -> Invitation:
    """The open invitation behind a link, or a sentence on why it is not open any more."""
    invitation = Invitation.objects.select_related("project", "created_by").filter(token_sha256=digest(secret)).first()
    if invitation is None:
        raise NoSuchInvitation("This invitation link is not complete or not known; check that all of it was copied.")
    if invitation.revoked_at is not None:
        raise InvitationEnded("This invitation was taken back. Ask whoever sent it for a new one.")
    if invitation.accepted_at is not None:
        raise InvitationEnded("This invitation was used already. If that was you, log in; else ask for a new one.")
    if invitation.expires_at <= (now or timezone.now()):
        raise InvitationEnded("This invitation has expired. Ask whoever sent it for a new one.")
    return invitation


@transaction.atomic
def accept(*, secret: str, user: User, now: datetime | None = None) -> Membership:
    """Become a member. Who was one already keeps the higher of the two roles."""
    now = now or timezone.now()
    invitation = find(secret, now=now)
    if invitation.email and invitation.email != user.email.lower():
        raise MeantForSomebodyElse(
            f"This invitation is for {invitation.email}, and you are logged in as {user.email}. "
            "Log in with that e-mail, or ask for an invitation of your own."
        )
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if not taken.update(accepted_by=user, accepted_at=now):
        raise InvitationEnded("Somebody used this invitation a moment ago. Ask whoever sent it for a new one.")
    membership, is_new = Membership.objects.get_or_create(
        user=user, project=invitation.project, defaults={"role": invitation.role}
    )
    if not is_new and ROLES.index(Role(invitation.role)) > ROLES.index(Role(membership.role)):
        membership.role = invitation.role
        membership.save(update_fields=["role"])
    audit.record(
        actor=user,
        project=invitation.project,
        action="join project",
        subject=membership,
        details={"role": membership.role, "invitation": invitation.pk},
    )
    return membership


@transaction.atomic
def join_as_new(*, secret: str, email: str, name: str, password: str) -> Membership:
    """Make an account for whoever holds the link, and let it in."""
    invitation = find(secret)
    email = invitation.email or email.strip().lower()
    _check_password(password, User(email=email, name=name))
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name.strip())
    except IntegrityError as taken:
        message = "There is an account with this e-mail; log in to accept the invitation."
        raise AccountExists(message, fields={"email": message}) from taken
    audit.record(actor=user, project=None, action="create account", subject=user, details={"email": email})
    return accept(secret=secret, user=user)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as weak:
        message = " ".join(weak.messages)
        raise WeakPassword(message, fields={"password": message}) from weak


@transaction.atomic
def revoke(*, invitation: Invitation, by: User) -> Invitation:
    """A second click changes nothing."""
    still_open = Invitation.objects.filter(pk=invitation.pk, revoked_at=None, accepted_at=None)
    if still_open.update(revoked_at=timezone.now()):
        details = {"role": invitation.role, "email": invitation.email}
        audit.record(
            actor=by, project=invitation.project, action="revoke invitation", subject=invitation, details=details
        )
    invitation.refresh_from_db()
    return invitation
