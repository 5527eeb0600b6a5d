"""Ratings: what is taken, and what is refused with the path of the field."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from accounts.problems import Problem
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.kinds import rating
from annotation.kinds._base import Asked, InvalidPayload, kinds, settings_with_defaults
from annotation.kinds._helpsteer import HELPSTEER
from annotation.models import Assignment, Consensus, Judgment
from corpus.models import Comparison

FIVE = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
BOTH = Asked(response_ids=(17, 12), response_a_id=12, response_b_id=17)


def settings(**given: Any) -> dict[str, Any]:
    return settings_with_defaults(kinds()["rating"], given)


def ratings(value: Any = 3) -> dict[str, dict[str, Any]]:
    return {"17": dict.fromkeys(FIVE, value), "12": dict.fromkeys(FIVE, 0)}


def refused(payload: Any, asked: Asked = BOTH, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as problem:
        rating.validate(payload, settings(**given), asked)
    return problem.value.fields


def test_the_default_is_five_attributes_on_0_to_4_with_words_for_every_point() -> None:
    attributes = rating.attributes_of(settings())
    assert tuple(one.name for one in attributes) == FIVE
    for one in attributes:
        assert [point.value for point in one.scale.points] == [0, 1, 2, 3, 4]
        assert all(point.anchor for point in one.scale.points)
        assert one.question


def test_ratings_of_both_responses_are_kept_by_response_and_choose_nothing() -> None:
    answer = rating.validate({"ratings": ratings()}, settings(), BOTH)
    assert answer.payload == {"ratings": ratings()}
    assert (answer.choice, answer.is_both_bad) == (None, False)


@pytest.mark.parametrize("value", [-1, 5, 3.5, 3.0, True, False, "3", None, [], {}], ids=repr)
def test_only_whole_numbers_of_the_scale_are_taken(value: Any) -> None:
    given = ratings()
    given["17"]["helpfulness"] = value
    assert list(refused({"ratings": given})) == ["ratings.17.helpfulness"]
    assert "0 to 4" in refused({"ratings": given})["ratings.17.helpfulness"]


def test_an_unknown_attribute_and_a_missing_one_are_named_by_their_paths() -> None:
    given = ratings()
    given["12"]["wit"] = given["12"].pop("verbosity")
    assert refused({"ratings": given}) == {
        "ratings.12.wit": "is no attribute of this campaign",
        "ratings.12.verbosity": "is missing",
    }


def test_a_response_that_was_not_shown_and_one_that_is_left_out_are_named() -> None:
    given = {"17": ratings()["17"], "99": ratings()["12"]}
    assert set(refused({"ratings": given})) == {"ratings.99", "ratings.12"}


@pytest.mark.parametrize("given", [None, [], "3", 3, {"17": 3, "12": [1]}], ids=repr)
def test_what_is_no_object_of_ratings_is_refused(given: Any) -> None:
    assert all(path.startswith("ratings") for path in refused({"ratings": given}))


def test_a_choice_is_refused_where_none_is_asked_for() -> None:
    assert refused({"ratings": ratings(), "choice": 1}) == {"choice": "is not asked for here"}


def test_the_comparison_after_the_ratings_is_the_pairwise_answer() -> None:
    answer = rating.validate({"ratings": ratings(), "choice": 2, "reason": "b adds the source"}, seven(), BOTH)
    assert answer.choice == 2
    assert answer.payload == {"ratings": ratings(), "choice": 2, "preferred": 17, "reason": "b adds the source"}
    bad = rating.validate({"ratings": ratings(), "choice": "both_bad"}, seven(), BOTH)
    assert (bad.choice, bad.is_both_bad) == (None, True)


def seven() -> dict[str, Any]:
    return settings(compare="7-step")


def test_faults_of_both_parts_come_together() -> None:
    given = ratings(9)
    found = refused({"ratings": given, "choice": 4, "mood": 1}, compare="7-step")
    assert {"ratings.17.helpfulness", "choice", "mood"} <= set(found)
    assert "choice" in refused({"ratings": ratings()}, compare="7-step")
    assert "choice" in refused({"ratings": ratings(), "choice": 2}, compare="3-way")
    assert "choice" in refused({"ratings": ratings(), "choice": 0}, compare="7-step", tie=False)
    assert "choice" in refused({"ratings": ratings(), "choice": "both_bad"}, compare="7-step", both_bad=False)


def test_a_reason_is_asked_for_by_setting_and_bounded() -> None:
    assert "reason" in refused({"ratings": ratings()}, reason="required")
    assert "reason" in refused({"ratings": ratings(), "reason": "x" * 100_000}, reason="optional")
    assert "reason" in refused({"ratings": ratings(), "reason": 5})
    kept = rating.validate({"ratings": ratings(), "reason": "why"}, settings(reason="required"), BOTH)
    assert kept.payload["reason"] == "why"


def test_a_single_response_is_not_compared() -> None:
    asked = Asked(response_ids=(17,))
    one = {"ratings": {"17": ratings()["17"]}}
    assert rating.validate(one, settings(compare="7-step"), asked).payload == one
    assert refused({**one, "choice": 1}, asked, compare="7-step") == {"choice": "is not asked for here"}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ([], "1 to 20"),
        ("helpfulness", "1 to 20"),
        (["helpfulness"], "attributes.0"),
        ([{"name": "so so"}], "attributes.0.name"),
        ([{"question": "How?"}], "attributes.0.name"),
        ([{"name": "wit"}, {"name": "wit"}], "twice"),
        ([{"name": "wit", "least": 4, "most": 4}], "attributes.0.most"),
        ([{"name": "wit", "least": True, "most": 4}], "attributes.0.least"),
        ([{"name": "wit", "most": 11}], "attributes.0.most"),
        ([{"name": "wit", "anchors": {"7": "far out"}}], "attributes.0.anchors.7"),
        ([{"name": "wit", "anchors": ["dull"]}], "attributes.0.anchors"),
        ([{"name": "wit", "colour": "red"}], "attributes.0.colour"),
        ([{"name": "wit", "question": "\0"}], "attributes.0.question"),
    ],
)
def test_attributes_that_cannot_be_asked_are_refused_with_their_place(attributes: Any, said: str) -> None:
    with pytest.raises(Problem) as problem:
        settings(attributes=attributes)
    assert said in problem.value.fields["attributes"]


def test_own_attributes_have_their_own_scale() -> None:
    own = [{"name": "wit", "question": "Does it make you smile?", "least": 1, "most": 7, "anchors": {"7": "Aloud"}}]
    asked = Asked(response_ids=(17,))
    assert refused({"ratings": {"17": {"wit": 0}}}, asked, attributes=own) == {
        "ratings.17.wit": "must be a whole number from 1 to 7"
    }
    assert rating.validate({"ratings": {"17": {"wit": 7}}}, settings(attributes=own), asked).payload


def test_a_rating_with_a_choice_counts_in_the_consensus_and_reads_back(
    project: Any, comparisons: list[Comparison], annotator: User
) -> None:
    campaign = create_campaign(project=project, name="Rate", kind="rating", settings={"compare": "3-way"})
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    first, second = item.order
    given = {str(first): dict.fromkeys(FIVE, 4), str(second): dict.fromkeys(FIVE, 1)}
    better = -1 if first == item.response_a_id else 1
    assignment = Assignment.objects.get(id=item.assignment_id)
    done = submit(assignment=assignment, payload={"ratings": given, "choice": better})
    judgment = Judgment.objects.get(id=done.judgment_id)
    assert judgment.choice == better
    assert Consensus.objects.get(campaign=campaign).label == better
    assert rating.words(judgment).startswith("A: helpfulness 4")
    assert rating.words(judgment).endswith("A better")


def test_helpsteer_is_named_as_the_scheme_names_it() -> None:
    assert [one["name"] for one in HELPSTEER] == list(FIVE)
