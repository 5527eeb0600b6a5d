"""What a curator adjudicated is what people said of that comparison, on pages, in the API and in what is released."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.consensus.adjudicate import adjudicate, take_back
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign
from corpus.models import Comparison
from curation.freeze import folder, freeze, new_release
from curation.models import Release
from curation.standing import Standing
from ledger.reporter import Reporter


@pytest.fixture
def unlabelled(corpus: Any) -> Comparison:
    row: Comparison = corpus.add(label=None)
    return row


@pytest.fixture
def asked(project: Project, unlabelled: Comparison) -> Campaign:
    return create_campaign(project=project, name="Round 1", overlap=3)


def _says(campaign: Campaign, person: User, choice: int) -> None:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    submit(assignment=Assignment.objects.get(id=item.assignment_id), payload={"choice": choice})


def _label(project: Project, *, is_whole: bool) -> int | None:
    standing = Standing.of(project, sees="base", is_whole=is_whole)
    label = standing.field("label")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {label} {standing.from_sql}", standing.params)
        (row,) = cursor.fetchall()
        return None if row[0] is None else int(row[0])


@pytest.mark.parametrize("is_whole", [False, True], ids=["a page", "all rows"])
@pytest.mark.parametrize("campaigns", [1, 2])
def test_the_decision_is_in_force_until_it_is_taken_back_whatever_comes_later(
    project: Project,
    asked: Campaign,
    unlabelled: Comparison,
    curator: User,
    annotator: User,
    owner: User,
    campaigns: int,
    is_whole: bool,
) -> None:
    _says(asked, annotator, -2)
    if campaigns == 2:
        _says(create_campaign(project=project, name="Round 2"), annotator, -3)
    adjudicate(campaign=asked, comparison_id=unlabelled.pk, by=owner, label=1)
    assert _label(project, is_whole=is_whole) == 1
    _says(asked, curator, -2)
    assert _label(project, is_whole=is_whole) == 1
    take_back(campaign=asked, comparison_id=unlabelled.pk, by=owner)
    assert _label(project, is_whole=is_whole) == -2


def test_what_was_adjudicated_is_released_and_shown(
    project: Project, asked: Campaign, unlabelled: Comparison, curator: User, annotator: User, client: Client
) -> None:
    _says(asked, annotator, -2)
    _says(asked, curator, 2)
    adjudicate(campaign=asked, comparison_id=unlabelled.pk, by=curator, label=3)
    client.force_login(curator)
    shown = client.get(f"/api/v1/comparisons/{unlabelled.pk}").json()
    assert (shown["label"], shown["consensus"]["method"], shown["consensus"]["votes"]) == (3, "adjudicated", 2)
    assert shown["consensus"]["posterior"] == {"b": 1.0}
    rules = {"rules": [{"name": "all", "then": "keep"}]}
    release = new_release(project=project, name="v1", recipe=rules, by=curator)
    freeze(release, Reporter())
    (row,) = _rows(Release.objects.get(pk=release.pk))
    assert (row["label"], row["consensus_label"]) == (3, 3)


def test_both_bad_by_a_curator_leaves_nothing_to_release(
    project: Project, asked: Campaign, unlabelled: Comparison, curator: User, annotator: User
) -> None:
    _says(asked, annotator, -2)
    adjudicate(campaign=asked, comparison_id=unlabelled.pk, by=curator, is_both_bad=True)
    rules = {"rules": [{"name": "all", "then": "keep"}]}
    release = new_release(project=project, name="v1", recipe=rules, by=curator)
    freeze(release, Reporter())
    assert _rows(Release.objects.get(pk=release.pk)) == []


def _rows(release: Release) -> list[dict[str, Any]]:
    found = []
    for file in release.manifest["files"]:
        with default_storage.open(f"{folder(release)}/{file['path']}", "rb") as stored:
            found += pq.read_table(stored).to_pylist()
    return found
