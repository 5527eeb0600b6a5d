"""Who may see and do what in a project; every area's access functions begin here. Default deny."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import ApiToken, Invitation, Membership, Project, Role, Scope, User
from accounts.problems import Forbidden, NotFound, Unauthenticated

ROLES = [Role.ANNOTATOR, Role.CURATOR, Role.OWNER]
# The role a token's scope can act as at most; `read` sees what a curator sees and writes nothing.
SCOPES = [Scope.READ, Scope.ANNOTATE, Scope.CURATE, Scope.ADMIN]


@dataclass(frozen=True)
class Caller:
    """The person behind a request, and how far their token reaches."""

    user: User
    scope: Scope = Scope.ADMIN
    # Set for a token that is bound to one project.
    only_project_id: int | None = None
    token_id: int | None = None

    def may(self, scope: Scope) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def caller_of(request: HttpRequest) -> Caller:
    """The caller of an API request (set by its authentication), or of a page (the logged-in user)."""
    caller = getattr(request, "auth", None)
    if isinstance(caller, Caller):
        return caller
    if isinstance(request.user, AnonymousUser) or not request.user.is_authenticated:
        raise Unauthenticated("Log in, or send a token as `Authorization: Bearer TOKEN`.")
    return Caller(user=request.user)


def project_for(caller: Caller, slug: str, *, role: Role, scope: Scope) -> Project:
    """The project, if the caller has at least this role there and this scope; a stranger cannot tell it exists."""
    project = Project.objects.filter(slug=slug).first()
    if project is None or caller.only_project_id not in {None, project.id}:
        raise NotFound(f"There is no project {slug!r} that you can see.")
    held = role_in(caller.user, project)
    if held is None:
        raise NotFound(f"There is no project {slug!r} that you can see.")
    if ROLES.index(held) < ROLES.index(role):
        raise Forbidden(f"This needs the role {role.value} in {project.slug}; an owner of the project can grant it.")
    if not caller.may(scope):
        raise Forbidden(f"This needs a token with the scope {scope.value}.")
    return project


def may_use(caller: Caller, scope: Scope) -> None:
    """For what belongs to no project: refuse a token that does not reach that far."""
    if not caller.may(scope):
        raise Forbidden(f"This needs a token with the scope {scope.value}.")


def membership_for(caller: Caller, slug: str, user_id: int) -> Membership:
    """For owners: a member of their project."""
    project = project_for(caller, slug, role=Role.OWNER, scope=Scope.ADMIN)
    membership = Membership.objects.select_related("user", "project").filter(project=project, user_id=user_id).first()
    if membership is None:
        raise NotFound(f"Nobody with the number {user_id} is a member of {slug}.")
    return membership


def invitation_for(caller: Caller, slug: str, invitation_id: int) -> Invitation:
    """For owners: an invitation to their project."""
    project = project_for(caller, slug, role=Role.OWNER, scope=Scope.ADMIN)
    invitation = Invitation.objects.select_related("project").filter(project=project, pk=invitation_id).first()
    if invitation is None:
        raise NotFound(f"There is no invitation {invitation_id} to {slug}.")
    return invitation


def token_for(caller: Caller, token_id: int) -> ApiToken:
    """A token belongs to one person; nobody else can see or end it."""
    may_use(caller, Scope.ADMIN)
    tokens = ApiToken.objects.filter(pk=token_id, user=caller.user, revoked_at=None)
    if caller.only_project_id is not None:
        tokens = tokens.filter(project_id=caller.only_project_id)
    token = tokens.first()
    if token is None:
        raise NotFound(f"You have no token {token_id}.")
    return token


def role_in(user: User, project: Project) -> Role | None:
    """A superuser is owner everywhere."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return Role.OWNER
    held = Membership.objects.filter(user=user, project=project).values_list("role", flat=True).first()
    return Role(held) if held else None
