"""Recipes kept by version, and applied: one decision per comparison that a rule matches, all in one transaction."""

from __future__ import annotations

import re
from typing import Any

import yaml
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Invalid, NotFound
from curation import rules_sql
from curation.audits.evidence import checked, refuse_unaudited
from curation.models import DecisionBatch, Recipe
from curation.rules import Rules, parse
from curation.standing import Standing

STARTER_NAME = "Strength and duplicates"
STARTER: dict[str, Any] = {
    "name": STARTER_NAME,
    "rules": [
        {
            "name": "identical or empty sides",
            "when": {
                "any": [
                    {"field": "identical_sides", "op": "==", "value": True},
                    {"field": "empty_side", "op": "==", "value": True},
                ]
            },
            "then": "drop",
        },
        {
            "name": "exact duplicates",
            "when": {
                "all": [
                    {"field": "near_duplicates.is_duplicate", "op": "==", "value": True},
                    {"field": "near_duplicates.exact", "op": "==", "value": True},
                ]
            },
            "then": "drop",
        },
        {
            "name": "no clear label",
            "when": {"not": {"field": "has_label", "op": "==", "value": True}},
            "then": "review",
        },
        {
            "name": "votes contradict the label",
            "when": {"field": "model_vote.band", "op": "==", "value": "incorrect"},
            "then": "review",
        },
        {
            "name": "people contradict the label",
            "when": {"field": "consensus.disagrees_with_label", "op": "==", "value": True},
            "then": "review",
        },
        {"name": "keep the rest", "then": "keep", "margin": "model_vote.strength"},
    ],
}


class UnknownRecipe(NotFound):
    code = "unknown_recipe"


class InvalidRecipeName(Invalid):
    code = "invalid_name"


# It is a part of the page's address.
NAME = re.compile(r"[^/\x00-\x1f\x7f-\x9f.\ud800-\udfff][^/\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,119}")


def newest_recipe(project: Project, name: str) -> Recipe:
    found = Recipe.objects.filter(project=project, name=name).order_by("-version").select_related("project")
    recipe = found.first() if NAME.fullmatch(name) else None
    if recipe is None:
        raise UnknownRecipe(f"There is no recipe {name[:120]!r} in {project.slug}.", fields={"recipe": "unknown"})
    return recipe


def version_of(recipe: Recipe, version: str | None) -> Recipe:
    """Another version of the same recipe, by its number."""
    if version is None:
        return recipe
    found = None
    if version.isascii() and version.isdigit() and len(version) < 10:
        same = Recipe.objects.filter(project=recipe.project, name=recipe.name, version=int(version))
        found = same.select_related("project").first()
    if found is None:
        raise UnknownRecipe(f"The recipe {recipe.name!r} has no version {version[:20]!r}.")
    return found


def save_recipe(*, project: Project, name: str, document: Any, by: User | None) -> Recipe:
    """A new version if the document differs from the newest one, else that one."""
    if not NAME.fullmatch(name):
        raise InvalidRecipeName(
            "A recipe's name has 1 to 120 characters, no slash, and does not begin with a dot.",
            fields={"name": "not usable"},
        )
    rules = parse(document)
    with transaction.atomic():
        # One writer per project, so that two savers cannot take the same version number.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        newest = Recipe.objects.filter(project=project, name=name).order_by("-version").first()
        if newest is not None and newest.document == rules.document:
            return newest
        recipe = Recipe.objects.create(
            project=project,
            name=name,
            version=newest.version + 1 if newest else 1,
            document=rules.document,
            created_by=by,
        )
        audit.record(
            actor=by,
            project=project,
            action="save recipe",
            subject=recipe,
            details={"name": name, "version": recipe.version},
        )
    return recipe


def newest_recipes(project: Project) -> QuerySet[Recipe]:
    """The newest version of each, by name."""
    newest = Recipe.objects.filter(project=project).order_by("name", "-version").distinct("name")
    return Recipe.objects.filter(pk__in=newest.values("pk")).order_by("name").select_related("created_by", "project")


