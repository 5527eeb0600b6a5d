from __future__ import annotations

from typing import Any

import pytest

from annotation.kinds._base import Asked
from annotation.models import Campaign, Rubric
from annotation.quality.right import NoGoldHere, expected_of, in_words, is_right, problems_with_expected

PAIR = Asked(response_ids=(11, 12), response_a_id=11, response_b_id=12)
RATED = {"ratings": {"11": {"helpfulness": 3, "coherence": 4}, "12": {"helpfulness": 1, "coherence": 2}}}
CHECKED = {"criteria": {"11": {"asks": "yes", "tone": 3}, "12": {"asks": "no", "tone": 1}}}
SIDES = {"criteria": {"asks": -2, "tone": "n/a"}}


@pytest.mark.parametrize(
    ("expected", "choice", "verdict"),
    [
        ({"better": "a"}, -1, True),
        ({"better": "a"}, -3, True),
        ({"better": "a"}, 0, False),
        ({"better": "a"}, "both_bad", False),
        ({"better": "b"}, 2, True),
        ({"better": "tie"}, 0, True),
        ({"better": "tie"}, "both_good", True),
        ({"better": "tie"}, "both_bad", False),
        ({"better": "both_bad"}, "both_bad", True),
        ({"better": "both_bad"}, 0, False),
        ({"accept": [2, 3]}, 2, True),
        ({"accept": [2, 3]}, 1, False),
        ({"accept": [0, "both_good"]}, "both_good", True),
        ({"accept": ["both_bad", -3]}, "both_bad", True),
    ],
)
def test_a_choice_is_right_or_not(expected: dict[str, Any], choice: int | str, verdict: bool) -> None:
    assert is_right("pairwise", expected, {"choice": choice, "preferred": None}) is verdict


@pytest.mark.parametrize(
    ("kind", "expected", "payload", "verdict"),
    [
        ("rating", {"ratings": {"11": {"helpfulness": [2, 4]}}}, RATED, True),
        ("rating", {"ratings": {"11": {"helpfulness": [0, 2]}}}, RATED, False),
        ("rating", {"ratings": {"11": {"helpfulness": [3, 3]}, "12": {"coherence": [3, 4]}}}, RATED, False),
        ("rating", {"ratings": {"12": {"coherence": [2, 2]}}, "better": "a"}, {**RATED, "choice": -1}, True),
        ("rating", {"ratings": {"12": {"coherence": [2, 2]}}, "better": "b"}, {**RATED, "choice": -1}, False),
        ("rating", {"ratings": {"12": {"coherence": [2, 2]}}, "better": "b"}, RATED, False),
        ("rubric", {"criteria": {"11": {"asks": "yes"}}}, CHECKED, True),
        ("rubric", {"criteria": {"11": {"asks": ["no", "n/a"]}}}, CHECKED, False),
        ("rubric", {"criteria": {"11": {"tone": [2, 3]}, "12": {"asks": "no"}}}, CHECKED, True),
        ("rubric", {"criteria": {"asks": [-3, -2, -1]}}, SIDES, True),
        ("rubric", {"criteria": {"asks": [1, 2], "tone": "n/a"}}, SIDES, False),
        ("rubric", {"criteria": {"missing": "yes"}}, SIDES, False),
    ],
)
def test_ratings_and_criteria_are_right_or_not(
    kind: str, expected: dict[str, Any], payload: dict[str, Any], verdict: bool
) -> None:
    assert is_right(kind, expected, payload) is verdict


def test_a_kind_without_known_answers_says_so() -> None:
    with pytest.raises(NoGoldHere, match="ranking"):
        is_right("ranking", {"ranking": []}, {"ranking": []})
    with pytest.raises(NoGoldHere):
        problems_with_expected(Campaign(kind="ranking"), {}, PAIR)


@pytest.mark.parametrize(
    ("kind", "expected", "path"),
    [
        ("pairwise", [], ""),
        ("pairwise", {}, ""),
        ("pairwise", {"better": "left"}, "better"),
        ("pairwise", {"accept": []}, "accept"),
        ("pairwise", {"accept": [4]}, "accept"),
        ("pairwise", {"accept": [True]}, "accept"),
        ("pairwise", {"accept": [1], "better": "a"}, "accept"),
        ("pairwise", {"ratings": {}}, "ratings"),
        ("rating", {"ratings": {"13": {"helpfulness": [1, 2]}}}, "ratings.13"),
        ("rating", {"ratings": {"11": {"taste": [1, 2]}}}, "ratings.11.taste"),
        ("rating", {"ratings": {"11": {"helpfulness": [3, 2]}}}, "ratings.11.helpfulness"),
        ("rating", {"ratings": {"11": {"helpfulness": 3}}}, "ratings.11.helpfulness"),
        ("rating", {"ratings": []}, "ratings"),
        ("rubric", {"criteria": {"11": {"unknown": "yes"}}}, "criteria.11.unknown"),
        ("rubric", {"criteria": {"11": {"asks": {"yes": 1}}}}, "criteria.11.asks"),
    ],
)
def test_what_cannot_be_expected_is_named_by_its_path(kind: str, expected: Any, path: str) -> None:
    rubric = Rubric(criteria=[{"id": "asks"}, {"id": "tone"}])
    campaign = Campaign(kind=kind, settings={"attributes": [{"name": "helpfulness"}]}, rubric=rubric)
    assert path in problems_with_expected(campaign, expected, PAIR)


def test_an_answer_of_somebody_who_knows_is_what_others_are_measured_by() -> None:
    assert expected_of("pairwise", {"choice": -2}) == {"better": "a"}
    assert expected_of("rating", {**RATED, "choice": 1}) == {
        "better": "b",
        "ratings": {
            "11": {"helpfulness": [2, 4], "coherence": [3, 5]},
            "12": {"helpfulness": [0, 2], "coherence": [1, 3]},
        },
    }
    for kind, payload in (("pairwise", {"choice": "both_bad"}), ("rating", RATED), ("rubric", CHECKED)):
        assert is_right(kind, expected_of(kind, payload), payload)


@pytest.mark.parametrize(
    ("kind", "expected", "words"),
    [
        ("pairwise", {"better": "a"}, "B is better"),
        ("pairwise", {"better": "both_bad"}, "Both bad"),
        ("pairwise", {"accept": [-3, 1, 0]}, "B much better or A slightly better or a tie"),
        (
            "rating",
            {"ratings": {"11": {"helpfulness": [2, 4], "coherence": [3, 3]}}},
            "B: helpfulness 2 to 4, coherence 3",
        ),
        ("rubric", {"criteria": {"12": {"asks": ["yes", "n/a"]}}}, "A: asks yes or n/a"),
    ],
)
def test_the_expected_is_said_in_the_letters_that_were_seen(kind: str, expected: dict[str, Any], words: str) -> None:
    assert in_words(kind, expected, [12, 11], 11) == words
