"""Versions of a rubric, and the campaigns that ask by them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from accounts.problems import Problem
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, Rubric
from annotation.rubrics.document import InvalidRubric
from annotation.rubrics.of_campaign import change_rubric
from annotation.rubrics.queries import newest_rubrics, rubric_rows, versions_of
from annotation.rubrics.save import InvalidRubricName, RubricMovedOn, save_rubric
from corpus.models import Comparison


def save(project: Project, *criteria: Any, name: str = "Support", **more: Any) -> Rubric:
    return save_rubric(project=project, name=name, criteria=list(criteria), by=None, **more)


def test_a_changed_text_is_a_new_version_and_the_same_text_is_not(project: Project, owner: User) -> None:
    first = save(project, "Polite?")
    assert save(project, "Polite?").id == first.id
    second = save(project, "Polite?", "Short?")
    assert (first.version, second.version) == (1, 2)
    assert [one.version for one in versions_of(first)] == [2, 1]
    assert newest_rubrics(project) == [second]
    assert AuditEvent.objects.filter(action="save rubric").count() == 2


def test_who_has_not_seen_the_newest_version_does_not_overwrite_it(project: Project) -> None:
    save(project, "Polite?")
    save(project, "Polite?", "Short?", after_version=1)
    with pytest.raises(RubricMovedOn):
        save(project, "Polite?", "Long?", after_version=1)
    with pytest.raises(RubricMovedOn):
        save(project, "Other?", after_version=0)
    with pytest.raises(RubricMovedOn):
        save(project, "Other?", name="Unknown", after_version=3)
    assert Rubric.objects.count() == 2


def test_an_id_keeps_its_scale_over_all_versions(project: Project) -> None:
    save(project, {"id": "tone", "text": "Tone?", "answers": "scale", "least": 1, "most": 5})
    save(project, "Polite?")
    with pytest.raises(InvalidRubric) as problem:
        save(project, {"id": "tone", "text": "Tone?"})
    assert "version 1" in problem.value.fields["criteria.0.id"]
    save(project, {"id": "tone", "text": "How fitting is the tone?", "answers": "scale", "least": 1, "most": 5})


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "nul \0"], ids=ascii)
def test_a_rubric_needs_a_name(project: Project, name: str) -> None:
    with pytest.raises(InvalidRubricName):
        save(project, "Polite?", name=name)


def ask(project: Project, **given: Any) -> Campaign:
    return create_campaign(project=project, name="Checks", kind="rubric", **given)


def test_a_campaign_names_a_rubric_and_gets_its_newest_version(project: Project, comparisons: list[Comparison]) -> None:
    save(project, "Polite?")
    newest = save(project, "Polite?", "Short?")
    campaign = ask(project, settings={"rubric": "Support"})
    assert campaign.rubric == newest
    assert Campaign.objects.get().settings["rubric"] == "Support"
    assert rubric_rows(project)[0].campaigns == 1


@pytest.mark.parametrize("place", ["settings", "body"])
def test_a_document_becomes_version_1_of_a_rubric_named_after_the_campaign(
    project: Project, comparisons: list[Comparison], place: str
) -> None:
    document = [{"text": "Polite?", "kind": "hard"}]
    campaign = ask(project, **({"settings": {"rubric": document}} if place == "settings" else {"rubric": document}))
    assert campaign.rubric is not None
    assert (campaign.rubric.name, campaign.rubric.version) == ("Checks", 1)
    assert campaign.rubric.criteria[0]["id"] == "polite"
    assert Campaign.objects.get().settings["rubric"] == "Checks"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "rubric"),
        ({"rubric": "Unknown"}, "rubric"),
        ({"rubric": "nul \0"}, "rubric"),
        ({"rubric": []}, "criteria"),
        ({"rubric": [{"text": ""}]}, "criteria.0.text"),
        ({"rubric": 5}, "criteria"),
        ({"settings": {"rubric": 5}}, "rubric"),
        ({"rubric": [{"text": "x?", "applies_to": "pair"}]}, "settings.mode"),
        ({"rubric": [{"text": "x?", "applies_to": "response"}], "settings": {"mode": "comparative"}}, "settings.mode"),
        ({"rubric": ["x?"], "settings": {"mode": "comparative"}, "unit": "response"}, "unit"),
    ],
    ids=str,
)
def test_a_campaign_without_questions_is_not_made(
    project: Project, comparisons: list[Comparison], given: Any, field: str
) -> None:
    with pytest.raises(Problem) as problem:
        ask(project, **given)
    assert problem.value.status == 422
    assert field in problem.value.fields
    assert not Campaign.objects.exists()
    assert not Rubric.objects.exists()


def test_another_kind_has_no_rubric(project: Project, comparisons: list[Comparison]) -> None:
    with pytest.raises(Problem) as problem:
        create_campaign(project=project, name="Pairs", rubric=["Polite?"])
    assert "rubric" in problem.value.fields


def test_a_campaign_changes_to_another_version_and_to_no_unknown_one(
    project: Project, comparisons: list[Comparison], owner: User
) -> None:
    campaign = ask(project, rubric=["Polite?"])
    newer = save(project, "Polite?", "Short?", name="Checks")
    assert change_rubric(campaign=campaign, version=2, by=owner).rubric == newer
    assert AuditEvent.objects.get(action="change rubric").details == {"rubric": "Checks", "from": 1, "to": 2}
    for version in (3, 0, -1, 2**40):
        with pytest.raises(Problem):
            change_rubric(campaign=campaign, version=version, by=owner)
    pairs = create_campaign(project=project, name="Pairs")
    with pytest.raises(Problem):
        change_rubric(campaign=pairs, version=1, by=owner)
