"""Rubrics, and campaigns of ratings and rubrics, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Project, Scope, User
from annotation.models import Rubric
from corpus.models import Comparison

Api = Any
CRITERIA = [
    {"id": "honest", "text": "Is it free of invented facts?", "kind": "hard", "answers": "yes_no"},
    {"id": "tone", "text": "Tone?", "answers": "scale", "least": 1, "most": 5, "anchors": {"1": "cold"}},
]


@pytest.fixture
def calls(api: type[Api], curator: User) -> Api:
    return api(curator)


def made(calls: Api, **body: Any) -> Any:
    answer = calls("POST", "projects/demo/campaigns", {"name": "Checks", **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def error(answer: Any) -> Any:
    return answer.json()["error"]


def test_a_rubric_is_made_read_and_listed(calls: Api, project: Project) -> None:
    first = calls("POST", "projects/demo/rubrics", {"name": "Support", "criteria": CRITERIA}).json()
    assert (first["version"], [one["id"] for one in first["criteria"]]) == (1, ["honest", "tone"])
    second = calls("POST", "projects/demo/rubrics", {"name": "Support", "criteria": CRITERIA[:1]}).json()
    assert calls("GET", "projects/demo/rubrics").json() == {"items": [second], "next": None}
    read = calls("GET", f"rubrics/{first['id']}").json()
    assert [one["version"] for one in read["versions"]] == [2, 1]
    changes = calls("GET", f"rubrics/{second['id']}/changes?since=1").json()["changes"]
    assert [(one["id"], one["change"]) for one in changes] == [("tone", "removed")]
    for since in (3, 0, -1, 10**12):
        assert calls("GET", f"rubrics/{second['id']}/changes?since={since}").status_code == 422


def test_a_scored_rubric_comes_in_whole_or_within_its_row(calls: Api, project: Project) -> None:
    scored = {"criteria": "Does it plan?", "score1_description": "no", "score5_description": "yes"}
    answer = calls("POST", "projects/demo/rubrics", {"name": "Plan", "score_rubric": scored})
    assert answer.json()["criteria"][0]["most"] == 5


def test_what_is_wrong_is_told_by_path(calls: Api, project: Project) -> None:
    answer = calls("POST", "projects/demo/rubrics", {"name": "x", "criteria": [{"text": "", "kind": "soft"}]})
    assert answer.status_code == 422
    assert set(error(answer)["fields"]) == {"criteria.0.text", "criteria.0.kind"}
    for body in (
        {"name": "x"},
        {"name": "", "criteria": CRITERIA},
        {"criteria": CRITERIA},
        {"name": "x", "criteria": 5},
    ):
        assert calls("POST", "projects/demo/rubrics", body).status_code == 422


def test_strangers_and_annotators_see_no_rubric(
    api: type[Api], calls: Api, annotator: User, stranger: User, owner: User
) -> None:
    made_one = calls("POST", "projects/demo/rubrics", {"name": "Support", "criteria": CRITERIA}).json()
    for path in ("projects/demo/rubrics", f"rubrics/{made_one['id']}", f"rubrics/{made_one['id']}/changes?since=1"):
        assert api(stranger)("GET", path).status_code == 404
        assert api(annotator)("GET", path).status_code == 403
    body = {"name": "Mine", "criteria": CRITERIA}
    assert api(annotator)("POST", "projects/demo/rubrics", body).status_code == 403
    assert api(owner, Scope.READ)("POST", "projects/demo/rubrics", body).status_code == 403
    assert calls("GET", f"rubrics/{10**30}").status_code in {404, 422}


def test_a_rubric_campaign_without_a_rubric_says_what_to_send(calls: Api, comparisons: list[Comparison]) -> None:
    answer = calls("POST", "projects/demo/campaigns", {"name": "Checks", "kind": "rubric"})
    assert (answer.status_code, error(answer)["code"]) == (422, "rubric_needed")
    assert "criteria" in error(answer)["fields"]["rubric"]


def test_a_rubric_is_checked_through_the_api(
    api: type[Api], calls: Api, comparisons: list[Comparison], annotator: User
) -> None:
    campaign = made(calls, kind="rubric", settings={"rubric": CRITERIA})
    assert campaign["rubric"]["version"] == 1
    person = api(annotator)
    claim = person("POST", f"campaigns/{campaign['id']}/claim").json()
    rubric, order = claim["item"]["rubric"], claim["assignment"]["order"]
    assert set(rubric) == {"id", "version", "criteria"}
    path = f"assignments/{claim['assignment']['id']}/judgment"

    wrong = person("POST", path, {"criteria": {str(order[0]): {"honest": True, "wit": "yes"}}})
    assert (wrong.status_code, error(wrong)["code"]) == (422, "invalid_judgment")
    assert set(error(wrong)["fields"]) == {
        f"criteria.{order[0]}.honest",
        f"criteria.{order[0]}.wit",
        f"criteria.{order[0]}.tone",
        f"criteria.{order[1]}",
    }
    answers = {str(number): {"honest": "yes", "tone": "n/a"} for number in order}
    person("PUT", f"assignments/{claim['assignment']['id']}/draft", {"criteria": answers, "rubric_version": 1})
    calls("POST", "projects/demo/rubrics", {"name": "Checks", "criteria": CRITERIA[:1]})
    assert calls("PATCH", f"campaigns/{campaign['id']}", {"rubric_version": 2}).json()["rubric"]["version"] == 2

    stale = person("POST", path, {"criteria": answers, "rubric_version": 1})
    assert (stale.status_code, error(stale)["code"]) == (409, "stale_rubric")
    again = person("POST", f"campaigns/{campaign['id']}/claim").json()
    assert again["assignment"]["id"] == claim["assignment"]["id"]
    assert again["item"]["rubric"]["version"] == 2
    assert again["item"]["draft"]["criteria"] == answers
    now = {str(number): {"honest": "yes"} for number in order}
    assert person("POST", path, {"criteria": now}).status_code == 201
    assert person("POST", path, {"criteria": now, "rubric_version": 2}).status_code == 201
    assert calls("PATCH", f"campaigns/{campaign['id']}", {"rubric_version": 7}).status_code == 422


def test_ratings_are_given_through_the_api_and_summed_up(
    api: type[Api], calls: Api, comparisons: list[Comparison], annotator: User, stranger: User
) -> None:
    campaign = made(calls, kind="rating")
    person = api(annotator)
    claim = person("POST", f"campaigns/{campaign['id']}/claim").json()
    names = [one["name"] for one in campaign["settings"]["attributes"]]
    ratings = {str(number): dict.fromkeys(names, 3) for number in claim["assignment"]["order"]}
    path = f"assignments/{claim['assignment']['id']}/judgment"
    broken = {**ratings, str(claim["assignment"]["order"][0]): {**dict.fromkeys(names, 3), "helpfulness": 5}}
    refused = person("POST", path, {"ratings": broken})
    assert list(error(refused)["fields"]) == [f"ratings.{claim['assignment']['order'][0]}.helpfulness"]
    assert person("POST", path, {"ratings": ratings, "seconds": 4}).status_code == 201

    found = calls("GET", f"campaigns/{campaign['id']}/ratings").json()
    assert (found["n_judgments"], found["questions"][0]["mean"]["value"]) == (1, 3.0)
    assert "No interval" in found["questions"][0]["mean"]["reason"]
    assert api(stranger)("GET", f"campaigns/{campaign['id']}/ratings").status_code == 404
    assert api(annotator)("GET", f"campaigns/{campaign['id']}/ratings").status_code == 403


def test_a_rubric_with_half_a_character_is_refused(calls: Api, project: Project) -> None:
    answer = calls("POST", "projects/demo/rubrics", {"name": "x", "criteria": ["half \ud800"]})
    assert answer.status_code in {400, 422}
    assert not Rubric.objects.exists()
