"""The curator's keys in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from corpus.models import Comparison
from curation.models import Decision, Signal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/p/demo/comparisons/"


@pytest.fixture
def rows(make_comparison: Callable[..., Comparison], vote: Callable[..., Signal]) -> list[Comparison]:
    made = [make_comparison(-1) for _ in range(4)]
    for row, mean in zip(made, (2.0, -0.5, -1.0, -2.0), strict=True):
        vote(row, mean)
    return made


@pytest.fixture
def visit(page_as: Callable[[User], Page], curator: User, live_server: LiveServer) -> Callable[[str], Page]:
    def open_page(path: str) -> Page:
        page = page_as(curator)
        page.goto(live_server.url + path)
        return page

    return open_page


def standing() -> dict[int, str]:
    return dict(Decision.objects.filter(is_current=True).values_list("comparison_id", "action"))


def test_a_curator_moves_reads_decides_and_undoes_by_key(visit: Callable[[str], Page], rows: list[Comparison]) -> None:
    page = visit(LIST)
    page.keyboard.press("j")
    expect(page.locator(f"#row-{rows[1].pk}")).to_be_focused()
    page.keyboard.press("o")
    expect(page.locator("#pane")).to_contain_text(rows[1].response_a.content)
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.locator("#notice")).to_contain_text("Flip: 1 row.")
    expect(page.locator(f"#row-{rows[1].pk} .row__decision")).to_contain_text("flip")
    expect(page.locator(f"#row-{rows[2].pk}")).to_be_focused()
    assert standing() == {rows[1].pk: "flip"}
    page.keyboard.press("u")
    expect(page.locator("#notice")).to_contain_text("Taken back")
    expect(page.locator(f"#row-{rows[1].pk} .row__decision")).to_contain_text("undecided")
    assert standing() == {}


def test_chosen_rows_are_decided_together_with_a_reason(visit: Callable[[str], Page], rows: list[Comparison]) -> None:
    page = visit(LIST)
    page.keyboard.press("Space")
    page.keyboard.press("j")
    page.keyboard.press("Space")
    expect(page.locator("[data-about]")).to_have_text("Acts on 2 chosen rows")
    page.keyboard.press("d")
    expect(page.locator("#notice")).to_contain_text("Say why")
    page.keyboard.press("e")
    page.keyboard.type("spam")
    page.keyboard.press("Enter")
    page.keyboard.press("d")
    expect(page.locator("#notice")).to_contain_text("Drop: 2 rows, “spam”.")
    assert standing() == {rows[0].pk: "drop", rows[1].pk: "drop"}


def test_the_brush_narrows_the_list_by_key_and_by_mouse_and_lives_in_the_url(
    visit: Callable[[str], Page], rows: list[Comparison]
) -> None:
    page = visit(LIST)
    expect(page.locator(".row")).to_have_count(4)
    page.locator("[data-end=max]").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".row")).to_have_count(1)
    assert "max_strength=0" in page.url
    page.reload()
    expect(page.locator(".row")).to_have_count(1)
    picture = page.locator("[data-brush]").bounding_box()
    assert picture is not None
    middle = picture["y"] + picture["height"] / 3
    page.mouse.move(picture["x"] + picture["width"] * 0.7, middle)
    page.mouse.down()
    page.mouse.move(picture["x"] + picture["width"] * 0.8, middle)
    page.mouse.up()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(f"#row-{rows[2].pk}")).to_be_visible()


def test_a_pair_is_reviewed_by_key(visit: Callable[[str], Page], rows: list[Comparison]) -> None:
    page = visit("/p/demo/review/")
    expect(page.locator("#review")).to_contain_text("strength −2.00")
    page.keyboard.press("m")
    expect(page.locator("[data-diff]").first).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator("#review")).to_contain_text("Nothing waits for a person")
    page.keyboard.press("u")
    expect(page.locator("#review")).to_contain_text(f"Comparison {rows[0].pk}")
    page.keyboard.press("7")
    expect(page.locator("#review")).to_contain_text("Nothing waits for a person")
    assert Decision.objects.get(is_current=True).label == 3
