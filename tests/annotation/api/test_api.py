from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Membership, Scope, User
from annotation.campaigns.create import set_state
from annotation.models import Campaign, CampaignState, Draft, Judgment, Task


def _claim(call: Any, campaign: Campaign) -> dict[str, Any]:
    reply = call("POST", f"campaigns/{campaign.id}/claim")
    assert reply.status_code == 200, reply.content
    body: dict[str, Any] = reply.json()
    return body


def test_a_campaign_is_open_with_a_task_per_comparison(api: Any, curator: User, comparisons: Any) -> None:
    reply = api(curator)("POST", "projects/demo/campaigns", {"name": "First", "kind": "pairwise", "overlap": 3})
    assert reply.status_code == 201
    assert reply.json()["state"] == "open"
    assert Task.objects.filter(campaign_id=reply.json()["id"], cap=3).count() == len(comparisons)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "telepathy"}, "kind"),
        ({"overlap": 0}, "overlap"),
        ({"overlap": 101}, "overlap"),
        ({"name": "  "}, "name"),
        ({"sources": ["nowhere"]}, "sources"),
        ({"settings": {"tie": "yes"}}, "tie"),
        ({"settings": {"colour": 1}}, "colour"),
        ({"lease_seconds": 1}, "lease_seconds"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_by_field(
    api: Any, curator: User, change: dict[str, Any], field: str
) -> None:
    reply = api(curator)("POST", "projects/demo/campaigns", {"name": "First", "overlap": 1} | change)
    assert reply.status_code == 422
    assert field in reply.json()["error"]["fields"]
    assert not Campaign.objects.exists()


def test_a_name_is_given_once(api: Any, curator: User, campaign: Campaign) -> None:
    reply = api(curator)("POST", "projects/demo/campaigns", {"name": campaign.name})
    assert reply.status_code == 409
    assert "already" in reply.json()["error"]["message"]


def test_an_annotator_makes_no_campaign(api: Any, annotator: User, comparisons: Any) -> None:
    assert api(annotator)("POST", "projects/demo/campaigns", {"name": "Mine"}).status_code == 403


def test_claim_judge_and_next(api: Any, annotator: User, campaign: Campaign) -> None:
    call = api(annotator)
    claimed = _claim(call, campaign)
    assert [r["id"] for r in claimed["item"]["responses"]] == claimed["assignment"]["order"]
    path = f"assignments/{claimed['assignment']['id']}/judgment"
    reply = call("POST", path, {"choice": -2, "seconds": 12.5})
    assert reply.status_code == 201
    assert reply.json()["next"]["item"]["id"] != claimed["item"]["id"]
    judgment = Judgment.objects.get(id=reply.json()["judgment"]["id"])
    assert (judgment.choice, judgment.active_seconds) == (-2, 12.5)
    again = call("POST", path, {"choice": -2})
    assert (again.status_code, again.json()["judgment"]) == (201, reply.json()["judgment"])
    assert call("POST", path, {"choice": 2}).status_code == 409


def test_nothing_left_is_204_and_next_is_null(api: Any, annotator: User, campaign: Campaign) -> None:
    call = api(annotator)
    claimed: dict[str, Any] | None = _claim(call, campaign)
    while claimed:
        path = f"assignments/{claimed['assignment']['id']}/judgment"
        claimed = call("POST", path, {"choice": "both_bad"}).json()["next"]
    assert call("POST", f"campaigns/{campaign.id}/claim").status_code == 204


def test_an_annotator_sees_no_model_label_or_source(api: Any, annotator: User, campaign: Campaign) -> None:
    reply = api(annotator)("POST", f"campaigns/{campaign.id}/claim")
    assert "secret-model" not in reply.content.decode()
    named = {"id", "unit", "prompt", "responses", "response_a", "response_b", "rubric", "draft", "draft_saved_at"}
    assert set(reply.json()["item"]) == named


def test_drafts_skips_releases_and_heartbeats(api: Any, annotator: User, campaign: Campaign) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    assert call("PUT", f"assignments/{number}/draft", {"choice": 1}).status_code == 200
    assert Draft.objects.get().payload == {"choice": 1}
    assert call("POST", f"assignments/{number}/heartbeat").json()["expires_at"]
    assert call("POST", f"assignments/{number}/release").json() == {"ok": True}
    assert call("POST", f"assignments/{number}/heartbeat").status_code == 409
    number = _claim(call, campaign)["assignment"]["id"]
    assert call("POST", f"assignments/{number}/skip", {"reason": "unclear"}).status_code == 200
    assert call("POST", f"assignments/{number}/judgment", {"choice": 1}).status_code == 409


@pytest.mark.parametrize(
    "draft",
    [
        {"reason": "x" * 100_000},
        {"ideal": "\N{GRINNING FACE}" * 20_000},
        {"reason": "In C, a string ends with \\u0000."},
    ],
    ids=["too long to submit", "as long as may be", "writes of a NUL"],
)
def test_what_is_refused_as_an_answer_is_kept_as_a_draft(
    api: Any, annotator: User, campaign: Campaign, draft: dict[str, str]
) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    assert call("POST", f"assignments/{number}/judgment", draft).status_code == 422
    assert call("PUT", f"assignments/{number}/draft", draft).status_code == 200
    assert Draft.objects.get().payload == draft
    assert _claim(call, campaign)["item"]["draft"] == draft


@pytest.mark.parametrize(
    "draft",
    [{"reason": "\0"}, {"reason": "\\\0"}, {"reason": "\ud800"}, {"choice": 10**30}, {"reason": "x" * 600_000}],
    ids=["NUL", "backslash and NUL", "half of a pair", "huge number", "too long"],
)
def test_a_draft_that_cannot_be_stored_is_refused_in_words(
    api: Any, annotator: User, campaign: Campaign, draft: dict[str, Any]
) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    reply = call("PUT", f"assignments/{number}/draft", draft)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_draft")
    assert not Draft.objects.exists()


def test_a_revision_is_by_its_author_only(api: Any, annotator: User, owner: User, campaign: Campaign) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    judgment = call("POST", f"assignments/{number}/judgment", {"choice": 1}).json()["judgment"]["id"]
    assert api(owner)("POST", f"judgments/{judgment}/revise", {"choice": 2}).status_code == 404
    reply = call("POST", f"judgments/{judgment}/revise", {"choice": 2})
    assert reply.status_code == 201
    assert Judgment.objects.standing().get().choice == 2


@pytest.mark.parametrize("verb", ["judgment", "skip", "release", "heartbeat"])
def test_somebody_elses_assignment_is_not_there(
    api: Any, annotator: User, owner: User, stranger: User, campaign: Campaign, verb: str
) -> None:
    number = _claim(api(annotator), campaign)["assignment"]["id"]
    for other in (owner, stranger):
        assert api(other)("POST", f"assignments/{number}/{verb}", {"choice": 1}).status_code == 404
        assert api(other)("PUT", f"assignments/{number}/draft", {}).status_code == 404
    assert not Judgment.objects.exists()


def test_a_stranger_learns_nothing(api: Any, stranger: User, campaign: Campaign) -> None:
    call = api(stranger)
    for method, path in [
        ("POST", f"campaigns/{campaign.id}/claim"),
        ("PATCH", f"campaigns/{campaign.id}"),
        ("GET", "projects/demo/campaigns"),
        ("POST", "projects/demo/campaigns"),
        ("GET", "projects/demo/agreement"),
    ]:
        reply = call(method, path, None if method == "GET" else {"name": "x"})
        assert reply.status_code == 404, path
        if "projects" not in path:
            assert "demo" not in reply.content.decode()


def test_a_removed_member_can_no_longer_answer(api: Any, annotator: User, campaign: Campaign) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    Membership.objects.filter(user=annotator).delete()
    assert call("POST", f"assignments/{number}/judgment", {"choice": 1}).status_code == 404


def test_a_token_that_only_reads_claims_nothing(api: Any, annotator: User, campaign: Campaign) -> None:
    call = api(annotator, Scope.READ)
    assert call("POST", f"campaigns/{campaign.id}/claim").status_code == 403
    assert call("GET", "projects/demo/campaigns").status_code == 200


def test_owner_and_superuser_may_annotate(api: Any, owner: User, campaign: Campaign) -> None:
    root = User.objects.create_superuser("root@example.org", "correct horse battery")
    for person in (owner, root):
        assert _claim(api(person), campaign)


def test_a_paused_campaign_says_so(api: Any, annotator: User, campaign: Campaign) -> None:
    set_state(campaign=campaign, state=CampaignState.PAUSED, by=None)
    reply = api(annotator)("POST", f"campaigns/{campaign.id}/claim")
    assert reply.status_code == 409
    assert "paused" in reply.json()["error"]["message"]


@pytest.mark.parametrize("body", ["[1]", "{", '"x"', "null"])
def test_a_body_that_is_no_object_is_refused(api: Any, annotator: User, campaign: Campaign, body: str) -> None:
    call = api(annotator)
    number = _claim(call, campaign)["assignment"]["id"]
    reply = call.client.generic(
        "POST",
        f"/api/v1/assignments/{number}/judgment",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {call.token}"},
    )
    assert reply.status_code in {400, 422}
    assert reply.json()["error"]["message"]


def test_a_curator_pauses_and_asks_for_more(api: Any, curator: User, campaign: Campaign) -> None:
    reply = api(curator)("PATCH", f"campaigns/{campaign.id}", {"state": "paused", "overlap": 3})
    assert (reply.json()["state"], reply.json()["overlap"]) == ("paused", 3)
    assert api(curator)("PATCH", f"campaigns/{campaign.id}", {"overlap": 2}).status_code == 422


def test_agreement_has_every_figure_with_its_n_or_a_reason(api: Any, curator: User, campaign: Campaign) -> None:
    reply = api(curator)("GET", "projects/demo/agreement")
    assert reply.status_code == 200
    (only,) = reply.json()["campaigns"]
    for name in ("raw_agreement", "alpha_nominal", "alpha_ordinal", "alpha_interval"):
        assert only[name]["n"] == 0
        assert only[name]["value"] is None
        assert only[name]["reason"]
