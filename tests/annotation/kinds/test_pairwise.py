from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import submit
from annotation.kinds import pairwise
from annotation.kinds._base import Asked, InvalidPayload, InvalidSettings, settings_with_defaults
from annotation.models import Assignment, Campaign, Consensus, Judgment
from corpus.models import Comparison
from tests.annotation.conftest import Api

ASKED = Asked(response_ids=(12, 11), response_a_id=11, response_b_id=12)
DIMENSIONS = [{"name": "helpful", "question": "More helpful?"}, {"name": "harmless", "question": "Less harmful?"}]


def settings(**given: Any) -> dict[str, Any]:
    return settings_with_defaults(cast(Any, pairwise), given)


def refused(payload: dict[str, Any], asked: Asked = ASKED, **given: Any) -> dict[str, str]:
    with pytest.raises(InvalidPayload) as problem:
        pairwise.validate(payload, settings(**given), asked)
    return problem.value.fields


def taken(payload: dict[str, Any], **given: Any) -> dict[str, Any]:
    return pairwise.validate(payload, settings(**given), ASKED).payload


def test_a_choice_names_the_response_that_is_preferred() -> None:
    assert taken({"choice": -2}) == {"choice": -2, "preferred": 11}
    assert taken({"choice": 3}) == {"choice": 3, "preferred": 12}
    assert taken({"choice": 0}) == {"choice": 0, "preferred": None}


@pytest.mark.parametrize("choice", [None, True, 4, -4, 1.0, "1", "both", [], {}, "both_good"])
def test_a_choice_outside_the_scale_is_refused(choice: object) -> None:
    assert list(refused({"choice": choice})) == ["choice"]


def test_three_ways_take_one_step_to_either_side() -> None:
    assert taken({"choice": -1}, scale="3-way")["preferred"] == 11
    assert "from -1 to 1" in refused({"choice": 2}, scale="3-way")["choice"]
    assert "does not offer a tie" in refused({"choice": 0}, scale="3-way", tie=False)["choice"]


def test_both_good_is_its_own_answer_and_counts_as_a_tie() -> None:
    answer = pairwise.validate({"choice": "both_good"}, settings(both_good=True), ASKED)
    assert (answer.payload, answer.choice, answer.is_both_bad) == ({"choice": "both_good", "preferred": None}, 0, False)


def test_both_bad_is_no_number() -> None:
    answer = pairwise.validate({"choice": "both_bad"}, settings(), ASKED)
    assert (answer.choice, answer.is_both_bad) == (None, True)
    assert "does not offer both_bad" in refused({"choice": "both_bad"}, both_bad=False)["choice"]


def test_every_question_needs_an_answer_on_the_same_scale() -> None:
    answers = {"helpful": -3, "harmless": 1}
    assert taken({"choice": 1, "dimensions": answers}, dimensions=DIMENSIONS)["dimensions"] == answers
    assert refused({"choice": 1}, dimensions=DIMENSIONS) == {"dimensions": "helpful has no answer"}
    out = refused({"choice": 1, "dimensions": {"helpful": 1, "harmless": 4}}, dimensions=DIMENSIONS)["dimensions"]
    assert out == "harmless must be a whole number from -3 to 3 (negative = response_a is better)"
    unknown = refused({"choice": 1, "dimensions": answers | {"x": 1}}, dimensions=DIMENSIONS)["dimensions"]
    assert "'x' is not asked here" in unknown
    assert (
        "offer both_bad"
        in refused({"choice": 1, "dimensions": {"helpful": "both_bad"}}, dimensions=DIMENSIONS)["dimensions"]
    )


def test_after_both_bad_the_questions_may_stay_open() -> None:
    assert "dimensions" not in taken({"choice": "both_bad"}, dimensions=DIMENSIONS)


