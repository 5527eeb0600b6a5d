"""The bundled follow-ups are our own, short and of many makes; what cannot be scored fairly is refused at its place."""

from __future__ import annotations

import copy
import re
from collections import Counter
from typing import Any

import pytest

from curation.wordings.follow_ups import POLARITIES, plain, problems, shaped
from curation.wordings.kinds import InvalidWording, bundled, checked

ASPECTS = [
    "understanding",
    "relevance",
    "correctness",
    "engagingness",
    "informativeness",
    "instruction_following",
]
FIRST_PERSON = {"i", "me", "my", "mine", "we", "us", "our"}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(bundled("follow_ups"))


def remarks(document: dict[str, Any]) -> list[str]:
    return [text for aspect in document["aspects"] for polarity in POLARITIES for text in aspect[polarity]]


def test_there_are_four_and_four_of_each_of_six_aspects(document: dict[str, Any]) -> None:
    assert [aspect["name"] for aspect in document["aspects"]] == ASPECTS
    assert all(len(aspect[polarity]) >= 4 for aspect in document["aspects"] for polarity in POLARITIES)


def test_each_is_short_and_says_something_of_the_person(document: dict[str, Any]) -> None:
    said = {text: words(text) for text in remarks(document)}
    assert [text for text, found in said.items() if not 5 <= len(found) <= 12] == []
    assert [text for text, found in said.items() if not FIRST_PERSON & set(found)] == []


def test_no_sentence_frame_is_used_twice(document: dict[str, Any]) -> None:
    """A frame is how a remark begins (two words), how it ends (two), or four words in a row anywhere."""
    frames = {
        "beginnings": [tuple(words(text)[:2]) for text in remarks(document)],
        "ends": [tuple(words(text)[-2:]) for text in remarks(document)],
        "runs": [run for text in remarks(document) for run in {*zip(*(words(text)[i:] for i in range(4)))}],  # noqa: B905 - the shortest ends it
    }
    again = {name: [frame for frame, n in Counter(found).items() if n > 1] for name, found in frames.items()}
    assert again == {"beginnings": [], "ends": [], "runs": []}


def test_no_complaint_is_a_praise_with_a_not(document: dict[str, Any]) -> None:
    for aspect in document["aspects"]:
        for praise in aspect["positive"]:
            for complaint in aspect["negative"]:
                one, other = set(words(praise)), set(words(complaint))
                assert len(one & other) / len(one | other) < 0.4, (praise, complaint)


def test_praise_and_complaint_are_of_like_length(document: dict[str, Any]) -> None:
    """Or the sum form would tell them apart by that alone."""
    for aspect in document["aspects"]:
        praise, complaint = (sum(len(words(text)) for text in aspect[polarity]) for polarity in POLARITIES)
        assert abs(praise - complaint) <= 6, aspect["name"]


def test_what_is_bundled_is_in_its_one_shape(document: dict[str, Any]) -> None:
    assert problems(document) == {} and shaped(document) == document


def test_quotes_and_spaces_are_written_in_one_way(document: dict[str, Any]) -> None:
    document["aspects"][0]["positive"][0] = "  That’s  what\nI “meant” "
    assert checked("follow_ups", document)["aspects"][0]["positive"][0] == 'That\'s what I "meant"'


@pytest.mark.parametrize(
    ("again", "path"),
    [
        ("I can't rely on it.", "aspects.0.negative.0"),
        ("i can’t rely on it", "aspects.2.positive.3"),
    ],
)
def test_the_same_remark_twice_is_refused_wherever_it_stands(document: dict[str, Any], again: str, path: str) -> None:
    document["aspects"][0]["positive"][0] = "I can't rely on it!"
    _, aspect, polarity, nth = path.split(".")
    document["aspects"][int(aspect)][polarity][int(nth)] = again
    assert problems(document) == {path: "says the same as aspects.0.positive.0"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"neutral": None}, "neutral"),
        ({"neutral": "  "}, "neutral"),
        ({"neutral": "a\x00b"}, "neutral"),
        ({"aspects": []}, "aspects"),
        ({"aspects": ["text"]}, "aspects.0"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_wrong_with_the_whole_is_named(document: dict[str, Any], change: dict[str, Any], path: str) -> None:
    assert list(problems(document | change)) == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "Two words"}, "aspects.1.name"),
        ({"name": "understanding"}, "aspects.1.name"),
        ({"positive": []}, "aspects.1.positive"),
        ({"negative": None}, "aspects.1.negative"),
        ({"negative": ["Fine by me.", False]}, "aspects.1.negative.1"),
        ({"positive": ["x" * 201]}, "aspects.1.positive.0"),
        ({"asks": 3}, "aspects.1.asks"),
        ({"weight": 3}, "aspects.1.weight"),
    ],
)
def test_what_is_wrong_with_an_aspect_is_named(document: dict[str, Any], change: dict[str, Any], path: str) -> None:
    document["aspects"][1] |= change
    assert list(problems(document)) == [path]


@pytest.mark.parametrize("given", [None, [], "text", 3])
def test_what_is_no_document_is_refused_with_a_sentence(given: object) -> None:
    with pytest.raises(InvalidWording, match="must be an object"):
        checked("follow_ups", given)


def test_a_quote_becomes_straight_and_nothing_else_changes() -> None:
    assert plain("“It’s – well — fine”") == '"It\'s - well - fine"'
