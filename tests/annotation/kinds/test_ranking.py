from __future__ import annotations

from typing import Any, cast

import pytest

from annotation.kinds import ranking
from annotation.kinds._base import Asked, InvalidPayload, settings_with_defaults
from annotation.kinds.ranking import Sides, implied_choices
from annotation.models import Judgment

ASKED = Asked(response_ids=(4, 1, 3, 2))


def settings(**given: Any) -> dict[str, Any]:
    return settings_with_defaults(cast(Any, ranking), given)


def refused(places: object, **given: Any) -> str:
    with pytest.raises(InvalidPayload) as problem:
        ranking.validate({"ranking": places}, settings(**given), ASKED)
    assert set(problem.value.fields) == {"ranking"}
    return problem.value.fields["ranking"]


def test_a_ranking_with_a_tie_is_taken_in_one_form() -> None:
    answer = ranking.validate({"ranking": [[3], ["2", 1], [4]]}, settings(), ASKED)
    assert answer.payload == {"ranking": [[3], [1, 2], [4]]}
    assert (answer.choice, answer.is_both_bad) == (None, False)


@pytest.mark.parametrize("places", [None, {}, "4123", [4, 1, 2, 3], [[]], [[4, 1], [], [2, 3]]])
def test_what_is_no_list_of_places_is_refused(places: object) -> None:
    assert "list of places" in refused(places)


@pytest.mark.parametrize("strange", [True, 1.0, None, "one", "1 ", [1], "9" * 30])
def test_what_is_no_id_is_refused(strange: object) -> None:
    assert "whole numbers" in refused([[strange], [4], [3], [2]])


def test_a_response_of_another_prompt_is_refused() -> None:
    assert refused([[4], [1], [3], [99]]) == "99 is no response of this item"


def test_every_response_has_one_place() -> None:
    assert "every response once" in refused([[4], [1], [3], [2, 4]])
    assert refused([[4], [1], [3]]) == "must name every response: 2 has no place"


def test_ties_are_refused_where_none_are_offered() -> None:
    assert "offers no ties" in refused([[4, 1], [3], [2]], tie=False)


def test_a_reason_is_checked_as_everywhere() -> None:
    places = [[4], [1], [3], [2]]
    with pytest.raises(InvalidPayload) as problem:
        ranking.validate({"ranking": places, "reason": "\0", "x": 1}, settings(reason="required"), ASKED)
    assert set(problem.value.fields) == {"reason", "x"}
    kept = ranking.validate({"ranking": places, "reason": "B has a source."}, settings(), ASKED)
    assert kept.payload["reason"] == "B has a source."


def test_a_ranking_answers_the_comparisons_among_its_responses_by_direction() -> None:
    payload = {"ranking": [[3], [1, 2], [4]]}
    sides = [Sides(10, 1, 3), Sides(11, 3, 4), Sides(12, 1, 2), Sides(13, 1, 99)]
    assert implied_choices(payload, sides) == {10: 1, 11: -1, 12: 0}


def test_the_other_sides_turn_the_sign() -> None:
    payload = {"ranking": [[2, 5], [1], [3, 4]]}
    pairs = [(a, b) for a in range(1, 6) for b in range(1, 6) if a < b]
    one = implied_choices(payload, [Sides(number, a, b) for number, (a, b) in enumerate(pairs)])
    other = implied_choices(payload, [Sides(number, b, a) for number, (a, b) in enumerate(pairs)])
    assert other == {number: -choice for number, choice in one.items()}


def test_words_name_the_letters_their_author_saw() -> None:
    judgment = Judgment(order_shown=[4, 1, 3, 2], payload={"ranking": [[3], [1, 4], [2]]})
    assert ranking.words(judgment) == "C > A = B > D"