def test_a_reason_has_its_least_length_without_the_white_space_around_it() -> None:
    asks: dict[str, Any] = {"reason": "required", "min_reason_characters": 10}
    assert taken({"choice": 1, "reason": "Shorter, and right."}, **asks)["reason"] == "Shorter, and right."
    assert "at least 10 characters" in refused({"choice": 1, "reason": "  short    "}, **asks)["reason"]
    assert "asks for a short reason" in refused({"choice": 1}, **asks)["reason"]
    asks["reason"] = "optional"
    assert "reason" not in taken({"choice": 1, "reason": ""}, **asks)
    assert "at least 10 characters" in refused({"choice": 1, "reason": "short"}, **asks)["reason"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * 100_000, "at most 4,000 characters, and has 100,000"),
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        (7, "must be text"),
    ],
    ids=["long", "nul", "surrogate", "number"],
)
def test_a_reason_that_cannot_be_kept_says_why(text: object, words: str) -> None:
    assert words in refused({"choice": 1, "reason": text})["reason"]


def test_tags_are_those_offered_each_once_and_in_one_order() -> None:
    asks: dict[str, Any] = {"tags": ["shorter", "correct"], "tags_required": True}
    assert taken({"choice": 1, "tags": ["shorter", "correct"]}, **asks)["tags"] == ["correct", "shorter"]
    assert "at least one tag" in refused({"choice": 1}, **asks)["tags"]
    assert (
        "'nice' is not offered; must be one of: shorter, correct"
        in refused({"choice": 1, "tags": ["nice"]}, **asks)["tags"]
    )
    assert "twice" in refused({"choice": 1, "tags": ["correct", "correct"]}, **asks)["tags"]
    assert "list of tags" in refused({"choice": 1, "tags": "correct"}, **asks)["tags"]
    assert "offers no tags" in refused({"choice": 1, "tags": ["correct"]})["tags"]


def test_an_ideal_response_is_taken_where_it_is_asked_for() -> None:
    assert taken({"choice": 1, "ideal": "Four."}, ideal="optional")["ideal"] == "Four."
    assert "asks for an ideal response" in refused({"choice": 1, "ideal": " "}, ideal="required")["ideal"]
    assert "asks for no ideal" in refused({"choice": 1, "ideal": "Four."})["ideal"]
    assert "at most 20,000" in refused({"choice": 1, "ideal": "x" * 20_001}, ideal="optional")["ideal"]


def test_several_problems_are_told_at_once_each_by_its_field() -> None:
    found = refused({"choice": 9, "reason": "\0", "tags": ["x"], "mood": 1})
    assert set(found) == {"choice", "reason", "tags", "mood"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", "5-step"),
        ("dimensions", [{"name": "a"}]),
        ("dimensions", [{"name": "a", "question": "?", "more": 1}]),
        ("dimensions", [{"name": "a", "question": "?"}, {"name": "a", "question": "?"}]),
        ("dimensions", [{"name": "a\0", "question": "?"}]),
        ("dimensions", "a"),
        ("tags", ["a", "a"]),
        ("tags", [""]),
        ("tags", [["a"]]),
        ("min_reason_characters", -1),
        ("highlights", True),
        ("ideal", "yes"),
        ("auto_advance", 1),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidSettings) as problem:
        settings(**{name: value})
    assert list(problem.value.fields) == [name]


def test_a_campaign_from_before_these_settings_goes_on() -> None:
    old = {"tie": True, "both_bad": True, "reason": "off"}
    assert pairwise.validate({"choice": 1}, old, ASKED).choice == 1


@pytest.mark.parametrize(
    ("given", "keys", "choices"),
    [
        ({}, "1234567", [3, 2, 1, 0, -1, -2, -3]),
        ({"tie": False}, "123567", [3, 2, 1, -1, -2, -3]),
        ({"scale": "3-way"}, "123", [1, 0, -1]),
        ({"scale": "3-way", "tie": False}, "12", [1, -1]),
    ],
)
def test_the_keys_follow_the_hands_and_the_choices_the_order_shown(
    given: dict[str, Any], keys: str, choices: list[int]
) -> None:
    item = SimpleNamespace(responses=[SimpleNamespace(id=12), SimpleNamespace(id=11)], response_a_id=11)
    steps = pairwise.steps(cast(ClaimedItem, item), Campaign(settings=given))
    assert "".join(step.key for step in steps) == keys
    assert [step.choice for step in steps] == choices
    assert [step.words[0] for step in steps][:: len(steps) - 1] == ["A", "B"]


