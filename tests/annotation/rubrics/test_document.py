"""The shape of a rubric, and what is said of another."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.rubrics.document import InvalidRubric, checked, criteria_of

SCALE = {
    "id": "tone",
    "text": "Tone?",
    "answers": "scale",
    "least": 1,
    "most": 5,
    "anchors": {"1": "cold", "5": "warm"},
}


def problems(criteria: Any) -> dict[str, str]:
    with pytest.raises(InvalidRubric) as problem:
        checked(criteria)
    return problem.value.fields


def test_a_text_alone_is_a_principle_answered_by_yes_or_no() -> None:
    assert checked(["Is it polite?"]) == [
        {"id": "is_it_polite", "text": "Is it polite?", "kind": "principle", "answers": "yes_no"}
    ]


def test_criteria_without_an_id_get_one_each() -> None:
    assert [one["id"] for one in checked(["Is it short?", "Is it short!", "¿Qué?", "4 or more?"])] == [
        "is_it_short",
        "is_it_short_2",
        "qu",
        "c_4_or_more",
    ]
    assert [one["id"] for one in checked(["Ist es höflich?", "何か", "よい"])] == ["ist_es_h_flich", "c", "c_2"]


def test_a_scale_keeps_its_points_in_order_and_yaml_numbers_are_points_too() -> None:
    given = {**SCALE, "anchors": {5: "warm", 1: " cold "}, "weight": 2, "applies_to": "pair"}
    assert checked([given]) == [
        {**SCALE, "kind": "principle", "weight": 2, "applies_to": "pair"},
    ]
    assert list(checked([given])[0]["anchors"]) == ["1", "5"]


def test_what_is_checked_is_checked_again_to_the_same() -> None:
    once = checked([SCALE, "Is it short?", {"text": "No lies", "kind": "hard"}])
    assert checked(once) == once
    assert criteria_of(once)[0].text == "No lies"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"text": ""}, "criteria.0.text"),
        ({"text": "   "}, "criteria.0.text"),
        ({"text": 5}, "criteria.0.text"),
        ({"text": "x" * 1001}, "criteria.0.text"),
        ({"text": "nul \0"}, "criteria.0.text"),
        ({"text": "half \ud800"}, "criteria.0.text"),
        ({"text": "x", "id": "Tone"}, "criteria.0.id"),
        ({"text": "x", "id": "17"}, "criteria.0.id"),
        ({"text": "x", "id": ["a"]}, "criteria.0.id"),
        ({"text": "x", "id": "a" * 41}, "criteria.0.id"),
        ({"text": "x", "kind": "soft"}, "criteria.0.kind"),
        ({"text": "x", "kind": ["hard"]}, "criteria.0.kind"),
        ({"text": "x", "kind": None}, "criteria.0.kind"),
        ({"text": "x", "answers": "stars"}, "criteria.0.answers"),
        ({"text": "x", "applies_to": "prompt"}, "criteria.0.applies_to"),
        ({"text": "x", "weight": "2"}, "criteria.0.weight"),
        ({"text": "x", "weight": True}, "criteria.0.weight"),
        ({"text": "x", "weight": float("nan")}, "criteria.0.weight"),
        ({"text": "x", "weight": 101}, "criteria.0.weight"),
        ({"text": "x", "most": 5}, "criteria.0.most"),
        ({"text": "x", "points": 5}, "criteria.0.points"),
        ({**SCALE, "least": 5}, "criteria.0.most"),
        ({**SCALE, "least": -1}, "criteria.0.least"),
        ({**SCALE, "most": 11}, "criteria.0.most"),
        ({**SCALE, "most": "5"}, "criteria.0.most"),
        ({**SCALE, "anchors": {"6": "x"}}, "criteria.0.anchors.6"),
        ({**SCALE, "anchors": {"1": ""}}, "criteria.0.anchors.1"),
        ({**SCALE, "anchors": []}, "criteria.0.anchors"),
        (5, "criteria.0"),
        (None, "criteria.0"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_every_fault_has_its_path(given: Any, path: str) -> None:
    assert list(problems([given])) == [path]


@pytest.mark.parametrize("criteria", [None, [], {}, "polite", 1, ["x?"] * 51], ids=lambda value: ascii(value)[:20])
def test_a_rubric_has_1_to_50_criteria(criteria: Any) -> None:
    assert list(problems(criteria)) == ["criteria"]
    assert len(checked(["x?"] * 50)) == 50


def test_an_id_stands_for_one_criterion() -> None:
    assert problems([SCALE, SCALE]) == {"criteria.1.id": "is the id of criterion 1 already"}


def test_all_faults_are_told_at_once() -> None:
    assert set(problems([{"text": ""}, {"text": "x", "kind": "soft"}])) >= {"criteria.0.text", "criteria.1.kind"}
