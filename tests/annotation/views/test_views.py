from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign, CampaignState, Guidelines, Judgment

FOR_CURATORS = [
    "campaigns/", "campaigns/new/", "campaigns/new/kind/?kind=rating", "campaigns/{id}/", "campaigns/{id}/figures/",
    "campaigns/{id}/agreement/", "campaigns/{id}/agreement/figures/", "campaigns/{id}/adjudicate/",
    "campaigns/{id}/work/", "campaigns/{id}/settings/",
]  # fmt: skip
PAGES = ["annotate/", *FOR_CURATORS, "campaigns/{id}/judge/", "history/"]
SETTINGS = {
    "settings-scale": "7-step", "settings-tie": "on", "settings-reason": "off", "settings-highlights": "off",
    "settings-ideal": "off", "settings-min_reason_characters": "0", "settings-tags": "too long\nmade up",
}  # fmt: skip


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _judged(campaign: Campaign, person: User, choice: int | str = 2) -> Judgment:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    done = submit(assignment=assignment, payload={"choice": choice}, with_next=False)
    return Judgment.objects.get(id=done.judgment_id)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_for_its_role(
    campaign: Campaign, annotator: User, curator: User, owner: User, stranger: User, page: str
) -> None:
    path = f"/p/demo/{page.format(id=campaign.id)}"
    assert Client().get(path).status_code == 302
    assert _as(stranger).get(path).status_code == 404
    assert _as(annotator).get(path).status_code == (403 if page in FOR_CURATORS else 200)
    for person in (curator, owner):
        assert _as(person).get(path).status_code == 200
    assert _as(owner).delete(path).status_code == 405


def test_a_campaign_of_another_project_is_not_here(campaign: Campaign, owner: User) -> None:
    from accounts.create_project import create_project

    create_project(slug="other", name="Other", by=owner)
    assert _as(owner).get(f"/p/other/campaigns/{campaign.id}/").status_code == 404


def test_annotate_lists_what_is_left_for_me(campaign: Campaign, annotator: User) -> None:
    _judged(campaign, annotator)
    page = _as(annotator).get("/p/demo/annotate/").content.decode()
    assert "First look" in page
    assert "Continue" in page
    assert "1 of 8 judgments" in page


def test_annotate_says_when_nothing_is_open(annotator: User) -> None:
    assert "No campaign is open" in _as(annotator).get("/p/demo/annotate/").content.decode()


def test_a_campaign_is_made_by_the_form(curator: User, comparisons: object) -> None:
    form = {"name": "By hand", "kind": "pairwise", "overlap": 2, "guidelines": "Be kind."} | SETTINGS
    reply = _as(curator).post("/p/demo/campaigns/new/", form)
    campaign = Campaign.objects.get()
    assert reply.status_code == 302
    assert reply.headers["Location"] == f"/p/demo/campaigns/{campaign.id}/"
    assert (campaign.settings["tie"], campaign.settings["both_bad"], campaign.settings["reason"]) == (
        True,
        False,
        "off",
    )
    assert campaign.settings["tags"] == ["too long", "made up"]
    assert (campaign.task_count, campaign.guidelines_version) == (4, 1)
    assert Guidelines.objects.get().text == "Be kind."


def test_a_form_that_cannot_be_says_why(curator: User, campaign: Campaign) -> None:
    form = {"name": campaign.name, "kind": "pairwise", "overlap": 2, "guidelines": "Typed, and kept."} | SETTINGS
    reply = _as(curator).post("/p/demo/campaigns/new/", form)
    assert reply.status_code == 422
    assert "already" in reply.content.decode()
    assert "Typed, and kept." in reply.content.decode()


def test_an_annotator_posts_no_campaign(annotator: User, comparisons: object) -> None:
    assert _as(annotator).post("/p/demo/campaigns/new/", {"name": "x"}).status_code == 403
    assert not Campaign.objects.exists()


