from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.kinds._base import kind_named, kinds, settings_with_defaults
from annotation.kinds.presets import Preset, UnknownPreset, presets, with_preset
from corpus.models import Comparison
from tests.annotation.conftest import Api

NAMES = sorted(presets())


def test_presets_are_no_kinds() -> None:
    assert NAMES == ["helpsteer", "hh", "lmarena", "rubric_check"]
    assert not set(kinds()) & {*NAMES, "presets"}


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_can_be_used_as_it_is(name: str) -> None:
    preset = presets()[name]
    kind = kind_named(preset.kind)
    assert settings_with_defaults(kind, preset.settings)
    assert preset.unit in kind.UNITS
    assert preset.consensus_method in METHODS
    assert 1 <= preset.overlap <= 5
    assert all(
        len(text.strip()) > least for text, least in ((preset.label, 3), (preset.asks, 80), (preset.guidelines, 80))
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_makes_a_campaign_with_work_in_one_step(
    name: str, project: Project, comparisons: list[Comparison], annotator: User
) -> None:
    preset = presets()[name]
    campaign = create_campaign(project=project, name=preset.label, preset=name)
    assert (campaign.preset, campaign.kind, campaign.unit) == (name, preset.kind, preset.unit)
    assert (campaign.overlap, campaign.consensus_method) == (preset.overlap, preset.consensus_method)
    assert campaign.guidelines_version == 1
    assert claim(campaign=campaign, annotator=annotator) is not None


def test_what_is_given_wins_over_the_preset() -> None:
    given: dict[str, Any] = {
        "preset": "lmarena",
        "name": "Mine",
        "overlap": 4,
        "settings": {"auto_advance": True},
        "unit": None,
    }
    filled = with_preset(given)
    assert (filled["name"], filled["overlap"], filled["kind"], filled["unit"]) == ("Mine", 4, "pairwise", "comparison")
    assert filled["settings"] == {"scale": "3-way", "tie": True, "both_bad": True, "auto_advance": True}


def test_another_kind_takes_no_settings_from_the_preset() -> None:
    filled = with_preset({"preset": "hh", "kind": "ranking"})
    assert filled == {"preset": "hh", "kind": "ranking", "overlap": 2}


def test_without_a_preset_nothing_is_filled_in() -> None:
    assert with_preset({"kind": "ranking", "preset": ""}) == {"kind": "ranking", "preset": ""}


def test_a_preset_cannot_be_changed_by_who_reads_it() -> None:
    presets()["hh"].settings["tie"] = True
    assert presets()["hh"].settings["tie"] is False


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(UnknownPreset, match="no preset 'nice'; there are helpsteer, hh"):
        with_preset({"preset": "nice"})


def test_helpsteer_asks_as_its_authors_did(project: Project, comparisons: list[Comparison]) -> None:
    campaign = create_campaign(project=project, name="HelpSteer", preset="helpsteer")
    settings = campaign.settings
    assert [attribute["name"] for attribute in settings["attributes"]] == [
        "helpfulness", "correctness", "coherence", "complexity", "verbosity",
    ]  # fmt: skip
    assert (settings["compare"], settings["tie"], settings["both_bad"]) == ("7-step", False, True)
    assert settings["reason"] == "required"


@pytest.mark.parametrize("name", NAMES)
def test_a_curators_program_opens_a_preset_and_nobody_else_does(
    name: str,
    project: Project,
    comparisons: list[Comparison],
    curator: User,
    annotator: User,
    stranger: User,
    api: Callable[..., Api],
) -> None:
    body = {"name": f"From {name}", "preset": name}
    assert api(annotator)("POST", "projects/demo/campaigns", body).status_code == 403
    assert api(stranger)("POST", "projects/demo/campaigns", body).status_code == 404
    made = api(curator)("POST", "projects/demo/campaigns", body)
    assert made.status_code == 201, made.content
    preset: Preset = presets()[name]
    assert made.json()["tasks"] == (8 if preset.unit == "response" else 4)
