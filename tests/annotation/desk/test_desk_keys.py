"""Keys at the desk, in a real browser: defaults, own ones, other keyboards, and what they never do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.keys import bind_keys
from annotation.models import Assignment, AssignmentState, Campaign, Flag, Judgment

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]
expect.set_options(timeout=15_000)


@pytest.fixture
def open_desk(
    page_as: Callable[[User], Page],
    live_server: LiveServer,
    annotator: User,
    project: Project,
    grow: Callable[[int], object],
) -> Open:
    grow(5)

    def opened(settings: dict[str, object] | None = None) -> Page:
        campaign = create_campaign(project=project, name="Pairs", settings={"reason": "optional"})
        Campaign.objects.filter(id=campaign.id).update(settings=campaign.settings | (settings or {}))
        page = page_as(annotator)
        page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return opened


def press(page: Page, key: str, code: str = "", **modifiers: bool) -> None:
    """As a keyboard of another layout would."""
    page.evaluate(
        """([key, code, modifiers]) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...modifiers }))""",
        [key, code, modifiers],
    )


def test_own_keys_are_used_and_shown(open_desk: Open, annotator: User) -> None:
    bind_keys(user=annotator, keys={"choose1": "q", "skip": "Shift+Q", "diff": "ö"})
    desk = open_desk()
    expect(desk.locator(".step").first.locator("kbd")).to_have_text("q")
    desk.keyboard.press("1")
    expect(desk.locator('input[data-key="1"]')).not_to_be_checked()
    desk.keyboard.press("q")
    expect(desk.locator('input[data-key="1"]')).to_be_checked()
    press(desk, "ö", "Semicolon")
    expect(desk.locator(".side__raw mark").first).to_be_visible()
    desk.keyboard.press("?")
    expect(desk.locator("#keys-dialog dt", has_text="q").first).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("Shift+Q")
    expect(desk.locator("#skip")).to_be_visible()


def test_the_page_of_keys_takes_the_key_that_is_pressed(open_desk: Open, live_server: LiveServer) -> None:
    page = open_desk()
    page.goto(f"{live_server.url}/keys/")
    page.get_by_label("Mark the differences").focus()
    page.keyboard.press("Shift+E")
    expect(page.get_by_label("Mark the differences")).to_have_value("Shift+E")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your keys are saved.")).to_be_visible()
    page.get_by_label("Flag for the curator").press("s")
    page.get_by_role("button", name="Save keys").click()
    expect(page.get_by_text("s is the key of “Skip, with a reason” already")).to_be_visible()
    page.get_by_label("Flag for the curator").press("f")
    page.get_by_role("button", name="Save keys").click()
    page.get_by_role("button", name="Reset Mark the differences").click()
    expect(page.get_by_label("Mark the differences")).to_have_value("d")


@pytest.mark.parametrize(
    ("key", "code", "modifiers", "chosen"),
    [
        ("3", "Numpad3", {}, "3"),
        ("&", "Digit1", {}, "1"),  # the digits of a French keyboard need Shift
        ("1", "Digit1", {"shiftKey": True}, "1"),
        ("٤", "Digit4", {}, "4"),  # an Arabic one
        ("End", "Numpad1", {}, None),  # without Num Lock it moves
        ("1", "Digit1", {"ctrlKey": True}, None),
    ],
)
def test_digits_of_every_keyboard_choose(
    open_desk: Open, key: str, code: str, modifiers: dict[str, bool], chosen: str | None
) -> None:
    desk = open_desk()
    press(desk, key, code, **modifiers)
    if chosen:
        expect(desk.locator(f'input[data-key="{chosen}"]')).to_be_checked()
    else:
        expect(desk.locator("input[name=choice]:checked")).to_have_count(0)


def test_letters_of_other_alphabets_act_by_their_place(open_desk: Open) -> None:
    desk = open_desk()
    press(desk, "в", "KeyD")
    expect(desk.locator(".side__raw mark").first).to_be_visible()
    press(desk, "]", "Digit9", altKey=True, ctrlKey=True)
    expect(desk.locator("#live")).not_to_have_text("There is no earlier answer.")
    press(desk, "[", "Digit8", altKey=True, ctrlKey=True)
    expect(desk.locator("#live")).to_have_text("There is no earlier answer.")


def test_no_key_acts_in_a_text_field_but_escape_and_ctrl_enter(open_desk: Open) -> None:
    desk = open_desk()
    desk.keyboard.press("c")
    desk.keyboard.type("1sfd?u[ ]")
    desk.keyboard.press("Enter")
    expect(desk.locator("#reason")).to_have_value("1sfd?u[ ]\n")
    assert not desk.locator("dialog[open]").count()
    desk.keyboard.press("Escape")
    expect(desk.locator("#reason")).not_to_be_focused()
    desk.keyboard.press("4")
    desk.keyboard.press("c")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")


def test_a_submit_is_undone_within_its_grace(open_desk: Open) -> None:
    desk = open_desk()
    desk.keyboard.press("7")
    desk.keyboard.press("Enter")
    expect(desk.locator("#undo")).to_be_visible()
    expect(desk.locator("#undo [data-seconds]")).to_have_text("9 s")
    following = desk.locator(".item").get_attribute("data-assignment")
    desk.keyboard.press("u")
    expect(desk.locator('input[data-key="7"]')).to_be_checked()
    expect(desk.locator("#undo")).to_be_hidden()
    desk.keyboard.press("Escape")
    expect(desk.locator(f'.item[data-assignment="{following}"]')).to_be_visible()
    assert Assignment.objects.get(id=int(following or 0)).state == AssignmentState.CLAIMED
    desk.keyboard.press("u")
    expect(desk.locator("#live")).to_contain_text("The time to undo is over")


def test_choices_are_undone_inside_the_form(open_desk: Open) -> None:
    desk = open_desk()
    for key in ("2", "6", "0"):
        desk.keyboard.press(key)
    desk.keyboard.press("Control+z")
    expect(desk.locator('input[data-key="6"]')).to_be_checked()
    desk.keyboard.press("Control+z")
    expect(desk.locator('input[data-key="2"]')).to_be_checked()
    desk.keyboard.press("Control+Shift+Z")
    expect(desk.locator('input[data-key="6"]')).to_be_checked()
    desk.keyboard.press("Control+z")
    desk.keyboard.press("Control+z")
    expect(desk.locator("input[name=choice]:checked")).to_have_count(0)
    desk.keyboard.press("Enter")
    expect(desk.locator("#notice")).to_be_visible()
    assert not Judgment.objects.exists()


def test_a_skip_in_own_words_is_taken_back(open_desk: Open) -> None:
    desk = open_desk()
    first = desk.locator(".item").get_attribute("data-assignment")
    desk.keyboard.press("s")
    desk.keyboard.press("0")
    desk.keyboard.type("it is in Finnish")
    desk.keyboard.press("Enter")
    expect(desk.locator(f'.item[data-assignment="{first}"]')).to_have_count(0)
    expect(desk.locator("#count")).to_have_text("2")
    assert Assignment.objects.get(id=int(first or 0)).skip_reason == "it is in Finnish"
    desk.keyboard.press("Shift+S")
    expect(desk.locator(f'.item[data-assignment="{first}"]')).to_be_visible()
    expect(desk.locator("#count")).to_have_text("1")
    assert Assignment.objects.get(id=int(first or 0)).state == AssignmentState.CLAIMED


def test_an_item_is_flagged_by_key_and_can_still_be_answered(open_desk: Open) -> None:
    desk = open_desk()
    desk.keyboard.press("f")
    desk.keyboard.press("2")
    expect(desk.locator("#notice")).to_contain_text("Flagged for the curator")
    assert Flag.objects.get().reason == "It holds personal or private data"
    desk.keyboard.press("4")
    desk.keyboard.press("Enter")
    expect(desk.locator("#count")).to_have_text("2")


def test_a_choice_submits_by_itself_where_the_campaign_goes_on_alone(open_desk: Open) -> None:
    desk = open_desk({"auto_advance": True})
    desk.keyboard.press("2")
    desk.keyboard.press("6")
    expect(desk.locator("#count")).to_have_text("2")
    judgment = Judgment.objects.get()
    assert judgment.payload["preferred"] == judgment.order_shown[1]
    desk.keyboard.press("c")
    desk.keyboard.type("why")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Enter")
    desk.wait_for_timeout(600)
    assert Judgment.objects.count() == 1
    desk.keyboard.press("u")
    expect(desk.locator('input[data-key="6"]')).to_be_checked()


def test_feedback_stands_until_enter(open_desk: Open) -> None:
    desk = open_desk()

    def with_feedback(route: object) -> None:
        reply = route.fetch()  # type: ignore[attr-defined]  # a playwright Route
        told = {"is_right": False, "expected": "A better", "explanation": "B invents a fact.", "html": None}
        route.fulfill(response=reply, json=reply.json() | {"feedback": told})  # type: ignore[attr-defined]

    desk.route("**/judgment?html=true", with_feedback, times=1)
    desk.keyboard.press("7")
    desk.keyboard.press("Enter")
    expect(desk.locator("#feedback")).to_contain_text("Another answer was expected A better")
    expect(desk.locator("#feedback")).to_contain_text("B invents a fact.")
    desk.keyboard.press("2")
    expect(desk.locator('input[data-key="7"]')).to_be_checked()
    desk.keyboard.press("Enter")
    expect(desk.locator("#feedback")).to_be_hidden()
    expect(desk.locator("#count")).to_have_text("2")
    expect(desk.locator("input[name=choice]:checked")).to_have_count(0)
