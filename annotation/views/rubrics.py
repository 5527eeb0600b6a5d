"""The pages of rubrics: what responses are checked against, in versions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of, project_for
from accounts.models import Project, Role, Scope
from accounts.problems import NotFound, Problem
from annotation.models import Rubric
from annotation.rubrics.access import rubric_for
from annotation.rubrics.difference import difference
from annotation.rubrics.document import checked, criteria_of
from annotation.rubrics.form import TypedCriterion, mark_problems, rows_of, typed_rows
from annotation.rubrics.of_campaign import change_rubric
from annotation.rubrics.queries import campaigns_asking, rubric_rows, version_named, versions_of
from annotation.rubrics.read import MAX_DOCUMENT_CHARACTERS, exported, read_text
from annotation.rubrics.save import save_rubric
from annotation.views._page import campaign_of, context

BLANK = TypedCriterion()
# The two sides of a preview, where there is no item.
PREVIEW_SIDES = [{"letter": letter, "response_id": number} for number, letter in enumerate("AB", start=1)]


@login_required
@require_GET
def rubrics(request: HttpRequest, slug: str) -> HttpResponse:
    """What do we check responses against?"""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    return render(request, "annotation/rubrics.html", context(request, project, rows=rubric_rows(project)))


@login_required
@require_http_methods(["GET", "POST"])
def rubric_new(request: HttpRequest, slug: str) -> HttpResponse:
    caller = caller_of(request)
    scope = Scope.CURATE if request.method == "POST" else Scope.READ
    project = project_for(caller, slug, role=Role.CURATOR, scope=scope)
    if request.method == "POST":
        return _save(request, project, None)
    return render(request, "annotation/rubric.html", _editor(request, project, None, [TypedCriterion()]))


@login_required
@require_http_methods(["GET", "POST"])
def rubric(request: HttpRequest, slug: str, rubric_id: int) -> HttpResponse:
    """What exactly is asked, and what changed? Saving makes a new version."""
    if request.method == "POST":
        held = _rubric_of(request, slug, rubric_id, scope=Scope.CURATE)
        return _save(request, held.project, held)
    held = _rubric_of(request, slug, rubric_id, scope=Scope.READ)
    page = _editor(request, held.project, held, rows_of(held.criteria))
    return render(request, "annotation/rubric.html", page)


def _rubric_of(request: HttpRequest, slug: str, rubric_id: int, *, scope: Scope) -> Rubric:
    """The rubric of this address: another project's number is not here."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=scope)
    held = rubric_for(caller_of(request), rubric_id, role=Role.CURATOR, scope=scope)
    if held.project_id != project.id:
        raise NotFound(f"There is no rubric {rubric_id} in {slug}.")
    return held


def _editor(request: HttpRequest, project: Project, held: Rubric | None, rows: list[TypedCriterion]) -> dict[str, Any]:
    versions = versions_of(held) if held else []
    since = request.GET.get("since", "")
    before = version_named(project, held.name, int(since)) if held and since.isdigit() and len(since) < 9 else None
    return context(
        request,
        project,
        rubric=held,
        name=held.name if held else "",
        rows=rows,
        blank=BLANK,
        versions=versions,
        newest=versions[0].version if versions else 0,
        campaigns=campaigns_asking(held) if held else [],
        before=before,
        changes=difference(before.criteria, held.criteria) if before and held else [],
    )


def _save(request: HttpRequest, project: Project, held: Rubric | None) -> HttpResponse:
    """The form stays in the browser as it was typed until it is saved: htmx swaps in only what is wrong."""
    rows = typed_rows(request.POST)
    name = held.name if held else request.POST.get("name", "")
    base = request.POST.get("base_version", "0")
    try:
        saved = save_rubric(
            project=project,
            name=name,
            criteria=[row.as_criterion() for row in rows],
            by=caller_of(request).user,
            after_version=int(base) if base.isdigit() and len(base) < 9 else 0,
        )
    except Problem as problem:
        return _refused(request, project, held, name, rows, problem)
    is_new = str(saved.version) != base
    messages.success(request, f"Saved as version {saved.version}." if is_new else "Nothing had changed.")
    target = reverse("annotation:rubric", args=[project.slug, saved.id])
    if not request.headers.get("HX-Request"):
        return redirect(target)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = target
    return response


