"""API tokens: issued once in clear, kept as a hash, bounded by scope, project and expiry."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.access import Caller
from accounts.models import ApiToken, Project, Scope, User
from accounts.problems import Forbidden, Invalid, Unauthenticated

PREFIX = "wnw_"
PREFIX_SHOWN = 12
# `last_used_at` tells days apart; writing it on every request would cost more than the request.
SEEN_AGAIN_AFTER = timedelta(minutes=1)


class BadToken(Unauthenticated):
    code = "bad_token"


class BeyondYourToken(Forbidden):
    code = "beyond_your_token"


class ExpiryInThePast(Invalid):
    code = "expiry_in_the_past"


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@transaction.atomic
def issue_token(
    *,
    user: User,
    scope: Scope,
    project: Project | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    by: Caller | None = None,
) -> tuple[ApiToken, str]:
    """The row and the token in clear, which nobody can read again. `by` None is a command on the machine."""
    _check_reach(by, scope, project)
    if expires_at is not None and expires_at <= timezone.now():
        message = "Choose a moment in the future."
        raise ExpiryInThePast(f"This token would have expired already. {message}", fields={"expires_at": message})
    clear = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        project=project,
        name=name,
        token_sha256=digest(clear),
        prefix=clear[:PREFIX_SHOWN],
        scope=scope,
        expires_at=expires_at,
    )
    audit.record(
        actor=by.user if by else None,
        project=project,
        action="issue token",
        subject=token,
        details={"for": user.email, "scope": scope.value, "prefix": token.prefix},
    )
    return token, clear


def _check_reach(by: Caller | None, scope: Scope, project: Project | None) -> None:
    """A token never makes one that reaches further than itself."""
    if by is None:
        return
    if not by.may(scope):
        raise BeyondYourToken(f"Your token has the scope {by.scope.value}; it cannot issue one with {scope.value}.")
    if by.only_project_id is not None and (project is None or project.id != by.only_project_id):
        raise BeyondYourToken("Your token is bound to one project; it can issue tokens for that project only.")


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> ApiToken:
    """A second click changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(
            actor=by, project=token.project, action="revoke token", subject=token, details={"prefix": token.prefix}
        )
    token.refresh_from_db()
    return token


def caller_with(token: str, *, now: datetime | None = None) -> Caller:
    """Who sent this bearer token: one query, and at most one write a minute."""
    now = now or timezone.now()
    row = ApiToken.objects.select_related("user").filter(token_sha256=digest(token), revoked_at=None).first()
    if row is None or not row.user.is_active or (row.expires_at is not None and row.expires_at <= now):
        raise BadToken("This token is unknown, expired or revoked; make a new one on the page API tokens.")
    if row.last_used_at is None or row.last_used_at <= now - SEEN_AGAIN_AFTER:
        not_seen = Q(last_used_at=None) | Q(last_used_at__lte=now - SEEN_AGAIN_AFTER)
        ApiToken.objects.filter(not_seen, pk=row.pk).update(last_used_at=now)
    return Caller(user=row.user, scope=Scope(row.scope), only_project_id=row.project_id, token_id=row.pk)
