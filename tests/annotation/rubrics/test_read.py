"""Rubrics from JSON, from YAML and from the shape of BiGGen-Bench."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from annotation.rubrics.document import InvalidRubric, checked
from annotation.rubrics.read import MAX_DOCUMENT_CHARACTERS, criteria_in, exported, read_text

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "data" / "biggen-rubrics" / "rubrics.jsonl.gz"
YAML = """
name: Support
criteria:
  - Is it polite?
  - text: How fitting is the tone?
    answers: scale
    least: 1
    most: 3
    anchors: {1: cold, 3: warm}
"""
SCORED = {"criteria": "Does it plan the trip?", "score1_description": "no", "score5_description": "wholly"}


def message(text: str) -> str:
    with pytest.raises(InvalidRubric) as problem:
        read_text(text)
    return problem.value.fields["document"]


def test_yaml_and_json_say_the_same() -> None:
    found = read_text(YAML)
    assert found.name == "Support"
    as_json = json.dumps({"name": "Support", "criteria": checked(found.criteria)})
    assert checked(read_text(as_json).criteria) == checked(found.criteria)


def test_what_was_exported_is_read_again() -> None:
    criteria = checked(read_text(YAML).criteria)
    found = read_text(exported("Support", 3, criteria).decode())
    assert (found.name, checked(found.criteria)) == ("Support", criteria)


@pytest.mark.parametrize("document", [SCORED, {"score_rubric": SCORED, "task": "travel"}, [{"score_rubric": SCORED}]])
def test_a_scored_rubric_is_one_criterion_on_a_scale(document: Any) -> None:
    assert checked(criteria_in(document)) == [
        {
            "id": "score",
            "text": "Does it plan the trip?",
            "kind": "principle",
            "answers": "scale",
            "least": 1,
            "most": 5,
            "anchors": {"1": "no", "5": "wholly"},
        }
    ]


def test_rubrics_of_single_items_are_refused_with_the_reason() -> None:
    rows = [{"score_rubric": SCORED}, {"score_rubric": SCORED}]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        assert "holds 2 rubrics" in message(text)


def test_what_cannot_be_read_says_where() -> None:
    assert "line 2" in message("criteria:\n - [unclosed")
    assert "aliases" in message("a: &a [1]\ncriteria: *a")
    assert "at most" in message("x" * (MAX_DOCUMENT_CHARACTERS + 1))
    with pytest.raises(InvalidRubric):
        read_text("[" * 20_000)
    for text in ("", "5", "{}", "polite"):
        with pytest.raises(InvalidRubric):
            checked(read_text(text).criteria)


def test_python_objects_in_yaml_are_not_made() -> None:
    assert "neither JSON nor YAML" in message("!!python/object/apply:os.system ['true']")


def test_every_published_rubric_is_read() -> None:
    if not PUBLISHED.exists():
        pytest.skip("the published rubrics are not at hand")
    with gzip.open(PUBLISHED, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    assert len(rows) == 695
    points = [len(checked(read_text(json.dumps(row)).criteria)[0]["anchors"]) for row in rows]
    assert set(points) == {5}