def _refused(
    request: HttpRequest, project: Project, held: Rubric | None, name: str, rows: list[TypedCriterion], problem: Problem
) -> HttpResponse:
    rest = mark_problems(rows, problem.fields)
    refused = {"problem": problem, "rest": rest, "wrong": [(n, row) for n, row in enumerate(rows, 1) if row.problems]}
    if request.headers.get("HX-Request"):
        return render(request, "annotation/_rubric_problems.html", refused)
    page = _editor(request, project, held, rows or [TypedCriterion()]) | refused | {"name": name}
    return render(request, "annotation/rubric.html", page, status=problem.status)


@login_required
@require_POST
def rubric_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """As the annotator sees it; writes nothing."""
    project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.READ)
    rows = typed_rows(request.POST)
    try:
        criteria = checked([row.as_criterion() for row in rows])
    except Problem as problem:
        rest = mark_problems(rows, problem.fields)
        wrong = [(n, row) for n, row in enumerate(rows, 1) if row.problems]
        return render(request, "annotation/_rubric_preview.html", {"rest": rest, "wrong": wrong})
    asked = [criterion for criterion in criteria_of(criteria) if criterion.is_asked(of_pairs=False)]
    left = [criterion for criterion in criteria_of(criteria) if not criterion.is_asked(of_pairs=False)]
    shown = {"criteria": asked, "left": left, "sides": PREVIEW_SIDES, "of_pairs": False, "open": True}
    return render(request, "annotation/_rubric_preview.html", shown)


@login_required
@require_POST
def rubric_import(request: HttpRequest, slug: str) -> HttpResponse:
    """JSON, YAML, or one scored criterion; the text stays in the form when it cannot be read."""
    project = project_for(caller_of(request), slug, role=Role.CURATOR, scope=Scope.CURATE)
    sent = request.FILES.get("file")
    try:
        raw = sent.read(4 * MAX_DOCUMENT_CHARACTERS + 1) if sent else b""
        text = raw.decode("utf-8-sig", errors="replace") if sent else request.POST.get("document", "")
        found = read_text(text)
        saved = save_rubric(
            project=project,
            name=request.POST.get("name", "").strip() or found.name,
            criteria=found.criteria,
            by=caller_of(request).user,
            origin=f"file {sent.name}"[:200] if sent else "pasted",
        )
    except Problem as problem:
        typed = {"document": request.POST.get("document", ""), "name": request.POST.get("name", "")}
        page = context(request, project, rows=rubric_rows(project), problem=problem, **typed)
        return render(request, "annotation/rubrics.html", page, status=problem.status)
    messages.success(request, f"Imported as version {saved.version}.")
    return redirect("annotation:rubric", slug, saved.id)


@login_required
@require_GET
def rubric_export(request: HttpRequest, slug: str, rubric_id: int) -> HttpResponse:
    held = _rubric_of(request, slug, rubric_id, scope=Scope.READ)
    response = HttpResponse(exported(held.name, held.version, held.criteria), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="rubric-{held.id}-v{held.version}.json"'
    return response


@login_required
@require_POST
def rubric_use(request: HttpRequest, slug: str, rubric_id: int) -> HttpResponse:
    """A campaign asks by this version from now on."""
    held = _rubric_of(request, slug, rubric_id, scope=Scope.CURATE)
    number = request.POST.get("campaign", "")
    campaign_id = int(number) if number.isdigit() and len(number) < 19 else 0
    campaign = campaign_of(request, slug, campaign_id, role=Role.CURATOR, scope=Scope.CURATE)
    change_rubric(campaign=campaign, version=held.version, by=caller_of(request).user)
    messages.success(request, f"{campaign.name} now asks by version {held.version}.")
    return redirect("annotation:rubric", slug, rubric_id)
