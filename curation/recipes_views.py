"""The pages of recipes: what would this rule do? Rules as text, counts and examples beside them as one types."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import caller_of
from accounts.models import Project
from accounts.problems import Problem
from corpus.models import Comparison
from curation.access import curated_project, frame_of, readable_project
from curation.decide import undo
from curation.fields import FIELDS
from curation.gains_views import sentence_of
from curation.models import DecisionBatch, Recipe
from curation.preview import Preview, preview
from curation.recipes import (
    STARTER,
    STARTER_NAME,
    apply_recipe,
    newest_recipe,
    newest_recipes,
    recipe_text,
    save_recipe,
    version_of,
)
from curation.rules import InvalidRecipe, Rules, parse, read_text

BLANK: dict[str, Any] = {"rules": [{"name": "keep all", "then": "keep"}]}


@require_http_methods(["GET", "POST"])
def recipes(request: HttpRequest, slug: str) -> HttpResponse:
    """Which recipes are there, and a first one to begin with."""
    project = curated_project(request, slug) if request.method == "POST" else readable_project(request, slug)
    context = {
        **frame_of(request, project),
        "recipes": newest_recipes(project),
        "in_force": _in_force(project),
        "starter_name": STARTER_NAME,
    }
    if request.method == "GET":
        return render(request, "curation/recipes.html", context)
    is_starter = request.POST.get("from") == "starter"
    name = request.POST.get("name", "").strip() or (STARTER_NAME if is_starter else "")
    try:
        if not Recipe.objects.filter(project=project, name=name.replace("\x00", "")).exists():
            save_recipe(
                project=project, name=name, document=STARTER if is_starter else BLANK, by=caller_of(request).user
            )
    except Problem as problem:
        return render(request, "curation/recipes.html", {**context, "problem": problem, "name": name}, status=422)
    return redirect("curation:recipe", slug, name)


@require_http_methods(["GET", "POST"])
def recipe(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One recipe as text; POST keeps it, and puts it in force if asked to."""
    if request.method == "POST":
        return _keep(request, curated_project(request, slug), name)
    project = readable_project(request, slug)
    found = version_of(newest_recipe(project, name), request.GET.get("version"))
    return render(request, "curation/recipe.html", _page(request, found, recipe_text(found.document)))


def _keep(request: HttpRequest, project: Project, name: str) -> HttpResponse:
    former = newest_recipe(project, name)
    text = request.POST.get("text", "")
    try:
        kept = save_recipe(project=project, name=name, document=read_text(text), by=caller_of(request).user)
    except Problem as problem:
        return render(request, "curation/recipe.html", {**_page(request, former, text), "problem": problem}, status=422)
    said = f"Version {kept.version} is kept." if kept.pk != former.pk else "Nothing changed since this version."
    if request.POST.get("then") == "apply":
        batch = apply_recipe(recipe=kept, by=caller_of(request).user)
        said = f"Version {kept.version} is in force: {batch.decisions.count():,} decisions. What people decided stays."
    messages.success(request, said)
    return redirect("curation:recipe", project.slug, name)


@require_POST
def recipe_preview(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Counts and examples for the text as it stands in the editor; a mistake in it is told, not an error."""
    project = readable_project(request, slug)
    former = newest_recipe(project, name)
    try:
        rules = parse(read_text(request.POST.get("text", "")))
    except InvalidRecipe as problem:
        return render(request, "curation/_recipe_preview.html", {"problem": problem, "project": project})
    found = preview(project=project, rules=rules, against=parse(former.document))
    context = {"project": project, "found": found, "former": former, "examples": _examples(found, rules)}
    return render(request, "curation/_recipe_preview.html", context)


@require_POST
def recipe_undo(request: HttpRequest, slug: str) -> HttpResponse:
    """Take back the recipe that is in force; the one before it stands again."""
    project = curated_project(request, slug)
    batch = _in_force(project)
    if batch is not None:
        undo(batch=batch, by=caller_of(request).user)
        messages.success(request, f"{batch.reason} is no longer in force.")
    return redirect("curation:recipes", slug)


@require_GET
def recipe_fields(request: HttpRequest, slug: str) -> HttpResponse:
    """What a rule may ask."""
    project = readable_project(request, slug)
    return render(
        request, "curation/recipe_fields.html", {**frame_of(request, project), "fields": list(FIELDS.values())}
    )


def _page(request: HttpRequest, recipe: Recipe, text: str) -> dict[str, Any]:
    versions = Recipe.objects.filter(project=recipe.project, name=recipe.name).order_by("-version")
    gain_said, gain_report = sentence_of(recipe)
    return {
        **frame_of(request, recipe.project),
        "recipe": recipe,
        "text": text,
        "versions": versions.select_related("created_by"),
        "in_force": _in_force(recipe.project),
        "gain_said": gain_said,
        "gain_report": gain_report,
    }


def _in_force(project: Project) -> DecisionBatch | None:
    batches = DecisionBatch.objects.filter(project=project, recipe__isnull=False, undone_at=None)
    return batches.select_related("recipe").order_by("-pk").first()


def _examples(found: Preview, rules: Rules) -> list[tuple[Any, list[Comparison]]]:
    """Each rule with its example rows, in the order of the rules."""
    wanted = {pk for rule in found.rules for pk in rule.examples} | set(found.unmatched_examples)
    rows = Comparison.objects.select_related("prompt", "source").in_bulk(wanted)
    return [(rule, [rows[pk] for pk in rule.examples if pk in rows]) for rule in found.rules] + [
        (None, [rows[pk] for pk in found.unmatched_examples if pk in rows])
    ]
