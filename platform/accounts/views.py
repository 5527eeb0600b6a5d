"""People, settings, tokens, invitations: who may, which object, is the input good, do one thing, show."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import change_member, invite, queries
from accounts.access import Caller, caller_of, invitation_for, membership_for, project_for, role_in, token_for
from accounts.create_project import create_project
from accounts.forms import InviteForm, JoinForm, ProjectForm, RenameForm, RoleForm, TokenForm
from accounts.models import ApiToken, Project, Role, Scope
from accounts.paging import last_id, page
from accounts.problems import Problem
from accounts.rename_project import rename_project
from accounts.tokens import issue_token, revoke_token

AUDIT_PAGE = 50
PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"  # noqa: S105 - a path


def _owned(request: HttpRequest, slug: str) -> tuple[Caller, Project]:
    caller = caller_of(request)
    return caller, project_for(caller, slug, role=Role.OWNER, scope=Scope.ADMIN)


@require_GET
def people(request: HttpRequest, slug: str) -> HttpResponse:
    caller, project = _owned(request, slug)
    return _people_page(request, caller, project, InviteForm())


@require_POST
@never_cache
def invitation_create(request: HttpRequest, slug: str) -> HttpResponse:
    """Answers with the page itself: the link exists in clear in this one answer only."""
    caller, project = _owned(request, slug)
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _people_page(request, caller, project, form, status=422)
    invitation, secret = invite.invite(
        project=project, role=Role(form.cleaned_data["role"]), email=form.cleaned_data["email"], by=caller.user
    )
    link = request.build_absolute_uri(reverse("accounts:invitation", args=[secret]))
    return _people_page(request, caller, project, InviteForm(), invitation=invitation, link=link)


def _people_page(
    request: HttpRequest, caller: Caller, project: Project, form: Form, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "project": project,
        "role": role_in(caller.user, project),
        "members": queries.members_of(project),
        "invitations": queries.open_invitations_of(project),
        "roles": Role.choices,
        "form": form,
        **more,
    }
    return render(request, "accounts/people.html", context, status=status)


@require_POST
def invitation_revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    caller = caller_of(request)
    invite.revoke(invitation=invitation_for(caller, slug, invitation_id), by=caller.user)
    messages.success(request, "The invitation link does not work any more.")
    return redirect("accounts:people", slug)


@require_POST
def member_role(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    caller = caller_of(request)
    membership = membership_for(caller, slug, user_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        changed = change_member.change_role(membership=membership, role=role, by=caller.user)
        messages.success(request, f"{changed.user} is now {role.value} in {changed.project}.")
    return redirect("accounts:people", slug)


@require_POST
def member_remove(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    caller = caller_of(request)
    membership = membership_for(caller, slug, user_id)
    change_member.remove_member(membership=membership, by=caller.user)
    messages.success(request, f"{membership.user} has left {membership.project}. What they judged stays.")
    if membership.user == caller.user:
        return redirect("winnow:home")
    return redirect("accounts:people", slug)


@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, slug: str) -> HttpResponse:
    caller, project = _owned(request, slug)
    form = RenameForm(request.POST if request.method == "POST" else None, initial={"name": project.name})
    if form.is_valid():
        rename_project(project=project, name=form.cleaned_data["name"], by=caller.user)
        messages.success(request, f"The project is called {project.name} now.")
        return redirect("accounts:settings", slug)
    before = last_id(request.GET["cursor"]) if request.GET.get("cursor") else None
    rows = queries.audit_trail(project, before=before)[: AUDIT_PAGE + 1]
    events, following = page(rows, limit=AUDIT_PAGE, position=lambda event: {"id": event.pk})
    context = {
        "project": Project.objects.get(pk=project.pk),
        "role": role_in(caller.user, project),
        "form": form,
        "events": events,
        "next": following,
        "is_first_page": before is None,
    }
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """A new token is shown in the answer that makes it, and never again."""
    caller = caller_of(request)
    projects = queries.projects_of(caller.user)
    form = TokenForm(request.POST if request.method == "POST" else None, projects=projects)
    context: dict[str, Any] = {"tokens": queries.tokens_of(caller)}
    if form.is_valid():
        context["issued"], context["clear"] = _issued(caller, form)
        form = TokenForm(projects=projects)
    context["form"] = form
    return render(request, "accounts/tokens.html", context, status=422 if form.errors else 200)


def _issued(caller: Caller, form: TokenForm) -> tuple[ApiToken, str]:
    return issue_token(
        user=caller.user,
        scope=Scope(form.cleaned_data["scope"]),
        project=form.cleaned_data["project"],
        name=form.cleaned_data["name"],
        expires_at=form.expires_at(),
        by=caller,
    )


@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    caller = caller_of(request)
    token = revoke_token(token=token_for(caller, token_id), by=caller.user)
    messages.success(request, f"The token {token.prefix}… does not work any more.")
    return redirect("accounts:tokens")


@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    caller = caller_of(request)
    form = ProjectForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            project = create_project(**form.cleaned_data, by=caller.user)
        except Problem as problem:
            _show_in(form, problem)
        else:
            messages.success(request, f"{project.name} is yours. Import rows to begin.")
            return redirect(_first_page_of(project))
    return render(request, "accounts/project_new.html", {"form": form}, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Open to whoever holds the link: accept as oneself, or make an account and accept."""
    invited = invite.find(token)
    if request.user.is_authenticated:
        if request.method == "POST":
            return _joined(request, invite.accept(secret=token, user=request.user).project)
        return render(request, "accounts/invitation.html", {"invitation": invited})
    form = JoinForm(request.POST if request.method == "POST" else None, initial={"email": invited.email})
    form.fields["email"].disabled = bool(invited.email)
    if form.is_valid():
        try:
            membership = invite.join_as_new(secret=token, **form.cleaned_data)
        except Problem as problem:
            _show_in(form, problem)
        else:
            login(request, membership.user, backend=PASSWORD_BACKEND)
            return _joined(request, membership.project)
    context = {"invitation": invited, "form": form}
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


def _joined(request: HttpRequest, project: Project) -> HttpResponse:
    messages.success(request, f"Welcome to {project.name}.")
    return redirect("winnow:home")


def _show_in(form: Form, problem: Problem) -> None:
    """A problem of one field is shown at that field; any other goes to the error page."""
    if not problem.fields or not set(problem.fields) <= set(form.fields):
        raise problem
    for field, message in problem.fields.items():
        form.add_error(field, message)


def _first_page_of(project: Project) -> str:
    """The import page, since a new project is empty; it belongs to an area above."""
    try:
        return reverse("corpus:import", args=[project.slug])
    except NoReverseMatch:
        return reverse("winnow:home")
