"""A set of remarks is a matrix: praise counts for, complaint against, each aspect by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from curation.wordings.kinds import bundled
from workers.engine.bench import Unworkable
from workers.engine.followups.remarks import Aspect, FollowUps, read_set

DOCUMENT: dict[str, Any] = {
    "neutral": "I see.",
    "aspects": [
        {"name": "tone", "asks": "", "positive": ["Kind of you."], "negative": ["Rude!", "Cold."]},
        {"name": "truth", "asks": "", "positive": ["So it is.", "Right."], "negative": ["No."]},
    ],
}


def test_each_aspect_is_praise_less_complaint() -> None:
    found = read_set(DOCUMENT)
    assert found.texts == ("Kind of you.", "Rude!", "Cold.", "So it is.", "Right.", "No.")
    s = np.array([-1.0, -2.0, -4.0, -3.0, -5.0, -6.0])
    # -1 - (-2 - 4) / 2 and (-3 - 5) / 2 + 6, by hand.
    assert (s @ found.weights).tolist() == [2.0, 2.0]


def test_exchanging_praise_and_complaint_turns_every_sign_exactly() -> None:
    straight = read_set(bundled("follow_ups"))
    turned = FollowUps(tuple(Aspect(a.name, a.negative, a.positive) for a in straight.aspects), straight.neutral)
    place = [turned.texts.index(text) for text in straight.texts]
    assert np.array_equal(straight.weights, -turned.weights[place])


def test_a_response_written_for_the_score_says_a_praise_of_each_aspect() -> None:
    assert read_set(DOCUMENT).praise == "Kind of you. So it is."


def test_a_remark_that_is_there_twice_counts_once() -> None:
    aspects = [{**aspect, "positive": aspect["positive"] * 2} for aspect in DOCUMENT["aspects"]]
    twice = read_set({**DOCUMENT, "aspects": aspects})
    assert twice.texts == read_set(DOCUMENT).texts
    assert np.array_equal(twice.weights, read_set(DOCUMENT).weights)


@pytest.mark.parametrize("asked", ["truth", " truth ,", "truth,truth"])
def test_a_part_of_the_aspects_may_be_asked_for(asked: str) -> None:
    assert read_set(DOCUMENT, asked).names == ["truth"]
    assert read_set(DOCUMENT, "truth,tone").names == read_set(DOCUMENT, "").names == ["tone", "truth"]


def test_an_aspect_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(Unworkable, match="no aspect 'wit'; they have tone, truth"):
        read_set(DOCUMENT, "tone,wit")
