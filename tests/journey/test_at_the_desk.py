"""Long sessions at the desk, on gunicorn as in earnest: a server that is killed, a hundred items by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db.models import Count
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, Judgment, Task
from tests.annotation.conftest import add_comparisons
from tests.web_server import WebServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]
expect.set_options(timeout=20_000)
ITEMS = 100
# What the page may grow by from the first look to the last: a leak of one element or listener per item is more.
MOST_NODES, MOST_LISTENERS, MOST_HEAP_BYTES = 40, 10, 600_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "gunicorn.log")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def sit_down(browser_context: BrowserContext, web: WebServer, annotator: User) -> Callable[[Campaign], Page]:
    def open_desk(campaign: Campaign) -> Page:
        client = Client()
        client.force_login(annotator)
        session = client.cookies["sessionid"].value
        browser_context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
        page = browser_context.new_page()
        page.goto(f"{web.url}/p/demo/campaigns/{campaign.id}/judge/")
        expect(page.locator(".item")).to_be_visible()
        return page

    return open_desk


def answer(page: Page, number: int) -> None:
    """The `number`-th item, from 1, by a key of its own; returns when the next one is there."""
    page.keyboard.press(str(number % 8))
    page.keyboard.press("Enter")
    page.wait_for_function("count => document.getElementById('count').textContent === count", arg=str(number + 1))


def nothing_is_lost_or_doubled(campaign: Campaign, count: int) -> None:
    assert Judgment.objects.filter(campaign=campaign).count() == count
    assert not Judgment.objects.values("assignment").annotate(n=Count("id")).filter(n__gt=1).exists()
    taken = sum(task.slots_a_first + task.slots_b_first for task in Task.objects.filter(campaign=campaign))
    held = campaign.tasks.filter(assignments__state="claimed").count()
    assert taken == count + held


def test_answers_wait_while_the_server_is_killed_and_arrive_when_it_is_back(
    web: WebServer, sit_down: Callable[[Campaign], Page], project: Project
) -> None:
    add_comparisons(project, 8)
    campaign = create_campaign(project=project, name="Until the power goes")
    page = sit_down(campaign)
    answer(page, 1)
    for number in (2, 3):
        page.keyboard.press("5")
        web.kill()
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_have_text("Offline, 1 waiting")
        expect(page.locator("#notice")).to_contain_text("kept in this browser")
        web.start()
        expect(page.locator("#count")).to_have_text(str(number + 1))
        expect(page.locator("#state")).to_have_text("Saved")
    nothing_is_lost_or_doubled(campaign, 3)


def test_an_answer_waits_for_the_server_even_when_the_page_is_closed(
    web: WebServer, sit_down: Callable[[Campaign], Page], project: Project
) -> None:
    add_comparisons(project, 3)
    campaign = create_campaign(project=project, name="Closed too early")
    page = sit_down(campaign)
    first = page.locator(".item").get_attribute("data-assignment")
    page.keyboard.press("5")
    web.kill()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_have_text("Offline, 1 waiting")
    page.close()
    web.start()
    again = sit_down(campaign)
    assert again.locator(".item").get_attribute("data-assignment") != first
    nothing_is_lost_or_doubled(campaign, 1)


def measured(page: Page) -> dict[str, float]:
    """After a garbage collection: elements, listeners and bytes that the page holds on to."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return {name: found[name] for name in ("Nodes", "JSEventListeners", "JSHeapUsedSize")}


def test_a_session_by_keyboard_alone_leaves_nothing_behind_in_the_page(
    sit_down: Callable[[Campaign], Page], project: Project
) -> None:
    """A hundred items; benchmarks/desk_page.py does the same with three hundred."""
    add_comparisons(project, ITEMS + 5)
    campaign = create_campaign(project=project, name="A long day")
    page = sit_down(campaign)
    early = ITEMS // 2
    for number in range(1, early + 1):
        answer(page, number)
    before = measured(page)
    for number in range(early + 1, ITEMS + 1):
        answer(page, number)
    after = measured(page)
    grown = {name: after[name] - before[name] for name in before}
    print(f"\nat item {early}: {before}; at item {ITEMS}: {after}; grown by {grown}")
    assert grown["Nodes"] <= MOST_NODES
    assert grown["JSEventListeners"] <= MOST_LISTENERS
    assert grown["JSHeapUsedSize"] <= MOST_HEAP_BYTES
    nothing_is_lost_or_doubled(campaign, ITEMS)
