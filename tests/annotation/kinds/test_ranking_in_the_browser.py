"""Ranking at the desk: by keyboard alone, by pointer, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Draft, Judgment
from tests.annotation.desk.test_prompt_tasks import ranked_prompt

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Pages = Callable[[User], Page]
Open = Callable[..., Page]
expect.set_options(timeout=15_000)


@pytest.fixture
def open_desk(page_as: Pages, live_server: LiveServer, annotator: User, project: Project) -> Open:
    for number in range(2):
        ranked_prompt(project, number, 4)

    def opened(**settings: Any) -> Page:
        campaign = create_campaign(project=project, name="Four each", kind="ranking", settings=settings)
        page = page_as(annotator)
        page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return opened


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def shown(page: Page) -> str:
    """ "B | A C || D": places best first, then what has none."""
    return str(
        page.evaluate(
            """() => {
              const options = (place) => [...place.querySelectorAll("[role=option]")];
              const letters = (place) => options(place).map((option) => option.dataset.letter).join(" ");
              const places = [...document.querySelectorAll(".ranking__place:not(.ranking__place--open)")].map(letters);
              const open = letters(document.querySelector(".ranking__place--open"));
              return places.join(" | ") + (open ? ` || ${open}` : "");
            }"""
        )
    ).strip()


def stored_letters() -> list[list[str]]:
    judgment = Judgment.objects.get()
    return [sorted("ABCD"[judgment.order_shown.index(one)] for one in place) for place in judgment.payload["ranking"]]


def test_four_responses_are_ranked_with_a_tie_by_keyboard_alone(open_desk: Open) -> None:
    desk = open_desk()
    live = desk.locator("#live")
    keys(desk, "j", "3")
    expect(live).to_have_text("A is 3rd of 4.")
    keys(desk, "1", "3")
    expect(live).to_have_text("C is 3rd of 4, level with A.")
    keys(desk, "Enter")
    expect(desk.locator("#notice")).to_contain_text("Not ranked yet: D.")
    keys(desk, "4")
    assert shown(desk) == "B | A C | D"
    expect(live).to_have_text("D is 3rd of 4.")
    expect(desk.get_by_role("option", name="B, 1st of 4")).to_be_visible()
    keys(desk, "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert stored_letters() == [["B"], ["A", "C"], ["D"]]


def test_a_ranked_response_is_moved_tied_and_taken_out_by_key(open_desk: Open) -> None:
    desk = open_desk()
    keys(desk, "j", "1", "2", "3", "4")
    assert shown(desk) == "A | B | C | D"
    keys(desk, "ArrowUp")
    assert shown(desk) == "A | B | D | C"
    keys(desk, "Shift+K", "=")
    assert shown(desk) == "A D | B | C"
    keys(desk, "=")
    assert shown(desk) == "A | D | B | C"
    keys(desk, "ArrowLeft", "ArrowDown", "Shift+J")
    assert shown(desk) == "D | B | A | C"
    keys(desk, "Control+z")
    assert shown(desk) == "D | A | B | C"
    keys(desk, "0")
    assert shown(desk) == "D | B | C || A"
    keys(desk, "Space")
    assert shown(desk) == "D | B | C | A"
    keys(desk, "k", "k", "1")
    assert shown(desk) == "B D | C | A"


def test_without_ties_a_digit_makes_room(open_desk: Open) -> None:
    desk = open_desk(tie=False)
    keys(desk, "j", "1", "1", "1", "2")
    assert shown(desk) == "C | D | B | A"
    keys(desk, "=", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert stored_letters() == [["C"], ["D"], ["B"], ["A"]]


def test_a_half_made_ranking_survives_a_reload(open_desk: Open) -> None:
    desk = open_desk(reason="required", min_reason_characters=5)
    keys(desk, "j", "4", "2")
    desk.wait_for_timeout(1000)
    assert sorted(Draft.objects.get().payload["ranks"].values()) == [2, 4]
    desk.evaluate("localStorage.clear()")
    desk.reload()
    expect(desk.locator(".item")).to_be_visible()
    assert shown(desk) == "B | A || C D"
    keys(desk, "j", "j", "j", "1", "3", "c")
    desk.keyboard.type("Why")
    keys(desk, "Control+Enter")
    expect(desk.locator("#notice")).to_contain_text("needs 5 characters, and has 3")
    desk.keyboard.type(" not")
    keys(desk, "Control+Enter")
    expect(desk.locator("#count")).to_have_text("2")
    assert stored_letters() == [["C"], ["B"], ["D"], ["A"]]


def test_by_pointer_responses_are_clicked_in_order_moved_by_button_and_dragged(open_desk: Open) -> None:
    desk = open_desk()
    option = {letter: desk.locator(f".ranking__response[data-letter={letter}]") for letter in "ABCD"}
    for letter in "CADB":
        option[letter].click()
    assert shown(desk) == "C | A | D | B"
    desk.get_by_role("button", name="Higher").click()
    assert shown(desk) == "C | A | B | D"
    drag(desk, "D", "C", 0.02)
    assert shown(desk) == "D | C | A | B"
    drag(desk, "B", "C", 0.5)
    assert shown(desk) == "D | B C | A"
    drag(desk, "B", "A", 0.98)
    assert shown(desk) == "D | C | A | B"
    option["A"].click()
    desk.get_by_role("button", name="Tie").click()
    desk.get_by_role("button", name="Submit").click()
    expect(desk.locator("#count")).to_have_text("2")
    assert stored_letters() == [["D"], ["A", "C"], ["B"]]


def drag(page: Page, letter: str, onto: str, share: float) -> None:
    """To that share of the width of the place that holds the other one."""
    held = page.locator(f".ranking__response[data-letter={letter}]").bounding_box()
    place = page.locator(".ranking__place", has=page.locator(f"[data-letter={onto}]")).bounding_box()
    assert held is not None
    assert place is not None
    page.mouse.move(held["x"] + held["width"] / 2, held["y"] + held["height"] / 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * share, place["y"] + place["height"] / 2, steps=5)
    page.mouse.up()


def test_an_earlier_ranking_is_looked_at_again_and_changed(open_desk: Open) -> None:
    desk = open_desk()
    keys(desk, "j", "2", "1", "2", "3", "Enter")
    expect(desk.locator("#count")).to_have_text("2")
    keys(desk, "[")
    expect(desk.locator(".answer__note")).to_be_visible()
    assert shown(desk) == "B | A C | D"
    keys(desk, "j", "ArrowDown", "Enter")
    expect(desk.locator(".answer__note")).to_have_count(0)
    assert len(Judgment.objects.get(superseded_by=None).payload["ranking"]) == 3


def test_on_a_phone_everything_is_within_reach_of_a_thumb(open_desk: Open) -> None:
    desk = open_desk()
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.get_by_role("button", name="C", exact=True).click()
    expect(desk.locator(".side--c")).to_be_visible()
    controls = desk.locator(".ranking__response, .ranking__moves button")
    assert min(box["height"] for box in map(Locator.bounding_box, controls.all()) if box) >= 44
    assert desk.evaluate("document.documentElement.scrollWidth") == 390
    for letter in "DBCA":
        desk.locator(f".ranking__response[data-letter={letter}]").click()
    assert shown(desk) == "D | B | C | A"
