"""How the desk shows an item, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from corpus.models import Comparison

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
expect.set_options(timeout=15_000)

LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(80))
LONGER = LONG + "\n\n" + "\n\n".join(f"And {number} more." for number in range(80))


@pytest.fixture
def show(
    page_as: Callable[[User], Page],
    live_server: LiveServer,
    annotator: User,
    project: Project,
    comparisons: list[Comparison],
) -> Callable[..., Page]:
    """The desk with the first pair, its texts as given."""

    def shown(a: str, b: str, *messages: str) -> Page:
        pair = comparisons[0]
        roles = ["user", "assistant"] * len(messages)
        pair.prompt.messages = [{"role": role, "content": text} for role, text in zip(roles, messages, strict=False)]
        pair.prompt.save()
        for response, text in ((pair.response_a, a), (pair.response_b, b)):
            response.content = text
            response.save()
        campaign = create_campaign(project=project, name="Pairs", guidelines="Facts first.")
        page = page_as(annotator)
        page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return shown


def top(side: Locator) -> float:
    return float(side.evaluate("(side) => side.scrollTop"))


def share(side: Locator) -> float:
    return float(side.evaluate("(side) => side.scrollTop / (side.scrollHeight - side.clientHeight)"))


def test_columns_scroll_together_by_share_or_line_or_not_at_all(show: Callable[..., Page]) -> None:
    page = show(LONG, LONGER, "Which?")
    a, b = page.locator(".side--a"), page.locator(".side--b")
    a.evaluate("(side) => { side.scrollTop = (side.scrollHeight - side.clientHeight) / 2 }")
    page.wait_for_timeout(200)
    assert share(b) == pytest.approx(share(a), abs=0.02)
    page.keyboard.press("l")
    a.evaluate("(side) => { side.scrollTop = 120 }")
    page.wait_for_timeout(200)
    assert top(b) == pytest.approx(top(a), abs=2)
    page.keyboard.press("l")
    a.evaluate("(side) => { side.scrollTop = 400 }")
    page.wait_for_timeout(200)
    assert top(b) == pytest.approx(120, abs=2)


def test_a_response_is_focused_and_scrolled_by_key(show: Callable[..., Page]) -> None:
    page = show(LONG, LONG, "Which?")
    page.keyboard.press("b")
    expect(page.locator(".side--b")).to_be_focused()
    page.keyboard.press("Space")
    page.wait_for_timeout(200)
    assert top(page.locator(".side--b")) > 200
    page.keyboard.press("Shift+Space")
    page.wait_for_timeout(200)
    assert top(page.locator(".side--b")) <= 1
    page.keyboard.press("2")
    page.keyboard.press("Space")
    page.wait_for_timeout(200)
    assert top(page.locator(".side--b")) > 200


def test_long_parts_fold_with_their_number_of_lines(show: Callable[..., Page]) -> None:
    page = show(LONG, "short", "First question", "An answer", "\n".join(f"line {n}" for n in range(40)))
    more = page.locator("#prompt .fold__more")
    expect(more).to_have_text("Show all 40 lines")
    expect(page.locator("#prompt")).not_to_contain_text("First question", use_inner_text=True)
    page.keyboard.press("z")
    expect(more).to_have_text("Fold 40 lines")
    expect(page.get_by_text("First question")).to_be_visible()
    page.keyboard.press("z")
    expect(more).to_have_text("Show all 40 lines")
    folded = page.locator(".side [data-long] .fold__more")
    expect(folded).to_have_count(1)
    folded.click()
    expect(folded).to_contain_text("Fold ")


def test_stacked_columns_stay_so(show: Callable[..., Page]) -> None:
    page = show("one", "two", "Which?")
    page.keyboard.press("w")
    a, b = (page.locator(f".side--{letter}").bounding_box() for letter in "ab")
    assert a and b and b["y"] >= a["y"] + a["height"] - 1
    page.reload()
    expect(page.locator(".item")).to_be_visible()
    expect(page.locator(".desk")).to_have_attribute("data-width", "stacked")


def test_formulas_are_drawn_and_right_to_left_text_is_turned(show: Callable[..., Page]) -> None:
    page = show("so $x^2$", "مرحبا بالعالم\n\nhello", "שלום")
    box = page.locator(".side math msup").bounding_box()
    assert box is not None and box["width"] > 5
    turned = page.locator(".side p", has_text="مرحبا")
    assert turned.evaluate("(block) => getComputedStyle(block).direction") == "rtl"
    assert page.locator(".side p", has_text="hello").evaluate("(block) => getComputedStyle(block).direction") == "ltr"
    assert page.locator("#prompt p").evaluate("(block) => getComputedStyle(block).direction") == "rtl"


@pytest.mark.parametrize("width", [1440, 390])
def test_a_word_of_twenty_thousand_letters_stays_on_the_page(show: Callable[..., Page], width: int) -> None:
    page = show("w" * 20_000, f"`{'w' * 20_000}`\n\n```\n{'w' * 20_000}\n```", "W" * 20_000)
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_why_an_item_is_shown_is_told_and_nothing_else(show: Callable[..., Page]) -> None:
    page = show("one", "two", "Which?")
    page.get_by_role("button", name="why?").click()
    expect(page.locator("#why")).to_contain_text("balanced over people")
    expect(page.locator("#lease")).to_have_text("held for 15 min")


def test_what_a_phone_touches_is_large_enough(show: Callable[..., Page]) -> None:
    page = show(LONG, "short", "First", "then", LONG)
    page.set_viewport_size({"width": 390, "height": 844})
    small = page.evaluate(
        """() => [...document.querySelectorAll(".desk button, .desk .step, .desk a, .desk summary")]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
        .map((one) => `${one.textContent.trim()} ${one.getBoundingClientRect().height}`)"""
    )
    assert small == []


def test_motion_is_left_out_where_it_is_not_wanted(show: Callable[..., Page]) -> None:
    page = show("one", "two", "Which?")
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.locator("#undo [data-seconds]")).to_have_text("9 s")
    assert page.locator(".desk__grace").evaluate("(line) => getComputedStyle(line).animationName") == "none"