def test_words_name_the_sides_as_their_author_saw_them() -> None:
    comparison = Comparison(response_a_id=11, response_b_id=12)
    seven, three = Campaign(settings={}), Campaign(settings={"scale": "3-way"})
    shown = {"comparison": comparison, "order_shown": [12, 11], "payload": {}}
    assert pairwise.words(Judgment(campaign=seven, choice=-1, **shown)) == "B slightly better"
    assert pairwise.words(Judgment(campaign=three, choice=-1, **shown)) == "B better"
    assert pairwise.words(Judgment(campaign=three, choice=0, **shown)) == "Tie"
    good = shown | {"payload": {"choice": "both_good"}}
    assert pairwise.words(Judgment(campaign=seven, choice=0, **good)) == "Both good"
    assert pairwise.words(Judgment(campaign=seven, is_both_bad=True, **shown)) == "Both bad"


# Highlights lie in real texts: "It is `0`." and "Let me think: about 1."


@pytest.fixture
def asked(comparisons: list[Comparison]) -> Asked:
    first = comparisons[0]
    ids = (first.response_a_id, first.response_b_id)
    return Asked(response_ids=ids, response_a_id=ids[0], response_b_id=ids[1])


def span(response: int, start: int, end: int, mark: str = "good") -> dict[str, Any]:
    return {"response": response, "start": start, "end": end, "mark": mark}


def test_highlights_are_kept_in_the_order_of_the_text_and_equal_marks_merge(asked: Asked) -> None:
    a, b = asked.response_ids
    given = [span(b, 0, 3, "bad"), span(a, 6, 10), span(a, 0, 4), span(a, 2, 5)]
    answer = pairwise.validate({"choice": 1, "highlights": given}, settings(highlights="on"), asked)
    assert answer.payload["highlights"] == [span(a, 0, 5), span(a, 6, 10), span(b, 0, 3, "bad")]


@pytest.mark.parametrize(
    ("start", "end", "mark", "words"),
    [
        (0, 11, "good", "inside the text: 0 <= start < end <= 10"),
        (-1, 2, "good", "inside the text"),
        (3, 3, "good", "inside the text"),
        (0, 2, "fine", "good or bad"),
        (0.0, 2, "good", "whole numbers"),
        (True, 2, "good", "whole numbers"),
    ],
)
def test_a_highlight_that_is_no_passage_is_refused(asked: Asked, start: Any, end: int, mark: str, words: str) -> None:
    given: dict[str, Any] = {"choice": 1, "highlights": [span(asked.response_ids[0], start, end, mark)]}
    assert words in refused(given, asked, highlights="on")["highlights"]


def test_the_same_words_are_never_good_and_bad(asked: Asked) -> None:
    a, b = asked.response_ids
    both = [span(a, 0, 5), span(a, 4, 6, "bad")]
    assert "as good and as bad" in refused({"choice": 1, "highlights": both}, asked, highlights="on")["highlights"]
    around = [span(a, 0, 10), span(a, 4, 6, "bad")]
    assert "as good and as bad" in refused({"choice": 1, "highlights": around}, asked, highlights="on")["highlights"]
    beside = [span(a, 0, 4), span(a, 4, 6, "bad"), span(b, 0, 6)]
    assert pairwise.validate({"choice": 1, "highlights": beside}, settings(highlights="on"), asked)


def test_a_highlight_in_another_comparisons_response_is_refused(asked: Asked, comparisons: list[Comparison]) -> None:
    other = [span(comparisons[1].response_a_id, 0, 2)]
    words = "number 1 names a response that was not shown"
    assert refused({"choice": 1, "highlights": other}, asked, highlights="on")["highlights"] == words


