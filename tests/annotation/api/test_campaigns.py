from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Scope, User
from annotation.campaigns.create import create_campaign
from annotation.models import Adjudication, Campaign, Task
from corpus.models import Comparison


@pytest.fixture
def split(campaign: Campaign, api: Any, people: Callable[[int], list[User]]) -> int:
    """A comparison on which two people differ."""
    numbers = set()
    for person, choice in zip(people(2), (2, -2), strict=True):
        call = api(person)
        claimed = call("POST", f"campaigns/{campaign.id}/claim").json()
        call("POST", f"assignments/{claimed['assignment']['id']}/judgment", {"choice": choice})
        numbers.add(claimed["item"]["id"])
    (only,) = numbers
    return int(only)


def test_a_campaign_is_read_with_its_settings_and_how_far_it_is(
    api: Any, curator: User, campaign: Campaign, split: int
) -> None:
    found = api(curator)("GET", f"campaigns/{campaign.id}").json()
    assert (found["judged"], found["wanted"], found["undecided"], found["decided"]) == (2, 8, 1, 0)
    assert (found["people"], found["simulated"], found["quality"]) == (2, 0, {})


def test_annotators_read_no_campaign_of_theirs_in_full(api: Any, annotator: User, campaign: Campaign) -> None:
    assert api(annotator)("GET", f"campaigns/{campaign.id}").status_code == 403
    listed = api(annotator)("GET", "projects/demo/campaigns").json()["items"][0]
    assert "quality" not in listed


def test_everything_about_a_campaign_is_changed_at_once_or_not_at_all(
    api: Any, curator: User, campaign: Campaign
) -> None:
    call = api(curator)
    change = {"name": "Second name", "guidelines": "Be brief.", "overlap": 3, "stop_rule": {"max": 5, "until": 0.9}}
    assert call("PATCH", f"campaigns/{campaign.id}", {**change, "consensus_method": "loudest"}).status_code == 422
    campaign.refresh_from_db()
    assert (campaign.name, campaign.overlap) == ("First look", 2)
    reply = call("PATCH", f"campaigns/{campaign.id}", {**change, "state": "paused"})
    assert (reply.json()["name"], reply.json()["overlap"], reply.json()["state"]) == ("Second name", 3, "paused")
    found = call("GET", f"campaigns/{campaign.id}").json()
    assert (found["stop_rule"], found["guidelines_version"]) == ({"max": 5, "until": 0.9}, 1)


def test_a_stop_rule_stays_when_it_is_left_out_and_ends_by_null(api: Any, curator: User, campaign: Campaign) -> None:
    call = api(curator)
    rule = {"max": 5, "until": 0.9}
    call("PATCH", f"campaigns/{campaign.id}", {"stop_rule": rule})
    call("PATCH", f"campaigns/{campaign.id}", {"name": "Other"})
    assert call("GET", f"campaigns/{campaign.id}").json()["stop_rule"] == rule
    call("PATCH", f"campaigns/{campaign.id}", {"stop_rule": None})
    assert call("GET", f"campaigns/{campaign.id}").json()["stop_rule"] is None


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": " "}, 422, "name"),
        ({"stop_rule": {"max": 1, "until": 0.9}}, 422, "stop_rule"),
        ({"quality": {"gold": {"every": 0}}}, 422, "quality.gold.every"),
        ({"consensus_method": "dawid_skene"}, 409, "consensus_method"),
    ],
    ids=["name", "stop rule", "quality", "not fitted"],
)
def test_a_change_that_cannot_be_says_which_field(
    api: Any, curator: User, campaign: Campaign, change: dict[str, Any], status: int, field: str
) -> None:
    reply = api(curator)("PATCH", f"campaigns/{campaign.id}", change)
    assert reply.status_code == status
    assert field in reply.json()["error"]["fields"]


def test_a_taken_name_is_refused(api: Any, curator: User, campaign: Campaign) -> None:
    create_campaign(project=campaign.project, name="Taken")
    assert api(curator)("PATCH", f"campaigns/{campaign.id}", {"name": "Taken"}).status_code == 409


