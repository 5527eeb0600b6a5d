"""Projects, members, invitations and tokens over the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import AfterValidator, Field, StringConstraints

from accounts import change_member, invite, queries, tokens
from accounts.access import caller_of, invitation_for, may_use, membership_for, project_for, token_for
from accounts.create_project import create_project
from accounts.models import ApiToken, Invitation, Membership, Project, Role, Scope
from accounts.paging import DEFAULT_LIMIT, Limit, last_id, page

router = Router(tags=["accounts"])


def _email(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as bad:
        raise ValueError("this is not an e-mail address") from bad
    return address.lower()


Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]
Email = Annotated[str, AfterValidator(_email)]
ShortName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=r"^[^\x00]*$")]


class ProjectIn(Schema):
    slug: str
    name: Name = ""


class ProjectOut(Schema):
    slug: str
    name: str
    created_at: datetime


class ProjectsOut(Schema):
    items: list[ProjectOut]
    next: str | None


@router.post("/projects", response={201: ProjectOut})
def post_project(request: HttpRequest, payload: ProjectIn) -> Status[Project]:
    """Make a project; whoever makes it owns it."""
    caller = caller_of(request)
    may_use(caller, Scope.CURATE)
    if caller.only_project_id is not None:
        raise tokens.BeyondYourToken("Your token is bound to one project; it cannot make another one.")
    return Status(201, create_project(slug=payload.slug, name=payload.name, by=caller.user))


@router.get("/projects", response=ProjectsOut)
def get_projects(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> ProjectsOut:
    """The projects that you can see, oldest first."""
    projects = queries.projects_for(caller_of(request)).order_by("id")
    if cursor is not None:
        projects = projects.filter(id__gt=last_id(cursor))
    shown, following = page(projects[: limit + 1], limit=limit, position=lambda project: {"id": project.id})
    return ProjectsOut(items=[ProjectOut.from_orm(project) for project in shown], next=following)


@router.get("/projects/{slug}", response=ProjectOut)
def get_project(request: HttpRequest, slug: str) -> Project:
    return project_for(caller_of(request), slug, role=Role.ANNOTATOR, scope=Scope.READ)


class MemberOut(Schema):
    user_id: int
    email: str
    name: str
    role: str
    is_simulated: bool


class MembersOut(Schema):
    items: list[MemberOut]
    next: str | None


class RoleIn(Schema):
    role: Role


@router.get("/projects/{slug}/members", response=MembersOut)
def get_members(request: HttpRequest, slug: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> MembersOut:
    """For owners: who is in the project, and as what."""
    project = project_for(caller_of(request), slug, role=Role.OWNER, scope=Scope.READ)
    members = Membership.objects.filter(project=project).select_related("user").order_by("id")
    if cursor is not None:
        members = members.filter(id__gt=last_id(cursor))
    shown, following = page(members[: limit + 1], limit=limit, position=lambda member: {"id": member.id})
    return MembersOut(items=[_member(member) for member in shown], next=following)


@router.patch("/projects/{slug}/members/{user_id}", response=MemberOut)
def patch_member(request: HttpRequest, slug: str, user_id: int, payload: RoleIn) -> MemberOut:
    caller = caller_of(request)
    membership = membership_for(caller, slug, user_id)
    return _member(change_member.change_role(membership=membership, role=payload.role, by=caller.user))


@router.delete("/projects/{slug}/members/{user_id}", response={204: None})
def delete_member(request: HttpRequest, slug: str, user_id: int) -> Status[None]:
    caller = caller_of(request)
    change_member.remove_member(membership=membership_for(caller, slug, user_id), by=caller.user)
    return Status(204, None)


class InvitationIn(Schema):
    role: Role = Role.ANNOTATOR
    email: Email | None = None


class InvitationOut(Schema):
    id: int
    role: str
    email: str
    expires_at: datetime
    # Only in the answer that makes it; nobody can read it again.
    link: str | None = None


@router.post("/projects/{slug}/invitations", response={201: InvitationOut})
def post_invitation(request: HttpRequest, slug: str, payload: InvitationIn) -> Status[InvitationOut]:
    """For owners: a link that makes whoever opens it a member, once, within seven days."""
    caller = caller_of(request)
    project = project_for(caller, slug, role=Role.OWNER, scope=Scope.ADMIN)
    invitation, secret = invite.invite(project=project, role=payload.role, email=payload.email or "", by=caller.user)
    link = request.build_absolute_uri(reverse("accounts:invitation", args=[secret]))
    return Status(201, _invitation(invitation, link))


@router.delete("/projects/{slug}/invitations/{invitation_id}", response={204: None})
def delete_invitation(request: HttpRequest, slug: str, invitation_id: int) -> Status[None]:
    caller = caller_of(request)
    invite.revoke(invitation=invitation_for(caller, slug, invitation_id), by=caller.user)
    return Status(204, None)


class TokenIn(Schema):
    name: ShortName = ""
    scope: Scope
    project: str | None = Field(None, description="slug of the project it is bound to; null for all of yours")
    expires_at: datetime | None = None


class TokenOut(Schema):
    id: int
    name: str
    prefix: str
    scope: str
    project: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    # Only in the answer that makes it; nobody can read it again.
    token: str | None = None


class TokensOut(Schema):
    items: list[TokenOut]
    next: str | None


@router.get("/tokens", response=TokensOut)
def get_tokens(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> TokensOut:
    """Your own tokens, newest first."""
    caller = caller_of(request)
    may_use(caller, Scope.ADMIN)
    rows = queries.tokens_of(caller)
    if cursor is not None:
        rows = rows.filter(id__lt=last_id(cursor))
    shown, following = page(rows[: limit + 1], limit=limit, position=lambda token: {"id": token.id})
    return TokensOut(items=[_token(token) for token in shown], next=following)


@router.post("/tokens", response={201: TokenOut})
def post_token(request: HttpRequest, payload: TokenIn) -> Status[TokenOut]:
    """A token for yourself; the answer is the only time that it can be read."""
    caller = caller_of(request)
    may_use(caller, Scope.ADMIN)
    project = None
    if payload.project is not None:
        project = project_for(caller, payload.project, role=Role.ANNOTATOR, scope=Scope.ADMIN)
    row, clear = tokens.issue_token(
        user=caller.user,
        scope=payload.scope,
        project=project,
        name=payload.name,
        expires_at=payload.expires_at,
        by=caller,
    )
    return Status(201, _token(row, clear))


@router.delete("/tokens/{token_id}", response={204: None})
def delete_token(request: HttpRequest, token_id: int) -> Status[None]:
    caller = caller_of(request)
    tokens.revoke_token(token=token_for(caller, token_id), by=caller.user)
    return Status(204, None)


def _member(membership: Membership) -> MemberOut:
    user = membership.user
    return MemberOut(
        user_id=user.pk, email=user.email, name=user.name, role=membership.role, is_simulated=user.is_simulated
    )


def _invitation(invitation: Invitation, link: str | None = None) -> InvitationOut:
    return InvitationOut(
        id=invitation.pk,
        role=invitation.role,
        email=invitation.email,
        expires_at=invitation.expires_at,
        link=link,
    )


def _token(token: ApiToken, clear: str | None = None) -> TokenOut:
    return TokenOut(
        id=token.pk,
        name=token.name,
        prefix=token.prefix,
        scope=token.scope,
        project=token.project.slug if token.project else None,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        token=clear,
    )
