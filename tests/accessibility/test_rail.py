"""The way to every page: at the left of a desk, behind a button on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Project, User

pytestmark = pytest.mark.browser


def test_the_rail_stands_open_at_a_desk(
    project: Project, owner: User, page_as: Callable[[User], Page], live_server: LiveServer
) -> None:
    page = page_as(owner)
    page.goto(f"{live_server.url}/p/demo/")
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    expect(page.get_by_role("link", name="Releases")).to_be_visible()


def test_the_rail_folds_behind_a_button_on_a_phone(
    project: Project, owner: User, page_as: Callable[[User], Page], live_server: LiveServer
) -> None:
    page = page_as(owner)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/p/demo/")
    menu, releases = page.get_by_role("button", name="Menu"), page.get_by_role("link", name="Releases")
    expect(page.get_by_role("link", name="Demo").first).to_be_visible()
    expect(releases).to_be_hidden()
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    releases.click()
    expect(page.get_by_role("heading", name="Releases")).to_be_visible()
    expect(releases).to_be_hidden()
