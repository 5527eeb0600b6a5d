"""The pages of recipes and releases, from the first visit to a frozen release."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Project
from curation.freeze import freeze_run
from curation.models import Decision, Recipe, Release
from curation.recipes import STARTER, STARTER_NAME, recipe_text, save_recipe
from ledger.models import State
from ledger.reporter import Reporter

KEEP = 'rules:\n- name: all\n  when: {field: label, op: "<", value: 0}\n  then: keep\n'


@pytest.fixture
def logged_in(client: Client, curator: Any) -> Client:
    client.force_login(curator)
    return client


def url(name: str, *arguments: str) -> str:
    return reverse(f"curation:{name}", args=["demo", *arguments])


def test_the_first_visit_offers_the_starter_and_opens_it(logged_in: Client, project: Project) -> None:
    assert "Begin with" in logged_in.get(url("recipes")).content.decode()
    answer = logged_in.post(url("recipes"), {"from": "starter"}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0] == url("recipe", STARTER_NAME) and "model_vote.strength" in page
    assert Recipe.objects.get().document == STARTER


def test_a_name_that_cannot_be_is_told_on_the_page(logged_in: Client, project: Project) -> None:
    answer = logged_in.post(url("recipes"), {"from": "blank", "name": "a/b"})
    assert answer.status_code == 422 and "no slash" in answer.content.decode()


def test_the_preview_shows_counts_examples_and_what_changed(logged_in: Client, project: Project, corpus: Any) -> None:
    save_recipe(project=project, name="mine", document={"rules": [{"name": "all", "then": "keep"}]}, by=None)
    corpus.add(prompt="Why is the sky blue?", label=-1)
    corpus.add(prompt="Who wrote this?", label=1)
    page = logged_in.post(url("recipe_preview", "mine"), {"text": KEEP}).content.decode()
    assert "Why is the sky blue?" in page and "Who wrote this?" in page and "No rule" in page
    assert "treated differently" in page and "(-1 since version 1)" in page
    assert Recipe.objects.count() == 1


def test_a_mistake_in_the_text_is_told_beside_it(logged_in: Client, project: Project) -> None:
    save_recipe(project=project, name="mine", document=STARTER, by=None)
    wrong = KEEP.replace("label", "power")
    preview = logged_in.post(url("recipe_preview", "mine"), {"text": wrong})
    assert preview.status_code == 200 and "rules[0].when.field" in preview.content.decode()
    kept = logged_in.post(url("recipe", "mine"), {"text": wrong, "then": "keep"})
    assert kept.status_code == 422 and "field: power" in kept.content.decode() and Recipe.objects.count() == 1


def test_keeping_makes_a_version_and_applying_enforces_it(logged_in: Client, project: Project, corpus: Any) -> None:
    save_recipe(project=project, name="mine", document=STARTER, by=None)
    corpus.add(label=-1)
    assert "Version 2 is kept" in logged_in.post(url("recipe", "mine"), {"text": KEEP}, follow=True).content.decode()
    applied = logged_in.post(url("recipe", "mine"), {"text": KEEP, "then": "apply"}, follow=True)
    assert "Version 2 is in force: 1 decisions" in applied.content.decode()
    assert "model_vote" in logged_in.get(url("recipe", "mine"), {"version": 1}).content.decode()
    assert logged_in.get(url("recipe", "mine"), {"version": "9"}).status_code == 404
    assert "no longer in force" in logged_in.post(url("recipe_undo"), follow=True).content.decode()
    assert not Decision.objects.filter(is_current=True).exists()


def test_a_release_is_frozen_from_its_page_and_then_tells_how_to_load_it(
    logged_in: Client, project: Project, corpus: Any
) -> None:
    save_recipe(project=project, name="mine", document={"rules": [{"name": "turn", "then": "flip"}]}, by=None)
    for _ in range(5):
        corpus.add(label=-1)
    form = {"name": "v1", "recipe": "mine", "train": 100, "validation": 0, "test": 0}
    waiting = logged_in.post(url("releases"), form, follow=True).content.decode()
    assert "queued" in waiting and 'hx-trigger="every 1s"' in waiting
    run = Release.objects.get().run
    assert run is not None
    freeze_run(run, Reporter())
    page = logged_in.get(url("release", "v1")).content.decode()
    assert "export/trl_reward/train.parquet" in page and "every 1s" not in page and "unaudited" in page
    assert Release.objects.get().manifest["files"][0]["sha256"] in page and "has not been measured" in page
    again = logged_in.post(url("releases"), form)
    assert again.status_code == 422 and "already" in again.content.decode()
    assert "frozen" in logged_in.get(url("releases")).content.decode()


def test_a_freeze_that_failed_says_so(logged_in: Client, project: Project, corpus: Any) -> None:
    save_recipe(project=project, name="mine", document=STARTER, by=None)
    logged_in.post(url("releases"), {"name": "v1", "recipe": "mine", "train": 90, "validation": 5, "test": 5})
    run = Release.objects.get().run
    assert run is not None
    run.state, run.error = State.FAILED, "The disk is full."
    run.save()
    page = logged_in.get(url("release", "v1")).content.decode()
    assert "The disk is full." in page and "Nothing was frozen" in page


def test_shares_that_do_not_add_up_are_told(logged_in: Client, project: Project) -> None:
    save_recipe(project=project, name="mine", document=STARTER, by=None)
    form = {"name": "v1", "recipe": "mine", "train": 90, "validation": 90, "test": 5}
    answer = logged_in.post(url("releases"), form)
    assert answer.status_code == 422 and "add up to 100" in answer.content.decode()


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_nobody_else_opens_these_pages(
    client: Client, request: pytest.FixtureRequest, project: Project, who: str, status: int
) -> None:
    save_recipe(project=project, name="mine", document=STARTER, by=None)
    client.force_login(request.getfixturevalue(who))
    answers = [client.get(url(name)) for name in ("recipes", "recipe_fields", "releases")]
    answers += [client.get(url("recipe", "mine")), client.get(url("release", "v1"))]
    text = {"text": recipe_text(STARTER), "name": "x", "recipe": "mine"}
    answers += [client.post(url(name), text) for name in ("recipes", "recipe_undo", "releases")]
    answers += [client.post(url(name, "mine"), text) for name in ("recipe", "recipe_preview")]
    assert [answer.status_code for answer in answers] == [status] * len(answers)
    assert Recipe.objects.count() == 1


@pytest.mark.parametrize("name", ["recipes", "recipe_fields", "releases"])
def test_who_is_not_logged_in_is_asked_to(client: Client, project: Project, name: str) -> None:
    assert client.get(url(name)).status_code == 302


def test_what_is_not_there_is_a_404(logged_in: Client, project: Project) -> None:
    assert logged_in.get(url("recipe", "none")).status_code == 404
    assert logged_in.get(url("release", "none")).status_code == 404
