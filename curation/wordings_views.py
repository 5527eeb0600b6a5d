"""The pages of words: what do methods say to models here? One text per kind, a version each time it is saved."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of
from accounts.models import Project
from accounts.problems import Problem
from curation.access import curated_project, frame_of, readable_project
from curation.wordings.difference import difference
from curation.wordings.kinds import NAMES, InvalidWording, checked, kind_of
from curation.wordings.queries import UnknownVersion, Words, newest_words, versions, words_version
from curation.wordings.save import save_words
from curation.wordings.text import lines_of, read_text, text_of


@require_GET
def wordings(request: HttpRequest, slug: str) -> HttpResponse:
    """Which words are there, and from when?"""
    project = readable_project(request, slug)
    rows = [(kind_of(name), newest_words(project, name)) for name in NAMES]
    return render(request, "curation/wordings.html", {**frame_of(request, project), "rows": rows})


@require_http_methods(["GET", "POST"])
def wording(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """The words of a kind as text; POST keeps them as a version."""
    if request.method == "POST":
        return _keep(request, curated_project(request, slug), kind)
    project = readable_project(request, slug)
    shown = _asked(project, kind, request.GET.get("version"))
    return render(request, "curation/wording.html", _page(request, project, shown, text_of(kind, shown.document)))


def _keep(request: HttpRequest, project: Project, kind: str) -> HttpResponse:
    newest, text = newest_words(project, kind), request.POST.get("text", "")
    try:
        document = read_text(text)
        base = _number(request.POST.get("base_version", ""))
        kept = save_words(project=project, kind=kind, document=document, by=caller_of(request).user, after_version=base)
    except Problem as problem:
        context = _page(request, project, newest, text, problem)
        return render(request, "curation/wording.html", context, status=problem.status)
    messages.success(
        request,
        f"Version {kept.version} is kept. Runs that are asked for from now on read it."
        if kept.version != newest.version
        else "Nothing changed since this version.",
    )
    return redirect("curation:wording", project.slug, kind)


@require_POST
def wording_preview(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """What the text as it stands would change; a mistake in it is told at its line, and is no error."""
    project = readable_project(request, slug)
    newest, text = newest_words(project, kind), request.POST.get("text", "")
    context: dict[str, Any] = {"project": project, "newest": newest}
    try:
        shaped = checked(kind, read_text(text))
    except InvalidWording as problem:
        context |= {"problem": problem, "places": _places(text, problem)}
    else:
        context["lines"] = difference(text_of(kind, newest.document), text_of(kind, shaped))
    return render(request, "curation/_wording_preview.html", context)


def _page(
    request: HttpRequest, project: Project, shown: Words, text: str, problem: Problem | None = None
) -> dict[str, Any]:
    return {
        **frame_of(request, project),
        "kind": kind_of(shown.kind),
        "shown": shown,
        "newest": newest_words(project, shown.kind),
        "versions": versions(project, shown.kind)[:20],
        "text": text,
        "problem": problem,
        "places": _places(text, problem) if problem else [],
    }


def _places(text: str, problem: Problem) -> list[tuple[int | None, str, str]]:
    """Line, path and what is wrong there, in the order of the text."""
    lines = lines_of(text, list(problem.fields))
    found = [(lines.get(path), path, words) for path, words in problem.fields.items()]
    return sorted(found, key=lambda place: place[0] or 0)


def _asked(project: Project, kind: str, version: str | None) -> Words:
    if version is None:
        return newest_words(project, kind)
    number = _number(version)
    if number is None:
        kind_of(kind)
        raise UnknownVersion(f"There is no version {version[:20]!r}.")
    return words_version(project, kind, number)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
