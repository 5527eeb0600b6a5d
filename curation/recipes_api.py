"""Recipes over the API: try one, keep it, put it in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Body, Router, Schema

from accounts.access import caller_of
from accounts.paging import DEFAULT_LIMIT, Limit, decode, page
from curation.access import curated_project, readable_project
from curation.audits.evidence import checked
from curation.gains.reports import document_of, newest_report, unfinished
from curation.models import Recipe
from curation.preview import Preview, RuleCount, preview
from curation.recipes import apply_recipe, newest_recipe, newest_recipes, save_recipe, version_of
from curation.rules import InvalidRecipe, Rules, parse

router = Router(tags=["recipes"])


class RuleCountOut(Schema):
    name: str
    action: str
    count: int
    released: int
    by_hand: int
    without_label: int
    unaudited: bool
    # Of a rule that labels, flips or drops on an opinion: what its audit found, and the bound that it has to pass.
    audit: dict[str, Any] | None
    # The method that gives the label, and what probes say of the methods by whose word the rule acts.
    label_by: str | None
    probes: list[dict[str, Any]]
    examples: list[int]
    change: int | None


class PreviewOut(Schema):
    """Counts are comparisons; `unmatched` are those that no rule matches. Nothing was written."""

    total: int
    released: int
    rules: list[RuleCountOut]
    unmatched: int
    unmatched_examples: list[int]
    by_hand: dict[str, int]
    warnings: list[str]
    changed: int | None


class RecipeOut(Schema):
    id: int
    name: str
    version: int
    document: dict[str, Any]
    unaudited_rules: list[str]
    author: str | None
    created_at: datetime


class RecipePage(Schema):
    items: list[RecipeOut]
    next: str | None


class AppliedOut(Schema):
    batch: int
    decisions: int


class GainOut(Schema):
    """`report` is null where nobody measured this version."""

    recipe: str
    version: int
    unfinished_run: int | None
    report: dict[str, Any] | None


@router.post("/projects/{slug}/recipes/preview", response=PreviewOut)
def post_preview(request: HttpRequest, slug: str, payload: Body[dict[str, Any]]) -> PreviewOut:
    """The body is the recipe itself, {"rules": [...]}, or {"recipe": its name or the document}."""
    project = readable_project(request, slug)
    given = payload.get("recipe", payload)
    if isinstance(given, str):
        given = newest_recipe(project, given).document
    return preview_out(preview(project=project, rules=parse(given), against=former_rules(project, given)))


@router.get("/projects/{slug}/recipes", response=RecipePage)
def list_recipes(
    request: HttpRequest, slug: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> RecipePage:
    """The newest version of each, by name."""
    rows = newest_recipes(readable_project(request, slug))
    if cursor is not None:
        rows = rows.filter(name__gt=str(decode(cursor).get("name", "")))
    shown, following = page(rows[: limit + 1], limit=limit, position=lambda recipe: {"name": recipe.name})
    return RecipePage(items=[recipe_out(recipe) for recipe in shown], next=following)


@router.post("/projects/{slug}/recipes", response={201: RecipeOut})
def post_recipe(request: HttpRequest, slug: str, payload: Body[dict[str, Any]]) -> tuple[int, RecipeOut]:
    """{"name": ..., "rules": [...]}, or {"name": ..., "recipe": document}. The same again is the same version."""
    project = curated_project(request, slug)
    name = payload.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRecipe("name", "is missing: a recipe is kept under a name.")
    document = payload.get("recipe", payload)
    return 201, recipe_out(save_recipe(project=project, name=name, document=document, by=caller_of(request).user))


@router.post("/projects/{slug}/recipes/{name}/apply", response=AppliedOut)
def post_apply(request: HttpRequest, slug: str, name: str) -> AppliedOut:
    """Put the newest version's decisions in force, in place of those of any recipe before. Hand decisions stay."""
    project = curated_project(request, slug)
    batch = apply_recipe(recipe=newest_recipe(project, name), by=caller_of(request).user)
    return AppliedOut(batch=batch.pk, decisions=batch.decisions.count())


@router.get("/projects/{slug}/recipes/{name}/gain", response=GainOut)
def get_gain(request: HttpRequest, slug: str, name: str, version: int | None = None) -> GainOut:
    """Is it better than raw? The newest report of a version; POST a run of the method `gain` for another one."""
    recipe = version_of(newest_recipe(readable_project(request, slug), name), None if version is None else str(version))
    report, moving = newest_report(recipe), unfinished(recipe)
    return GainOut(
        recipe=recipe.name,
        version=recipe.version,
        unfinished_run=moving.pk if moving else None,
        report=document_of(report) if report else None,
    )


def former_rules(project: Any, document: Any) -> Rules | None:
    """The newest kept version of a recipe of this name."""
    name = document.get("name") if isinstance(document, dict) else None
    if not isinstance(name, str) or "\x00" in name:
        return None
    kept = Recipe.objects.filter(project=project, name=name).order_by("-version").first()
    return parse(kept.document) if kept else None


def preview_out(found: Preview) -> PreviewOut:
    return PreviewOut(
        total=found.total,
        released=found.released,
        rules=[_rule_out(rule) for rule in found.rules],
        unmatched=found.unmatched,
        unmatched_examples=found.unmatched_examples,
        by_hand=found.by_hand,
        warnings=found.warnings,
        changed=found.changed,
    )


def _rule_out(rule: RuleCount) -> RuleCountOut:
    return RuleCountOut(
        name=rule.name,
        action=str(rule.action),
        count=rule.count,
        released=rule.released,
        by_hand=rule.by_hand,
        without_label=rule.without_label,
        unaudited=rule.is_unaudited,
        audit=rule.evidence.as_document() if rule.evidence else None,
        label_by=rule.label_by,
        probes=[gate.as_document() for gate in rule.gates],
        examples=rule.examples,
        change=rule.change,
    )


def recipe_out(recipe: Recipe) -> RecipeOut:
    return RecipeOut(
        id=recipe.pk,
        name=recipe.name,
        version=recipe.version,
        document=recipe.document,
        unaudited_rules=checked(recipe.project, parse(recipe.document)).unaudited,
        author=recipe.created_by.email if recipe.created_by else None,
        created_at=recipe.created_at,
    )
