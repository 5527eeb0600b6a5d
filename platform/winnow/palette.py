"""What Ctrl+K can go to: the pages, projects, campaigns, methods, recipes and releases that the person may open."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.access import ROLES, caller_of, project_for, role_in
from accounts.models import Project, Role, Scope, User
from accounts.queries import projects_of
from annotation.models import Campaign
from curation.models import Recipe, Release
from ledger.models import MethodCard
from winnow.templatetags.winnow_frame import links_of

Entry = dict[str, str]


@require_GET
def palette(request: HttpRequest) -> JsonResponse:
    caller = caller_of(request)
    entries = list(_projects(caller.user))
    slug = request.GET.get("project", "")
    if slug:
        project = project_for(caller, slug, role=Role.ANNOTATOR, scope=Scope.READ)
        role = role_in(caller.user, project) or Role.ANNOTATOR
        entries = [*_inside(project, role), *entries]
    return JsonResponse({"entries": entries})


def _projects(user: User) -> Iterator[Entry]:
    for project in projects_of(user)[:50]:
        page = "annotation:annotate" if role_in(user, project) == Role.ANNOTATOR else "curation:overview"
        yield _entry("project", project.name, reverse(page, args=[project.slug]))


def _inside(project: Project, role: Role) -> Iterator[Entry]:
    for link in links_of(project, role, ""):
        yield _entry("page", link.label, link.href)
    if ROLES.index(role) < ROLES.index(Role.CURATOR):
        return
    for campaign in Campaign.objects.filter(project=project).order_by("-id")[:50]:
        yield _entry("campaign", campaign.name, reverse("annotation:campaign", args=[project.slug, campaign.id]))
    for method, label in sorted(set(MethodCard.objects.values_list("method", "label"))):
        yield _entry("method", label, reverse("curation:method", args=[project.slug, method]))
    recipes = Recipe.objects.filter(project=project).values_list("name", flat=True)
    for name in sorted(set(recipes)):
        yield _entry("recipe", name, reverse("curation:recipe", args=[project.slug, name]))
    for release in Release.objects.filter(project=project).order_by("-id")[:50]:
        yield _entry("release", release.name, reverse("curation:release", args=[project.slug, release.name]))


def _entry(kind: str, label: str, href: str) -> Entry:
    return {"kind": kind, "label": label, "href": href}
