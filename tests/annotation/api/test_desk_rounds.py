"""Training, qualification and refusals over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign
from annotation.quality.gold import mark_gold


@pytest.fixture
def trained(project: Project, comparisons: list[Any]) -> Campaign:
    quality = {"training": {"items": 1}, "qualification": {"items": 1, "threshold": 1}}
    campaign = create_campaign(project=project, name="Rounds", quality=quality)
    items = [
        {"comparison": one.id, "phase": phase, "expected": {"better": "a"}, "explanation": "**Look** at the number."}
        for one, phase in zip(comparisons, ("training", "qualification"), strict=False)
    ]
    mark_gold(campaign=campaign, items=items, by=None)
    return campaign


def test_the_reply_in_training_says_what_was_expected(trained: Campaign, annotator: User, api: Any) -> None:
    call = api(annotator)
    claimed = call("POST", f"campaigns/{trained.id}/claim").json()
    reply = call("POST", f"assignments/{claimed['assignment']['id']}/judgment?html=true", {"choice": 2}).json()
    shown_first = claimed["assignment"]["order"][0] == claimed["item"]["response_a"]
    feedback = reply["feedback"]
    assert feedback["is_right"] is False
    assert feedback["expected"] == ("A" if shown_first else "B") + " is better"
    assert feedback["expected_answer"] == {"better": "a"}
    assert feedback["explanation"] == "**Look** at the number."
    assert "<strong>Look</strong>" in feedback["html"] and feedback["expected"] in feedback["html"]
    assert reply["next"]["item"]["id"] != claimed["item"]["id"]


def test_an_item_does_not_tell_why_it_was_given(trained: Campaign, annotator: User, api: Any) -> None:
    claimed = api(annotator)("POST", f"campaigns/{trained.id}/claim").json()
    assert "purpose" not in str(claimed) and "training" not in str(claimed)


def test_who_fails_reads_why_in_the_reply_and_at_the_next_claim(trained: Campaign, annotator: User, api: Any) -> None:
    call = api(annotator)
    claimed = call("POST", f"campaigns/{trained.id}/claim").json()
    claimed = call("POST", f"assignments/{claimed['assignment']['id']}/judgment", {"choice": -1}).json()["next"]
    reply = call("POST", f"assignments/{claimed['assignment']['id']}/judgment", {"choice": 3})
    assert reply.status_code == 201
    assert (reply.json()["next"], reply.json()["feedback"]) == (None, None)
    assert reply.json()["refusal"]["code"] == "not_qualified"
    again = call("POST", f"campaigns/{trained.id}/claim")
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "not_qualified"
    assert "0 of 1 answers" in again.json()["error"]["message"]


def test_who_is_not_invited_is_told_whom_to_ask(
    project: Project, comparisons: list[Any], annotator: User, stranger: User, api: Any
) -> None:
    campaign = create_campaign(project=project, name="Chosen", is_invited_only=True)
    reply = api(annotator)("POST", f"campaigns/{campaign.id}/claim")
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "not_invited")
    assert api(stranger)("POST", f"campaigns/{campaign.id}/claim").status_code == 404
