from __future__ import annotations

from typing import Any

import pytest

from annotation.quality.settings import InvalidQuality, checked_quality

WHOLE = {
    "training": {"items": 5},
    "qualification": {"items": 10, "threshold": 0.8},
    "gold": {"every": 20},
    "repeats": {"every": 50, "after_days": 2},
}


def test_a_whole_document_is_kept_as_it_is() -> None:
    assert checked_quality(WHOLE) == WHOLE
    assert checked_quality({}) == {}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], "quality"),
        ({"golden": {}}, "quality.golden"),
        ({"training": 5}, "quality.training"),
        ({"training": {}}, "quality.training.items"),
        ({"training": {"items": 0}}, "quality.training.items"),
        ({"training": {"items": True}}, "quality.training.items"),
        ({"training": {"items": 3, "every": 2}}, "quality.training.every"),
        ({"qualification": {"items": 3}}, "quality.qualification.threshold"),
        ({"qualification": {"items": 3, "threshold": 1.2}}, "quality.qualification.threshold"),
        ({"qualification": {"items": 3, "threshold": "half"}}, "quality.qualification.threshold"),
        ({"gold": {"every": 1.5}}, "quality.gold.every"),
        ({"repeats": {"every": 5}}, "quality.repeats"),
        ({"repeats": {"every": 5, "after_items": 2, "after_days": 2}}, "quality.repeats"),
        ({"repeats": {"every": 5, "after_days": 1000}}, "quality.repeats.after_days"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(document: Any, path: str) -> None:
    with pytest.raises(InvalidQuality) as problem:
        checked_quality(document)
    assert path in problem.value.fields
