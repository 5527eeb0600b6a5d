"""A release keeps the gain report of its recipe's version, and tells it on its page and its card."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Project, User
from curation.freeze import folder, freeze, new_release
from curation.gains.reports import document_of
from curation.gains.words import headline
from curation.models import Recipe, Release
from curation.recipes import save_recipe
from ledger.reporter import Reporter
from tests.curation.gains.measured import measured, project_with_sources

KEEP = {"rules": [{"name": "all", "then": "keep"}]}


@pytest.fixture
def recipe(project: Project, corpus: Any) -> Recipe:
    corpus.add()
    project_with_sources(project, "hh", "tiny")
    return save_recipe(project=project, name="mine", document=KEEP, by=None)


def _frozen(recipe: Recipe, name: str = "v1") -> Release:
    release = new_release(project=recipe.project, name=name, recipe=recipe, by=recipe.project.created_by)
    freeze(release, Reporter())
    return Release.objects.get(pk=release.pk)


def _file(release: Release, name: str) -> bytes:
    with default_storage.open(f"{folder(release)}/{name}", "rb") as stored:
        return bytes(stored.read())


def test_the_newest_report_of_this_very_version_is_kept(recipe: Recipe, client: Client, curator: User) -> None:
    measured(recipe, by=-0.1)
    report = measured(recipe, by=0.12)
    other = save_recipe(project=recipe.project, name="mine", document=KEEP | {"description": "Another."}, by=None)
    measured(other, by=-0.1)
    measured(recipe, by=-0.1, finished_at=timezone.now() + timedelta(hours=1))
    release = _frozen(recipe)
    assert release.manifest["gain"] == document_of(report) | {"older_signals": []}
    card = _file(release, "README.md").decode()
    assert "## Is it better?" in card and headline(report.result["overall"]) in card and "* tiny: Too little" in card
    client.force_login(curator)
    page = client.get(reverse("curation:release", args=["demo", "v1"])).content.decode()
    assert "Gain shown: curated less raw" in page and "has not been measured" not in page and "dotplot" in page


def test_a_report_after_the_freeze_changes_nothing(recipe: Recipe, client: Client, curator: User) -> None:
    release = _frozen(recipe)
    assert release.manifest["gain"] is None
    assert "has not been measured" in _file(release, "README.md").decode()
    measured(recipe)
    client.force_login(curator)
    assert "has not been measured" in client.get(reverse("curation:release", args=["demo", "v1"])).content.decode()


def test_a_freeze_that_was_killed_ends_with_the_same_report(recipe: Recipe) -> None:
    """Rows and report are pinned; a later report does not reach them."""
    report = measured(recipe, by=0.12)
    release = new_release(project=recipe.project, name="v2", recipe=recipe, by=None)
    freeze(release, Reporter())
    first = {name: _file(release, name) for name in ("README.md",)}
    measured(recipe, by=-0.12)
    Release.objects.filter(pk=release.pk).update(frozen_at=None)
    again = Release.objects.get(pk=release.pk)
    freeze(again, Reporter())
    assert again.manifest["gain"]["run"] == report.pk
    assert {name: _file(again, name) for name in first} == first


def test_signals_newer_than_the_report_are_named(project: Project, corpus: Any) -> None:
    corpus.add()
    rule = {"name": "out", "when": {"field": "model_vote.strength", "op": "<", "value": 0}, "then": "drop"}
    recipe = save_recipe(
        project=project, name="votes", document={"rules": [rule, {"name": "rest", "then": "keep"}]}, by=None
    )
    measured(recipe, runs={"model_vote": corpus.run("model_vote").pk})
    corpus.run("model_vote")
    release = _frozen(recipe)
    assert release.manifest["gain"]["older_signals"] == ["model_vote"]
    assert "The signals of model_vote are newer than this measurement." in _file(release, "README.md").decode()
