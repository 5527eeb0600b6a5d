from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from annotation.desk.assign import claim
from annotation.models import Campaign, GoldAnswer, Participant
from corpus.models import Comparison
from tests.annotation.quality.conftest import work_through


def test_known_answers_are_listed_marked_and_taken_back(
    campaign: Campaign, comparisons: list[Comparison], curator: User, annotator: User, api: Any
) -> None:
    call = api(curator)
    items = [{"comparison": comparisons[0].id, "expected": {"better": "a"}, "phase": "training", "explanation": "So."}]
    reply = call("POST", f"campaigns/{campaign.id}/gold", {"items": items})
    assert (reply.status_code, reply.json()) == (201, {"marked": 1})
    call("PATCH", f"campaigns/{campaign.id}", {"quality": {"training": {"items": 1}}})
    work_through(campaign, annotator, 1, lambda item: -3)
    [listed] = call("GET", f"campaigns/{campaign.id}/gold").json()["items"]
    assert (listed["comparison"], listed["phase"], listed["expected"]) == (
        comparisons[0].id,
        "training",
        {"better": "a"},
    )
    assert (listed["answers"]["right"], listed["answers"]["n"]) == (1, 1)
    assert listed["answers"]["low"] == pytest.approx(0.2065, abs=1e-3)
    [person] = call("GET", f"campaigns/{campaign.id}/participants").json()["items"]
    assert (person["person"], person["state"], person["training"]["n"]) == (annotator.pk, "active", 1)
    assert call("DELETE", f"campaigns/{campaign.id}/gold/{listed['id']}").status_code == 204
    assert not GoldAnswer.objects.exists()
    assert call("DELETE", f"campaigns/{campaign.id}/gold/{listed['id']}").status_code == 404


def test_what_is_wrong_is_named_by_its_path(campaign: Campaign, curator: User, api: Any) -> None:
    reply = api(curator)("POST", f"campaigns/{campaign.id}/gold", {"items": [{"comparison": 0}, 7]})
    assert reply.status_code == 422
    assert set(reply.json()["error"]["fields"]) >= {"items.0.comparison", "items.1"}
    bad = {"quality": {"gold": {"every": 0}}}
    reply = api(curator)("PATCH", f"campaigns/{campaign.id}", bad)
    assert (reply.status_code, list(reply.json()["error"]["fields"])) == (422, ["quality.gold.every"])


def test_a_curator_decides_about_a_member(campaign: Campaign, curator: User, annotator: User, api: Any) -> None:
    call = api(curator)
    reply = call("POST", f"campaigns/{campaign.id}/participants/{annotator.pk}", {"act": "remove"})
    assert reply.json()["state"] == "removed"
    assert api(annotator)("POST", f"campaigns/{campaign.id}/claim").json()["error"]["code"] == "not_invited"
    call("POST", f"campaigns/{campaign.id}/participants/{annotator.pk}", {"act": "let_in"})
    assert api(annotator)("POST", f"campaigns/{campaign.id}/claim").status_code == 200
    assert call("POST", f"campaigns/{campaign.id}/participants/99999", {"act": "let_in"}).status_code == 404
    assert call("POST", f"campaigns/{campaign.id}/participants/{annotator.pk}", {"act": "ban"}).status_code == 422


def test_a_held_item_is_reassigned(
    campaign: Campaign, curator: User, annotator: User, owner: User, stranger: User, api: Any
) -> None:
    item = claim(campaign=campaign, annotator=annotator)
    assert item is not None
    body = {"to": owner.pk, "assignments": [item.assignment_id]}
    assert api(curator)("POST", f"campaigns/{campaign.id}/reassign", body).json() == {"reassigned": 1}
    assert Participant.objects.get(annotator=owner).queue
    assert api(owner)("POST", f"campaigns/{campaign.id}/claim").json()["item"]["id"] == item.item_id
    body["to"] = stranger.pk
    assert api(curator)("POST", f"campaigns/{campaign.id}/reassign", body).status_code == 404


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", "gold"), ("POST", "gold"), ("GET", "participants"), ("POST", "participants/1"), ("POST", "reassign")],
)
def test_these_are_for_curators(
    campaign: Campaign, annotator: User, stranger: User, api: Any, method: str, rest: str
) -> None:
    body = {"act": "let_in", "to": 1, "items": []}
    assert api(annotator)(method, f"campaigns/{campaign.id}/{rest}", body).status_code == 403
    assert api(stranger)(method, f"campaigns/{campaign.id}/{rest}", body).status_code == 404