def recipe_text(document: dict[str, Any]) -> str:
    """The document as a person edits it; the database does not keep the order of keys."""
    return yaml.safe_dump(
        _in_reading_order(document), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )


READING_ORDER = ("name", "description", "rules", "when", "then", "margin", "weight", "field", "op", "value")


def _in_reading_order(part: Any) -> Any:
    if isinstance(part, list):
        return [_in_reading_order(each) for each in part]
    if not isinstance(part, dict):
        return part
    known = [key for key in READING_ORDER if key in part]
    return {key: _in_reading_order(part[key]) for key in [*known, *(key for key in part if key not in known)]}


def apply_recipe(*, recipe: Recipe, by: User | None) -> DecisionBatch:
    """Put the recipe's decisions in force in place of those of any recipe before; what people decided stays."""
    project = recipe.project
    found = checked(project, parse(recipe.document))
    refuse_unaudited(found)
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        batch = DecisionBatch.objects.create(
            project=project, author=None, recipe=recipe, reason=f"{recipe.name}, version {recipe.version}"
        )
        _retire_rule_decisions(project)
        rows = _insert_decisions(project, found.rules, batch)
        audit.record(
            actor=by,
            project=project,
            action="apply recipe",
            subject=recipe,
            details={"version": recipe.version, "batch": batch.pk, "rows": rows},
        )
    return batch


def _retire_rule_decisions(project: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE curation_decision d SET is_current = false FROM curation_decisionbatch b"
            " WHERE b.id = d.batch_id AND b.project_id = %s AND d.is_current AND NOT d.is_by_hand",
            [project.pk],
        )


def _insert_decisions(project: Project, rules: Rules, batch: DecisionBatch) -> int:
    """Rows that a person decided keep that; a row without a label cannot be kept, flipped or softened."""
    standing = Standing.of(project, sees="base", is_whole=True)
    decided = decided_sql(rules, standing)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO curation_decision"  # noqa: S608 - built from the allow-list, values bound
            " (batch_id, comparison_id, action, is_by_hand, rule, label, soften_to, margin, weight, is_current)"
            f" SELECT {standing.param(batch.pk)}, id, action, false, rule,"
            " CASE WHEN action IN ('keep', 'soften') THEN label WHEN action = 'flip' THEN -label ELSE given END,"
            f" soften_to, margin, weight, true FROM ({decided}) decided"
            " WHERE matched IS NOT NULL AND hand IS NULL"
            " AND (label IS NOT NULL OR action IN ('drop', 'review', 'label')) ORDER BY id",
            standing.params,
        )
        return int(cursor.rowcount)


def decided_sql(rules: Rules, standing: Standing, extra: str = "") -> str:
    """Per comparison: id, hand (its action), base label, matched rule, and what that rule says of it; `given` is the
    label that it gives by the method `label_by`.

    `extra` are further columns of the standing query, such as `, hand.label AS hand_label`.
    """
    matched = rules_sql.matched_rule_sql(rules, standing)
    margins = rules_sql.margins_sql(rules, standing) + rules_sql.given_columns_sql(rules, standing)
    label, hand = standing.label, standing.decision
    inner = (
        f"SELECT c.id, ({label})::smallint AS label, {hand} AS hand, {matched} AS matched{margins}{extra}"
        # OFFSET 0: the rules are worked out once per row, not once per column that asks for the matched one.
        f" {standing.from_sql} OFFSET 0"
    )
    columns = {
        "action": rules_sql.action_sql(rules, standing),
        "rule": rules_sql.name_sql(rules, standing),
        "soften_to": rules_sql.soften_sql(rules, standing),
        "margin": rules_sql.margin_sql(rules),
        "weight": rules_sql.weight_sql(rules, standing),
        "given": rules_sql.label_sql(rules),
        "label_by": rules_sql.label_by_sql(rules, standing),
    }
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"SELECT matches.*, {chosen} FROM ({inner}) matches"  # noqa: S608 - built from the allow-list, values bound