def test_highlights_count_code_points(asked: Asked, comparisons: list[Comparison]) -> None:
    comparisons[0].response_a.content = "😀é\r\nx"
    comparisons[0].response_a.save()
    whole = [span(asked.response_ids[0], 0, 5)]
    assert pairwise.validate({"choice": 1, "highlights": whole}, settings(highlights="on"), asked)
    past = [span(asked.response_ids[0], 0, 6)]
    assert "<= 5" in refused({"choice": 1, "highlights": past}, asked, highlights="on")["highlights"]


@pytest.mark.parametrize(
    "highlights", ["x", {}, [1], [{"response": 1}], [{**span(1, 0, 1), "note": ""}], [span(1, 0, 1)] * 201]
)
def test_what_is_no_list_of_highlights_is_refused(asked: Asked, highlights: object) -> None:
    assert set(refused({"choice": 1, "highlights": highlights}, asked, highlights="on")) == {"highlights"}


def test_highlights_that_were_not_asked_for_are_refused(asked: Asked) -> None:
    given = {"choice": 1, "highlights": [span(asked.response_ids[0], 0, 2)]}
    assert "no highlights" in refused(given, asked)["highlights"]


# Over the API


def test_an_answer_with_everything_comes_back_the_same_when_sent_twice(
    project: Project, comparisons: list[Comparison], annotator: User, api: type[Api]
) -> None:
    given = {
        "both_good": True, "dimensions": DIMENSIONS, "reason": "required", "tags": ["clear", "short"],
        "highlights": "on", "ideal": "required",
    }  # fmt: skip
    campaign = create_campaign(project=project, name="All of it", settings=given)
    call = api(annotator)
    claimed = call("POST", f"campaigns/{campaign.id}/claim").json()
    a = claimed["item"]["response_a"]
    body: dict[str, Any] = {
        "choice": 2, "dimensions": {"helpful": 1, "harmless": 0}, "reason": "Clear.", "tags": ["short", "clear"],
        "highlights": [span(a, 3, 5), span(a, 0, 2, "bad")], "ideal": "It is zero.",
    }  # fmt: skip
    path = f"assignments/{claimed['assignment']['id']}/judgment"
    first = call("POST", path, body)
    assert first.status_code == 201, first.content
    again = call("POST", path, {**body, "tags": ["clear", "short"], "highlights": body["highlights"][::-1]})
    assert again.json()["judgment"] == first.json()["judgment"]
    stored = Judgment.objects.get()
    assert stored.payload["ideal"] == "It is zero."
    assert (stored.choice, Consensus.objects.get().label) == (2, 2)


def test_a_refused_answer_names_its_fields_and_keeps_the_draft(
    campaign: Campaign, annotator: User, stranger: User, api: type[Api]
) -> None:
    call = api(annotator)
    claimed = call("POST", f"campaigns/{campaign.id}/claim").json()
    path = f"assignments/{claimed['assignment']['id']}"
    long = {"choice": 1, "reason": "x" * 100_000}
    assert call("PUT", f"{path}/draft", {"choice": 1}).status_code == 200
    reply = call("POST", f"{path}/judgment", long)
    assert reply.status_code == 422
    assert "at most 4,000 characters" in reply.json()["error"]["fields"]["reason"]
    assert call("POST", f"{path}/judgment", {"choice": 1, "\ud800": 1}).status_code == 422
    assert call("POST", f"campaigns/{campaign.id}/claim").json()["item"]["draft"] == {"choice": 1}
    assert api(stranger)("POST", f"{path}/judgment", {"choice": 1}).status_code == 404


def test_both_good_counts_as_a_tie_in_the_majority(
    project: Project, comparisons: list[Comparison], annotator: User
) -> None:
    campaign = create_campaign(project=project, name="Good ones", settings={"both_good": True})
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "annotator").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": "both_good"})
    assert Consensus.objects.get().label == 0
