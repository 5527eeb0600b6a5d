"""Recipes: tried without a trace, kept by version, applied in one act."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from curation.models import Action, Decision, Recipe
from curation.recipes import STARTER, apply_recipe, recipe_text, save_recipe
from curation.rules import parse, read_text

RECIPES = "/api/v1/projects/demo/recipes"
PREVIEW = f"{RECIPES}/preview"
FLIP = {"name": "flip", "when": {"field": "label", "op": "<", "value": 0}, "then": "flip"}


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def test_a_preview_counts_per_rule_and_writes_nothing(logged_in: Client, corpus: Any, curator: User) -> None:
    rows = [corpus.add(label=label) for label in (-2, -1, -1, None, 3)]
    corpus.decide(rows[0], Action.KEEP, curator, label=-2)
    answer = post(logged_in, PREVIEW, {"rules": [FLIP]}).json()
    rule = answer["rules"][0]
    assert (rule["count"], rule["by_hand"], rule["released"], rule["unaudited"]) == (3, 1, 2, True)
    assert set(rule["examples"]) == {row.pk for row in rows[:3]}
    assert (answer["total"], answer["unmatched"], answer["released"]) == (5, 2, 3)
    assert set(answer["unmatched_examples"]) == {rows[3].pk, rows[4].pk}
    assert not Recipe.objects.exists() and Decision.objects.count() == 1


def test_a_preview_warns_of_a_method_that_never_ran(logged_in: Client, corpus: Any) -> None:
    corpus.add()
    warnings = post(logged_in, PREVIEW, {"recipe": STARTER}).json()["warnings"]
    assert [text.split()[0] for text in warnings] == ["model_vote", "near_duplicates"]


def test_a_preview_tells_the_change_against_the_kept_version(logged_in: Client, corpus: Any, project: Project) -> None:
    for label in (-1, -2, 1):
        corpus.add(label=label)
    save_recipe(project=project, name="mine", document={"rules": [FLIP]}, by=None)
    narrower = {**FLIP, "when": {"field": "label", "op": "==", "value": -2}}
    answer = post(logged_in, PREVIEW, {"name": "mine", "rules": [narrower]}).json()
    assert (answer["changed"], answer["rules"][0]["change"]) == (1, -1)
    assert post(logged_in, PREVIEW, {"recipe": "mine"}).json()["changed"] is None


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"when": {"field": "password", "op": "<", "value": 1}, "then": "keep"}, "rules[0].when.field"),
        ({"when": {"field": "label", "op": "LIKE", "value": 1}, "then": "keep"}, "rules[0].when.op"),
        ({"when": {"field": "label", "op": "<", "value": "1; DROP TABLE x"}, "then": "keep"}, "rules[0].when.value"),
        ({"then": "keep", "margin": "c.id); --"}, "rules[0].margin"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(logged_in: Client, project: Project, rule: Any, field: str) -> None:
    for path, body in ((PREVIEW, {"rules": [rule]}), (RECIPES, {"name": "x", "rules": [rule]})):
        answer = post(logged_in, path, body)
        assert answer.status_code == 422 and list(answer.json()["error"]["fields"]) == [field]


@pytest.mark.parametrize("name", ["a/b", "", "..", "x" * 121, "a\u0000", 7, None])
def test_a_name_that_no_address_could_hold_is_refused(logged_in: Client, project: Project, name: Any) -> None:
    assert post(logged_in, RECIPES, {"name": name, "recipe": {"rules": [FLIP]}}).status_code == 422


def test_a_changed_document_is_a_new_version_and_the_same_one_is_not(logged_in: Client, project: Project) -> None:
    versions = [
        post(logged_in, RECIPES, {"name": "mine", "rules": rules}).json()["version"]
        for rules in ([FLIP], [FLIP], [{**FLIP, "then": "drop"}])
    ]
    assert versions == [1, 1, 2]
    listed = logged_in.get(RECIPES).json()
    assert [(item["name"], item["version"]) for item in listed["items"]] == [("mine", 2)] and listed["next"] is None


def test_applying_replaces_rule_decisions_and_leaves_those_by_hand(
    logged_in: Client, project: Project, corpus: Any, curator: User
) -> None:
    by_hand, flipped, unlabelled = corpus.add(label=-1), corpus.add(label=-2), corpus.add(label=None)
    corpus.decide(by_hand, Action.DROP, curator)
    for name, rules in (("one", [{"then": "keep"}]), ("two", [FLIP, {"then": "review"}])):
        save_recipe(project=project, name=name, document={"rules": rules}, by=curator)
        assert post(logged_in, f"{RECIPES}/{name}/apply", {}).status_code == 200
    current = Decision.objects.filter(is_current=True)
    assert {d.comparison_id: (d.action, d.label, d.is_by_hand) for d in current} == {
        by_hand.pk: ("drop", None, True),
        flipped.pk: ("flip", 2, False),
        unlabelled.pk: ("review", None, False),
    }
    assert Decision.objects.filter(is_by_hand=False).count() == 3


def test_a_recipe_never_sees_what_recipes_decided(project: Project, corpus: Any) -> None:
    row = corpus.add(label=-1)
    recipe = save_recipe(project=project, name="flip", document={"rules": [FLIP]}, by=None)
    for _ in range(2):
        apply_recipe(recipe=recipe, by=None)
    assert Decision.objects.get(comparison=row, is_current=True).label == 1


def test_the_starter_survives_the_editor_and_reads_from_when_to_then() -> None:
    shuffled = {"rules": [dict(reversed(rule.items())) for rule in STARTER["rules"]], "name": STARTER["name"]}
    assert parse(read_text(recipe_text(shuffled))).document == parse(STARTER).document
    assert recipe_text(shuffled) == recipe_text(STARTER)


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403), (None, 401)])
def test_nobody_else_reads_or_writes_recipes(
    client: Client, request: pytest.FixtureRequest, project: Project, who: str | None, status: int
) -> None:
    save_recipe(project=project, name="mine", document={"rules": [FLIP]}, by=None)
    if who:
        client.force_login(request.getfixturevalue(who))
    answers = [
        client.get(RECIPES),
        post(client, RECIPES, {"name": "x", "rules": [FLIP]}),
        post(client, PREVIEW, {"rules": [FLIP]}),
        post(client, f"{RECIPES}/mine/apply", {}),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4


def test_a_token_to_read_may_preview_and_not_keep(client: Client, project: Project, curator: User) -> None:
    _, secret = issue_token(user=curator, scope=Scope.READ)
    bearer: Any = {"headers": {"Authorization": f"Bearer {secret}"}, "content_type": "application/json"}
    assert client.post(PREVIEW, {"rules": [FLIP]}, **bearer).status_code == 200
    assert client.post(RECIPES, {"name": "x", "rules": [FLIP]}, **bearer).status_code == 403
