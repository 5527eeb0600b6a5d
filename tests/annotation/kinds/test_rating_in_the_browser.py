"""Ratings at the desk in a real browser, by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Draft, Judgment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
expect.set_options(timeout=15_000)

FIVE = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
A, B = [3, 4, 4, 1, 2], [2, 2, 3, 1, 0]


@pytest.fixture
def desk(
    page_as: Pages, live_server: LiveServer, annotator: User, project: Project, grow: Callable[[int], object]
) -> Page:
    grow(4)
    settings = {"compare": "7-step", "reason": "optional"}
    campaign = create_campaign(project=project, name="HelpSteer", kind="rating", settings=settings)
    page = page_as(annotator)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    expect(page.locator(".item")).to_be_visible()
    return page


def press(desk: Page, *keys: Any) -> None:
    for key in keys:
        desk.keyboard.press(str(key))


def rated(judgment: Judgment) -> list[list[int]]:
    """What was given to the responses in the order shown."""
    return [[judgment.payload["ratings"][str(number)][name] for name in FIVE] for number in judgment.order_shown]


def test_two_responses_are_rated_and_then_compared_by_keyboard_alone(desk: Page) -> None:
    bar = desk.get_by_role("radiogroup", name="Which response is better?").get_by_role("radio").first
    expect(bar).to_be_disabled()
    press(desk, *A, *B[:-1])
    expect(bar).to_be_disabled()
    press(desk, "Enter")
    expect(desk.locator("#notice")).to_contain_text("1 question is open. The next one: Verbosity of response B.")
    press(desk, B[-1])
    expect(bar).to_be_enabled()
    press(desk, "2", "c")
    desk.keyboard.type("A is right, 100 %")
    press(desk, "Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")
    judgment = Judgment.objects.get()
    assert rated(judgment) == [A, B]
    assert judgment.payload["preferred"] == judgment.order_shown[0]
    assert abs(judgment.choice or 0) == 2
    assert judgment.payload["reason"] == "A is right, 100 %"


def test_digits_with_j_after_each_and_k_to_correct_do_the_same(desk: Page) -> None:
    for digit in A:
        press(desk, digit, "j")
    for digit in B:
        press(desk, digit, "j")
    press(desk, "k", "4", "j", "5", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    judgment = Judgment.objects.get()
    assert rated(judgment) == [A, [*B[:-1], 4]]
    assert judgment.payload["preferred"] == judgment.order_shown[1]


def test_the_anchors_of_the_question_in_focus_are_there_to_read(desk: Page) -> None:
    anchors = desk.locator(".anchors:visible")
    expect(anchors).to_contain_text("A Helpfulness How much does it help")
    expect(anchors).to_contain_text("4 Fully helpful: nothing to add")
    press(desk, "3")
    expect(anchors).to_contain_text("A Correctness")
    press(desk, "k")
    expect(anchors.locator("[data-chosen]")).to_contain_text("3 Helpful")
    expect(anchors).to_have_count(1)


def test_a_digit_that_is_no_point_answers_nothing(desk: Page) -> None:
    press(desk, "7")
    expect(desk.locator("[data-row] input:checked")).to_have_count(0)


def test_half_a_rating_survives_a_reload(desk: Page) -> None:
    press(desk, *A, 2)
    expect(desk.locator("#state")).to_have_text("Draft saved")
    assert len(Draft.objects.get().payload["ratings"]) == 2
    desk.evaluate("localStorage.clear()")
    desk.reload()
    expect(desk.locator("[data-row] input:checked")).to_have_count(6)
    press(desk, "Control+z")
    expect(desk.locator("[data-row] input:checked")).to_have_count(6)


def test_an_answer_is_taken_back_and_comes_as_it_was(desk: Page) -> None:
    press(desk, *A, *B, "7", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    press(desk, "u")
    expect(desk.locator("[data-row] input:checked")).to_have_count(10)
    expect(desk.locator('input[name="choice"]:checked')).to_have_count(1)
    press(desk, "j", "0", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    old, new = Judgment.objects.order_by("id")
    assert old.superseded_by_id == new.id
    assert new.choice == old.choice


def test_the_phone_asks_about_the_side_that_is_shown(desk: Page) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    group = {side: desk.locator(f'.rating__group[data-side="{side}"] .point').first for side in "ab"}
    for _ in A:
        press(desk, "3")
    tab = desk.get_by_role("button", name="B", exact=True)
    expect(tab).to_have_attribute("aria-pressed", "true")
    box = group["b"].bounding_box()
    assert box is not None and box["width"] >= 40 and 0 <= box["x"] <= 350
    hidden = desk.locator('.rating__group[data-side="a"]').bounding_box()
    assert hidden is not None and hidden["width"] <= 1
    for row in desk.locator('.rating__group[data-side="b"] [data-row]').all():
        row.locator('input[value="2"]').click()
    expect(desk.get_by_role("radio", name="A much better")).to_be_enabled()
    assert desk.evaluate("document.documentElement.scrollWidth") <= 390


def test_single_responses_are_rated_one_at_a_time(
    page_as: Pages, live_server: LiveServer, annotator: User, project: Project, grow: Callable[[int], object]
) -> None:
    grow(1)
    campaign = create_campaign(project=project, name="One", kind="rating", unit="response")
    page = page_as(annotator)
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    expect(page.locator(".side")).to_have_count(1)
    expect(page.locator("[data-row]")).to_have_count(5)
    press(page, *A, "Enter")
    expect(page.locator("#count")).to_have_text(re.compile("^2"))
    assert rated(Judgment.objects.get()) == [A]
