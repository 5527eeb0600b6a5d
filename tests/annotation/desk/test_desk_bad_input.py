"""What a page sends that it should not: the server refuses it, the page says why, and what was written stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Judgment
from corpus.models import Comparison, Prompt, Response

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]
expect.set_options(timeout=15_000)

SCRIPT = "<script>window.acted = 1</script><img src=x onerror='window.acted = 1'>"


@pytest.fixture
def open_desk(
    page_as: Callable[[User], Page],
    live_server: LiveServer,
    annotator: User,
    project: Project,
    comparisons: list[Comparison],
) -> Open:
    def opened(**asked: Any) -> Page:
        campaign = create_campaign(project=project, **{"name": "Pairs", **asked})
        page = page_as(annotator)
        page.goto(f"{live_server.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return opened


def test_a_rating_out_of_range_is_named_and_the_others_stay(open_desk: Open) -> None:
    page = open_desk(kind="rating")
    # All rows by digits; each answer leads to the next row.
    for _ in range(10):
        page.keyboard.press("3")
    page.evaluate("document.querySelector('[data-row=correctness] input:checked').value = '9'")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("correctness: must be a whole number from 0 to 4")
    expect(page.locator("#notice")).to_contain_text("what you wrote is still here")
    expect(page.locator("[data-row] input:checked")).to_have_count(10)
    assert not Judgment.objects.exists()


def test_a_criterion_that_is_not_asked_is_named(open_desk: Open) -> None:
    page = open_desk(kind="rubric", rubric=[{"id": "honest", "text": "Honest?"}])
    page.evaluate("document.querySelector('[data-row=honest]').dataset.row = 'wit'")
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text(".wit: ")
    expect(page.locator("[data-row] input:checked")).to_have_count(2)
    assert not Judgment.objects.exists()


def test_a_response_of_another_comparison_is_named(open_desk: Open) -> None:
    page = open_desk(kind="rubric", rubric=[{"id": "honest", "text": "Honest?"}])
    other = Response.objects.latest("id").id
    page.evaluate("(id) => { document.querySelector('[data-row=honest]').dataset.response = id; }", str(other))
    page.keyboard.press("y")
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text(f"criteria.{other}: is no response of this item")
    expect(page.locator("[data-row] input:checked")).to_have_count(2)
    assert not Judgment.objects.exists()


def test_a_script_in_any_text_is_text(open_desk: Open) -> None:
    Prompt.objects.update(messages=[{"role": "user", "content": SCRIPT}, {"role": "user", "content": SCRIPT}])
    Response.objects.update(content=SCRIPT)
    page = open_desk(
        name=SCRIPT,
        guidelines=SCRIPT,
        settings={
            "reason": "optional",
            "tags": [SCRIPT[:60]],
            "ideal": "optional",
            "highlights": "on",
            "dimensions": [{"name": "style", "question": SCRIPT}],
        },
    )
    page.keyboard.press("6")
    page.keyboard.press("j")
    page.keyboard.press("6")
    page.locator("#reason").fill(SCRIPT)
    page.locator("#ideal").fill(SCRIPT)
    page.keyboard.press("Escape")
    for key in ("d", "d", "m", "m", "i"):
        page.keyboard.press(key)
    expect(page.locator("#guidelines")).to_contain_text("window.acted")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#count")).to_have_text("2")
    page.keyboard.press("u")
    expect(page.locator("#reason")).to_have_value(SCRIPT)
    assert page.evaluate("window.acted") is None
    assert page.locator("#content img, #item script").count() == 0
