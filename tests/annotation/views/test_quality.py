"""The page of what is known."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, GoldAnswer, Participant
from annotation.quality.gold import mark_gold
from corpus.models import Comparison
from tests.annotation.quality.conftest import work_through

People = Callable[[int], list[User]]


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _path(campaign: Campaign, rest: str = "") -> str:
    return f"/p/demo/campaigns/{campaign.id}/quality/{rest}"


@pytest.fixture
def known(project: Project, comparisons: list[Comparison]) -> Campaign:
    quality = {"qualification": {"items": 2, "threshold": 1}}
    campaign = create_campaign(project=project, name="Known", quality=quality)
    items = [
        {"comparison": one.id, "phase": "qualification", "expected": {"better": better}}
        for one, better in zip(comparisons, "ab", strict=False)
    ]
    mark_gold(campaign=campaign, items=items, by=None)
    return campaign


def test_it_is_a_page_for_curators(known: Campaign, annotator: User, curator: User, stranger: User) -> None:
    for rest, post in (("", False), ("gold/", True), ("gold/1/", True), ("person/1/", True)):
        call = "post" if post else "get"
        assert getattr(_as(stranger), call)(_path(known, rest)).status_code == 404
        assert getattr(_as(annotator), call)(_path(known, rest)).status_code == 403
    assert _as(curator).get(_path(known)).status_code == 200
    assert _as(curator).post(_path(known)).status_code == 405
    assert _as(curator).get(_path(known, "gold/")).status_code == 405


def test_the_item_that_people_miss_comes_first_and_says_so(known: Campaign, people: People, curator: User) -> None:
    for person in people(4):
        work_through(known, person, 2, lambda item: 1)
    page = _as(curator).get(_path(known)).content.decode()
    assert page.index("A is better") < page.index("B is better")
    assert "0.00, 0.00 to 0.49, n = 4" in page and "most miss it" in page
    assert "1.00, 0.51 to 1.00, n = 4" in page


def test_people_are_listed_with_what_they_reached(known: Campaign, people: People, curator: User) -> None:
    [person] = people(1)
    work_through(known, person, 2, lambda item: 1)
    page = _as(curator).get(_path(known)).content.decode()
    assert "0.50, 0.09 to 0.91, n = 2" in page and "1.00 asked for" in page
    assert "failed" in page
    _as(curator).post(_path(known, f"person/{person.pk}/"), {"act": "let_in"})
    assert Participant.objects.get().state == "active"
    _as(curator).post(_path(known, f"person/{person.pk}/"), {"act": "start_over"})
    assert Participant.objects.get().state == "invited"
    _as(curator).post(_path(known, f"person/{person.pk}/"), {"act": "remove"})
    assert Participant.objects.get().state == "removed"
    assert _as(curator).post(_path(known, "person/99999/"), {"act": "remove"}).status_code == 404


def test_settings_that_lack_items_say_what_follows(
    project: Project, grow: Callable[[int], object], curator: User
) -> None:
    grow(2)
    quality = {"training": {"items": 3}, "qualification": {"items": 2, "threshold": 0.8}, "gold": {"every": 9}}
    campaign = create_campaign(project=project, name="Bare", quality=quality)
    page = _as(curator).get(_path(campaign)).content.decode()
    for words in ("it is passed over.", "nobody new gets to the work.", "none is given.", "No answer is known yet"):
        assert words in page


def test_what_a_curator_judged_is_marked_with_one_click(campaign: Campaign, curator: User) -> None:
    work_through(campaign, curator, 2, lambda item: -2)
    form = {"source": "judgments", "phase": "training", "limit": "50"}
    assert _as(curator).post(_path(campaign, "gold/"), form).status_code == 302
    assert list(GoldAnswer.objects.values_list("phase", flat=True)) == ["training"] * 2


def test_a_list_is_marked_or_says_what_is_wrong(
    campaign: Campaign, comparisons: list[Comparison], curator: User
) -> None:
    form = {"source": "list", "phase": "gold", "limit": "50"}
    items = [{"comparison": comparisons[0].id, "expected": {"better": "left"}}]
    refused = _as(curator).post(_path(campaign, "gold/"), {**form, "items": json.dumps(items)})
    assert refused.status_code == 422
    assert "items.0.expected.better must be one of" in refused.content.decode()
    assert "This is no JSON" in _as(curator).post(_path(campaign, "gold/"), {**form, "items": "[{"}).content.decode()
    items[0]["expected"] = {"better": "b"}
    assert _as(curator).post(_path(campaign, "gold/"), {**form, "items": json.dumps(items)}).status_code == 302
    gold = GoldAnswer.objects.get()
    assert _as(curator).post(_path(campaign, f"gold/{gold.pk}/")).status_code == 302
    assert not GoldAnswer.objects.exists()
    assert _as(curator).post(_path(campaign, f"gold/{gold.pk}/")).status_code == 404


def test_nothing_to_take_is_said_on_the_page(campaign: Campaign, curator: User) -> None:
    for source, words in (("judgments", "No curator has judged"), ("consensus", "votes that all agree")):
        form = {"source": source, "phase": "gold", "limit": "50"}
        reply = _as(curator).post(_path(campaign, "gold/"), form)
        assert reply.status_code == 422 and words in reply.content.decode()


def test_a_ranking_campaign_says_that_it_has_none(
    project: Project, grow: Callable[[int], object], curator: User
) -> None:
    grow(1)
    campaign = create_campaign(project=project, name="Ranked", kind="ranking")
    page = _as(curator).get(_path(campaign)).content.decode()
    assert "which ranking is the right one" in page and "Mark items as known" not in page
