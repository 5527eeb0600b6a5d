"""What the account pages and lists read; every list has one order."""

from __future__ import annotations

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.access import Caller
from accounts.models import ApiToken, AuditEvent, Invitation, Membership, Project, Role, User


def projects_of(user: User) -> QuerySet[Project]:
    """A superuser is owner everywhere."""
    projects = Project.objects.order_by("name", "id")
    return projects if user.is_superuser else projects.filter(memberships__user=user)


def projects_for(caller: Caller) -> QuerySet[Project]:
    projects = projects_of(caller.user)
    return projects if caller.only_project_id is None else projects.filter(pk=caller.only_project_id)


def members_of(project: Project) -> QuerySet[Membership]:
    """Owners first, then curators, then annotators."""
    rank = Case(
        When(role=Role.OWNER, then=Value(0)),
        When(role=Role.CURATOR, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    members = Membership.objects.filter(project=project).select_related("user")
    return members.annotate(rank=rank).order_by("rank", "user__email", "id")


def open_invitations_of(project: Project) -> QuerySet[Invitation]:
    waiting = Q(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return Invitation.objects.filter(waiting, project=project).select_related("created_by").order_by("-id")


def tokens_of(caller: Caller) -> QuerySet[ApiToken]:
    tokens = ApiToken.objects.filter(user=caller.user, revoked_at=None).select_related("project").order_by("-id")
    return tokens if caller.only_project_id is None else tokens.filter(project_id=caller.only_project_id)


def owners_of(project: Project) -> QuerySet[User]:
    return User.objects.filter(memberships__project=project, memberships__role=Role.OWNER).order_by("email")


def audit_trail(project: Project, *, before: int | None = None) -> QuerySet[AuditEvent]:
    """Newest first."""
    events = AuditEvent.objects.filter(project=project).select_related("actor").order_by("-id")
    return events if before is None else events.filter(pk__lt=before)
