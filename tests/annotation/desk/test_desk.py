"""The desk in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Assignment, AssignmentState, Campaign, Draft, Judgment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
# Two cores that others use too are slow at times; nothing here is about speed.
expect.set_options(timeout=15_000)


@pytest.fixture
def desk(
    page_as: Pages, live_server: LiveServer, annotator: User, project: Project, grow: Callable[[int], object]
) -> Page:
    grow(12)
    campaign = create_campaign(
        project=project, name="Ten pairs", settings={"reason": "optional"}, guidelines="Read **both** first."
    )
    page = page_as(annotator)
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    expect(page.locator(".item")).to_be_visible()
    return page


def test_ten_pairs_are_judged_by_keyboard_alone(desk: Page) -> None:
    keys = ["1", "2", "3", "4", "5", "6", "7", "0", "1", "7"]
    for number, key in enumerate(keys, start=1):
        expect(desk.locator("#count")).to_have_text(str(number))
        expect(desk.locator("#prompt")).to_be_focused()
        desk.keyboard.press(key)
        expect(desk.locator(f'input[data-key="{key}"]')).to_be_checked()
        desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("11")
    judgments = list(Judgment.objects.order_by("id"))
    assert len(judgments) == 10
    for key, judgment in zip(keys, judgments, strict=True):
        first, second = judgment.order_shown
        preferred = None if key in "40" else first if int(key) < 4 else second
        assert judgment.payload["preferred"] == preferred
        assert judgment.is_both_bad == (key == "0")


def test_the_last_answer_is_taken_back_and_changed(desk: Page) -> None:
    desk.keyboard.press("7")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")
    live = desk.locator(".item").get_attribute("data-assignment")
    desk.keyboard.press("u")
    expect(desk.locator('input[data-key="7"]')).to_be_checked()
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.locator(f'.item[data-assignment="{live}"]')).to_be_visible()
    old, new = Judgment.objects.order_by("id")
    assert old.superseded_by_id == new.id
    assert new.payload["preferred"] == new.order_shown[0]


def test_an_item_is_skipped_with_a_reason_by_digit(desk: Page) -> None:
    first = desk.locator(".item").get_attribute("data-assignment")
    desk.keyboard.press("s")
    desk.keyboard.press("2")
    expect(desk.locator(f'.item[data-assignment="{first}"]')).to_have_count(0)
    skipped = Assignment.objects.get(id=int(first or 0))
    assert (skipped.state, skipped.skip_reason) == (AssignmentState.SKIPPED, "The text is broken or missing")


def test_keys_are_letters_in_a_text_field_until_ctrl_enter(desk: Page) -> None:
    desk.keyboard.press("6")
    desk.keyboard.press("c")
    desk.keyboard.type("shorter, 100 % sure")
    expect(desk.locator("#reason")).to_have_value("shorter, 100 % sure")
    expect(desk.locator('input[data-key="6"]')).to_be_checked()
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert Judgment.objects.get().payload["reason"] == "shorter, 100 % sure"


def test_an_answer_given_offline_waits_and_arrives_once(desk: Page) -> None:
    def away(route: Route) -> None:
        route.abort()

    desk.route("**/api/v1/**", away)
    desk.keyboard.press("5")
    desk.keyboard.press("Enter")
    expect(desk.locator("#state")).to_have_text("Offline, 1 waiting")
    expect(desk.locator("#notice")).to_contain_text("kept in this browser")
    assert not Judgment.objects.exists()
    desk.unroute("**/api/v1/**", away)
    expect(desk.locator("#count")).to_have_text("2")
    expect(desk.locator("#state")).to_have_text("Saved")
    assert Judgment.objects.count() == 1


def test_a_draft_survives_a_reload(desk: Page) -> None:
    desk.keyboard.press("2")
    expect(desk.locator("#state")).to_have_text("Saved")
    desk.wait_for_timeout(1000)
    assert Draft.objects.get().payload["choice"] in {-2, 2}
    assignment = desk.locator(".item").get_attribute("data-assignment")
    desk.evaluate("localStorage.clear()")
    desk.reload()
    expect(desk.locator(f'.item[data-assignment="{assignment}"]')).to_be_visible()
    expect(desk.locator('input[data-key="2"]')).to_be_checked()


def test_leaving_gives_the_item_back(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server.url}/p/demo/annotate/")
    expect(desk.locator("h1")).to_have_text("Annotate")
    desk.wait_for_timeout(500)
    assert Assignment.objects.get().state == AssignmentState.RELEASED


def test_differences_and_raw_text_and_guidelines(desk: Page) -> None:
    expect(desk.locator(".side__rendered code").first).to_be_visible()
    desk.keyboard.press("m")
    expect(desk.locator(".side__raw").first).to_be_visible()
    desk.keyboard.press("m")
    desk.keyboard.press("d")
    expect(desk.locator(".side__raw mark").first).to_be_visible()
    desk.keyboard.press("i")
    expect(desk.locator("#guidelines strong")).to_have_text("both")
    desk.keyboard.press("Escape")
    expect(desk.locator("#guidelines")).to_be_hidden()


def test_a_campaign_without_work_says_what_i_did(
    page_as: Pages, live_server: LiveServer, annotator: User, campaign: Campaign
) -> None:
    page = page_as(annotator)
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    for number in range(1, 5):
        expect(page.locator("#count")).to_have_text(str(number))
        expect(page.locator("#prompt")).to_be_focused()
        page.keyboard.press("4")
        page.keyboard.press("Enter")
    expect(page.locator("#nothing")).to_contain_text(f"Answers of yours in {campaign.name}: 4.")


def test_the_phone_shows_one_side_at_a_time(desk: Page) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    expect(desk.locator(".side--a")).to_be_visible()
    expect(desk.locator(".side--b")).to_be_hidden()
    desk.get_by_role("button", name="Compare").click()
    expect(desk.locator(".side--b")).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth") <= 390
    bar = desk.locator(".answer").bounding_box()
    assert bar is not None and bar["y"] + bar["height"] == pytest.approx(844, abs=2)