def test_the_campaign_page_shows_people_agreement_balance_and_splits(
    campaign: Campaign, people: Callable[[int], list[User]], curator: User
) -> None:
    first, second = people(2)
    _judged(campaign, first, 2)
    _judged(campaign, second, -2)
    page = _as(curator).get(f"/p/demo/campaigns/{campaign.id}/").content.decode()
    assert "2 of 8 judgments" in page
    assert "person-0@example.org" in page
    assert "n = 1" in page
    assert "1 A better, 1 B better" in page
    assert "shown first 1 times and response_b 1 times" in page


def test_a_simulated_person_is_named_as_simulated(campaign: Campaign, annotator: User, curator: User) -> None:
    User.objects.filter(id=annotator.id).update(is_simulated=True)
    _judged(campaign, annotator)
    page = _as(curator).get(f"/p/demo/campaigns/{campaign.id}/").content.decode()
    assert "chip--simulated" in page
    assert "All 1 judgments here are simulated" in page
    assert "1 simulated</span>" in _as(curator).get("/p/demo/campaigns/").content.decode()
    assert "holds simulated votes" in _as(curator).get("/").content.decode()


def test_a_campaign_is_paused_and_extended_by_a_curator_only(
    campaign: Campaign, annotator: User, curator: User, stranger: User
) -> None:
    path = f"/p/demo/campaigns/{campaign.id}/state/"
    assert _as(annotator).post(path, {"state": "paused"}).status_code == 403
    assert _as(stranger).post(path, {"state": "paused"}).status_code == 404
    _as(curator).post(path, {"state": "paused"})
    _as(curator).post(path, {"overlap": "5"})
    campaign.refresh_from_db()
    assert (campaign.state, campaign.overlap) == (CampaignState.PAUSED, 5)


def test_the_desk_claims_nothing_before_its_script_runs(campaign: Campaign, annotator: User) -> None:
    _as(annotator).get(f"/p/demo/campaigns/{campaign.id}/judge/")
    assert not Assignment.objects.exists()


def test_history_lists_my_answers_in_the_letters_i_saw(campaign: Campaign, annotator: User, curator: User) -> None:
    judgment = _judged(campaign, annotator, 3)
    assert judgment.comparison is not None
    better = "B" if judgment.order_shown[1] == judgment.comparison.response_b_id else "A"
    page = _as(annotator).get("/p/demo/history/").content.decode()
    assert f"{better} much better" in page
    assert f"/judge/{judgment.id}/" in page
    assert f"/judge/{judgment.id}/" not in _as(curator).get("/p/demo/history/").content.decode()


def test_somebody_elses_answer_cannot_be_opened(campaign: Campaign, annotator: User, owner: User) -> None:
    judgment = _judged(campaign, annotator)
    path = f"/p/demo/campaigns/{campaign.id}/judge/{judgment.id}/"
    assert _as(annotator).get(path).status_code == 200
    assert _as(owner).get(path).status_code == 404


def test_every_state_says_what_it_means(campaign: Campaign, curator: User) -> None:
    client = _as(curator)
    for state, means in (("paused", "they may still answer"), ("closed", "no more answers"), ("open", "get items")):
        page = client.post(f"/p/demo/campaigns/{campaign.id}/state/", {"state": state}, follow=True).content.decode()
        assert means in page


def test_what_changes_no_order_says_so(campaign: Campaign, curator: User) -> None:
    address = f"/p/demo/campaigns/{campaign.id}/work/priorities/"
    page = _as(curator).post(address, {"which": "undecided", "priority": "1"}, follow=True).content.decode()
    assert "Nothing changed" in page
    refused = _as(curator).post(address, {"which": "source", "priority": "1"})
    assert refused.status_code == 422 and "Choose a source." in refused.content.decode()


def test_settings_are_told_in_words_and_simulated_people_are_not_invited(
    campaign: Campaign, annotator: User, curator: User
) -> None:
    User.objects.filter(id=annotator.id).update(is_simulated=True, name="Made up")
    page = _as(curator).get(f"/p/demo/campaigns/{campaign.id}/settings/").content.decode()
    assert "<dt>Tie</dt><dd>yes</dd>" in page and "[]" not in page
    assert "Made up" not in page