def test_priorities_are_changed(api: Any, curator: User, campaign: Campaign, comparisons: list[Comparison]) -> None:
    call = api(curator)
    body = {"comparisons": [comparisons[2].id], "priority": 7}
    assert call("POST", f"campaigns/{campaign.id}/priorities", body).json() == {"tasks": 1}
    assert Task.objects.get(campaign=campaign, priority=7).comparison == comparisons[2]
    assert call("POST", f"campaigns/{campaign.id}/priorities", {"source": "nowhere"}).status_code == 422
    assert call("POST", f"campaigns/{campaign.id}/priorities", {"comparisons": [2**70]}).status_code == 422


def test_rows_imported_later_are_added(
    api: Any, curator: User, campaign: Campaign, grow: Callable[[int], object]
) -> None:
    grow(2)
    assert api(curator)("POST", f"campaigns/{campaign.id}/extend").json() == {"tasks": 2}
    assert api(curator)("GET", f"campaigns/{campaign.id}").json()["tasks"] == 6


def test_a_curator_adjudicates_takes_back_and_lists(api: Any, curator: User, campaign: Campaign, split: int) -> None:
    call = api(curator)
    path = f"campaigns/{campaign.id}/adjudications"
    reply = call("POST", path, {"comparison": split, "label": -1, "reason": "It is right."})
    assert reply.status_code == 201
    (row,) = [c for c in call("GET", "projects/demo/comparisons").json()["items"] if c["id"] == split]
    assert (row["label"], row["consensus"]["method"]) == (-1, "adjudicated")
    assert call("GET", f"campaigns/{campaign.id}").json()["undecided"] == 0
    assert call("POST", path, {"comparison": split, "take_back": True}).json()["is_taken_back"]
    listed = call("GET", f"{path}?limit=1").json()
    assert [item["is_taken_back"] for item in listed["items"]] == [True]
    (older,) = call("GET", f"{path}?limit=1&cursor={listed['next']}").json()["items"]
    assert (older["label"], older["reason"]) == (-1, "It is right.")
    assert call("POST", path, {"comparison": split, "take_back": True}).status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"comparison": 0, "label": 1}, 422),
        ({"comparison": 10**12, "label": 1}, 404),
        ({"comparison": None, "label": 4}, 422),
        ({"comparison": None}, 422),
        ({"comparison": None, "label": 1, "both_bad": True}, 422),
    ],
    ids=["no number", "unknown", "off the scale", "no answer", "two answers"],
)
def test_an_adjudication_that_cannot_be_is_refused(
    api: Any, curator: User, campaign: Campaign, split: int, body: dict[str, Any], status: int
) -> None:
    body = body | {"comparison": split if body["comparison"] is None else body["comparison"]}
    assert api(curator)("POST", f"campaigns/{campaign.id}/adjudications", body).status_code == status
    assert not Adjudication.objects.exists()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "Mine"}),
        ("POST", "/priorities", {"undecided": True}),
        ("POST", "/extend", None),
        ("POST", "/adjudications", {"comparison": 1, "label": 1}),
        ("GET", "/adjudications", None),
    ],
    ids=["read", "change", "priorities", "extend", "adjudicate", "adjudications"],
)
def test_none_of_it_is_for_annotators_or_strangers(
    api: Any, annotator: User, stranger: User, owner: User, campaign: Campaign, method: str, path: str, body: Any
) -> None:
    assert api(annotator)(method, f"campaigns/{campaign.id}{path}", body).status_code == 403
    assert api(stranger)(method, f"campaigns/{campaign.id}{path}", body).status_code == 404
    if method != "GET":
        assert api(owner, Scope.READ)(method, f"campaigns/{campaign.id}{path}", body).status_code == 403


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["NUL", "half of a pair"])
@pytest.mark.parametrize(
    "change",
    [{"guidelines": "TEXT"}, {"name": "TEXT"}, {"consensus_method": "TEXT"}],
    ids=lambda change: next(iter(change)),
)
def test_text_that_cannot_be_stored_is_refused_and_breaks_nothing(
    api: Any, curator: User, campaign: Campaign, change: dict[str, str], text: str
) -> None:
    call = api(curator)
    body = dict.fromkeys(change, text)
    assert call("PATCH", f"campaigns/{campaign.id}", body).status_code == 422
    made = {"name": "Other", "sources": [text], "guidelines": text}
    assert call("POST", "projects/demo/campaigns", made).status_code == 422
    assert call("GET", f"campaigns/{campaign.id}").json()["name"] == "First look"
