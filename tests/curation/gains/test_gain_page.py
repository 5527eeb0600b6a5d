"""Is it better? The page of a recipe's gain, empty, under way and measured; and the same by API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Project, User
from curation.gains.reports import document_of, newest_report, seconds_of, unfinished
from curation.gains.words import headline, signed
from curation.models import Recipe
from curation.recipes import save_recipe
from ledger import catalogue
from ledger.models import Run, State
from tests.curation.gains.measured import measured, project_with_sources
from workers.discover import card_of, methods

DOUBTED = {"field": "model_vote.band", "op": "==", "value": "incorrect"}
VOTES = {"rules": [{"name": "out", "when": DOUBTED, "then": "drop"}, {"name": "rest", "then": "keep"}]}


@pytest.fixture
def recipe(project: Project) -> Recipe:
    return save_recipe(project=project, name="mine", document=VOTES, by=None)


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def _publish() -> None:
    card = card_of("gain", methods()["gain"])
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[card])


def _page(client: Client, version: int = 1, **headers: str) -> str:
    return client.get(_address(version), headers=headers).content.decode()


def _address(version: int = 1) -> str:
    return reverse("curation:recipe_gain", args=["demo", "mine"]) + f"?version={version}"


def test_nobody_measured_it_and_one_button_does(logged_in: Client, recipe: Recipe) -> None:
    _publish()
    page = _page(logged_in)
    assert "Nobody has measured it yet" in page and "on two cores" in page
    logged_in.post(_address(), {"version": "1"})
    run = Run.objects.get()
    assert (run.method, run.params["recipe"], run.params["version"]) == ("gain", "mine", 1)
    assert unfinished(recipe) == run
    page = _page(logged_in, HX_Request="true")
    assert "every 2s" in page and "<html" not in page and f"Run {run.pk}" in page
    logged_in.post(_address(), {"version": "1"})
    assert Run.objects.count() == 1


def test_without_a_worker_that_offers_it_the_page_says_so(logged_in: Client, recipe: Recipe) -> None:
    answer = logged_in.post(_address(), {"version": "1"}, follow=True)
    assert "There is no method" in answer.content.decode() and not Run.objects.exists()


@pytest.mark.parametrize(("by", "word"), [(0.12, "Gain shown"), (0.0, "No gain shown"), (-0.12, "Harm shown")])
def test_the_verdict_comes_first_with_its_figures(logged_in: Client, recipe: Recipe, by: float, word: str) -> None:
    project_with_sources(recipe.project, "hh", "tiny")
    run = measured(recipe, by=by)
    page = _page(logged_in)
    assert f"{word}: curated less raw is" in page and "n = 600 held-out rows in 300 groups" in page
    assert "judged by the imported labels, whose noise is in the figures" in page
    assert "Too little to train" in page and "9 audit" in page and "simulated votes alone" in page
    assert page.count("<svg") >= 2 and "by seed" in page
    said = run.result["overall"]["differences"]["raw"]
    assert signed(said["low"]) in page and signed(said["high"]) in page
    assert (
        headline(run.result["overall"])
        in logged_in.get(reverse("curation:recipe", args=["demo", "mine"])).content.decode()
    )


def test_a_report_belongs_to_its_version(logged_in: Client, recipe: Recipe) -> None:
    project_with_sources(recipe.project, "hh")
    measured(recipe)
    later = save_recipe(project=recipe.project, name="mine", document={"rules": [{"then": "keep"}]}, by=None)
    assert newest_report(later) is None and newest_report(recipe) is not None
    assert "Nobody has measured it yet" in _page(logged_in, version=2)
    assert "Verdict" in _page(logged_in, version=1)


def test_signals_that_were_renewed_are_told(logged_in: Client, recipe: Recipe, corpus: Any) -> None:
    corpus.add()
    votes = corpus.run("model_vote")
    measured(recipe, runs={"model_vote": votes.pk})
    assert "measured with older signals" not in _page(logged_in)
    corpus.run("model_vote")
    assert "model_vote has run again since" in _page(logged_in)


def test_a_run_that_failed_is_told(logged_in: Client, recipe: Recipe) -> None:
    project_with_sources(recipe.project, "hh")
    measured(recipe, state=State.FAILED, error="The disk is full.", result={})
    assert "The disk is full." in _page(logged_in)


def test_reading_model_votes_costs_more(recipe: Recipe, corpus: Any) -> None:
    assert seconds_of(recipe) is None
    _publish()
    for _ in range(30):
        corpus.add()
    plain = save_recipe(project=recipe.project, name="plain", document={"rules": [{"then": "keep"}]}, by=None)
    dear, cheap = seconds_of(recipe), seconds_of(plain)
    assert dear is not None and cheap is not None and dear > cheap > 0


def test_the_api_tells_the_newest_report(logged_in: Client, recipe: Recipe) -> None:
    project_with_sources(recipe.project, "hh")
    address = "/api/v1/projects/demo/recipes/mine/gain"
    assert logged_in.get(address).json() == {"recipe": "mine", "version": 1, "unfinished_run": None, "report": None}
    run = measured(recipe)
    found = logged_in.get(f"{address}?version=1").json()["report"]
    assert found == document_of(run) and found["overall"]["verdict"] in {"gain shown", "no gain shown"}
    assert logged_in.get(f"{address}?version=9").status_code == 404


def test_a_stranger_sees_nothing_and_starts_nothing(client: Client, recipe: Recipe, stranger: User) -> None:
    client.force_login(stranger)
    assert client.get(_address()).status_code == 404
    assert client.post(_address(), {"version": "1"}).status_code == 404
    assert client.get("/api/v1/projects/demo/recipes/mine/gain").status_code == 404
    assert not Run.objects.exists()


def test_the_page_of_the_run_leads_to_it(logged_in: Client, recipe: Recipe) -> None:
    project_with_sources(recipe.project, "hh", "tiny")
    run = measured(recipe)
    page = logged_in.get(reverse("ledger:run", args=["demo", run.pk])).content.decode()
    assert "is it better?" in page and _address() in page and "Too little to train" in page
