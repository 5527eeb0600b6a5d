"""Rubrics at the desk and in their editor, in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, Judgment, Rubric
from annotation.rubrics.of_campaign import change_rubric
from annotation.rubrics.save import save_rubric

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
expect.set_options(timeout=15_000)

CRITERIA: list[Any] = [
    {"id": "tone", "text": "Tone?", "answers": "scale", "least": 1, "most": 5, "anchors": {"1": "cold", "5": "warm"}},
    {"id": "honest", "text": "Free of invented facts?", "kind": "hard"},
]


def press(desk: Page, *keys: str) -> None:
    for key in keys:
        desk.keyboard.press(key)


@pytest.fixture
def campaign(project: Project, grow: Callable[[int], object]) -> Campaign:
    grow(3)
    return create_campaign(project=project, name="Checks", kind="rubric", rubric=CRITERIA)


@pytest.fixture
def desk(page_as: Pages, live_server: LiveServer, annotator: User, campaign: Campaign) -> Page:
    page = page_as(annotator)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    expect(page.locator(".item")).to_be_visible()
    return page


def test_criteria_are_answered_by_keyboard_hard_rules_first(desk: Page) -> None:
    expect(desk.locator(".rubric__criterion").first).to_contain_text("Hard rule")
    press(desk, "y", "n")
    expect(desk.locator(".anchors:visible")).to_contain_text("5 warm")
    press(desk, "4", "x", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    judgment = Judgment.objects.get()
    first, second = map(str, judgment.order_shown)
    assert judgment.payload["criteria"] == {
        first: {"honest": "yes", "tone": 4},
        second: {"honest": "no", "tone": "n/a"},
    }
    assert judgment.payload["rubric_version"] == 1


def test_keys_that_do_not_fit_the_row_answer_nothing(desk: Page) -> None:
    press(desk, "4")
    expect(desk.locator("[data-row] input:checked")).to_have_count(0)
    press(desk, "y", "j", "n", "j", "y", "9")
    expect(desk.locator("[data-row] input:checked")).to_have_count(2)
    press(desk, "Enter")
    expect(desk.locator("#notice")).to_contain_text("2 questions are open. The next one: A: Tone?.")


def test_a_rubric_that_changed_meanwhile_is_shown_again_with_what_was_answered(desk: Page, campaign: Campaign) -> None:
    press(desk, "y", "n", "4", "2")
    save_rubric(project=campaign.project, name="Checks", criteria=[*CRITERIA, "Short?"], by=None)
    change_rubric(campaign=campaign, version=2, by=None)
    press(desk, "Enter")
    expect(desk.locator("#notice")).to_contain_text("The rubric changed")
    expect(desk.locator("[data-row] input:checked")).to_have_count(4)
    desk.get_by_role("button", name="Go on").click()
    expect(desk.locator("[data-row]")).to_have_count(6)
    expect(desk.locator("[data-row] input:checked")).to_have_count(4)
    expect(desk.locator("#notice")).to_contain_text("version 2 is in force")
    press(desk, "j", "j", "j", "j", "j", "y", "y", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    judgment = Judgment.objects.get()
    assert judgment.rubric is not None and judgment.rubric.version == 2
    assert {answers["short"] for answers in judgment.payload["criteria"].values()} == {"yes"}


def test_a_pair_is_compared_by_criterion_and_then_as_a_whole(
    page_as: Pages, live_server: LiveServer, annotator: User, project: Project, grow: Callable[[int], object]
) -> None:
    grow(1)
    settings = {"mode": "comparative", "compare": "3-way"}
    campaign = create_campaign(project=project, name="Pairs", kind="rubric", rubric=CRITERIA, settings=settings)
    page = page_as(annotator)
    page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
    expect(page.locator(".item")).to_be_visible()
    press(page, "1", "x")
    expect(page.locator("[data-compare] input").first).to_be_enabled()
    press(page, "1", "Enter")
    expect(page.locator("#nothing")).to_be_visible()
    judgment = Judgment.objects.get()
    assert judgment.comparison is not None
    sign = -1 if judgment.order_shown[0] == judgment.comparison.response_a_id else 1
    assert judgment.payload["criteria"] == {"honest": 3 * sign, "tone": "n/a"}
    assert judgment.choice == sign


@pytest.fixture
def editor(page_as: Pages, live_server: LiveServer, curator: User) -> Page:
    page = page_as(curator)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live_server.url}/p/demo/rubrics/new/")
    return page


def test_a_rubric_is_written_by_keyboard_alone(editor: Page) -> None:
    editor.locator("#name").focus()
    editor.keyboard.type("Support")
    press(editor, "Tab", "Tab")
    while editor.evaluate("document.activeElement.name") != "text":
        press(editor, "Tab")
    editor.keyboard.type("Is it polite?")
    press(editor, "Alt+Enter")
    editor.keyboard.type("Is it true?")
    press(editor, "Tab")
    editor.keyboard.type("Hard")
    press(editor, "Alt+ArrowUp")
    expect(editor.locator("#told")).to_have_text("Moved to place 1 of 2.")
    expect(editor.locator("#preview .rubric__criterion").first).to_contain_text("Is it true?")
    press(editor, "Alt+Delete")
    expect(editor.locator("[data-criterion]")).to_have_count(1)
    press(editor, "Enter")
    expect(editor.locator("[data-criterion]")).to_have_count(2)
    press(editor, "Control+s")
    expect(editor.locator("h1")).to_contain_text("version 1")
    assert [(one["id"], one["kind"]) for one in Rubric.objects.get().criteria] == [
        ("is_it_true", "hard"),
        ("is_it_polite", "principle"),
    ]


def test_what_is_refused_or_not_sent_stays_as_it_was_typed(editor: Page) -> None:
    editor.locator("#name").fill("Support")
    editor.locator("[name=text]").fill("Is it polite?")
    editor.locator("[name=weight]").fill("heavy")
    press(editor, "Control+s")
    expect(editor.locator("#problems")).to_contain_text("Criterion 1: weight must be a number")
    expect(editor.locator("[name=text]")).to_have_value("Is it polite?")
    editor.locator("[name=weight]").fill("2")

    def away(route: Route) -> None:
        route.abort()

    editor.route("**/rubrics/new/", away)
    press(editor, "Control+s")
    expect(editor.locator("#told")).to_contain_text("Nothing is lost")
    editor.unroute("**/rubrics/new/", away)
    press(editor, "Control+s")
    expect(editor.locator("h1")).to_contain_text("version 1")
    assert Rubric.objects.get().criteria[0]["weight"] == 2
