"""The people every test knows, and the project they share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import Membership, Project, Role, User


@pytest.fixture(autouse=True)
def cheap_passwords(settings: Settings) -> None:
    """A hash that is slow on purpose would be half of the time of the suite."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _person(email: str) -> User:
    return User.objects.create_user(email, "correct horse battery")


@pytest.fixture
def owner(db: None) -> User:
    return _person("owner@example.org")


@pytest.fixture
def project(owner: User) -> Project:
    project = Project.objects.create(slug="demo", name="Demo", created_by=owner)
    Membership.objects.create(user=owner, project=project, role=Role.OWNER)
    return project


@pytest.fixture
def curator(project: Project) -> User:
    user = _person("curator@example.org")
    Membership.objects.create(user=user, project=project, role=Role.CURATOR)
    return user


@pytest.fixture
def annotator(project: Project) -> User:
    user = _person("annotator@example.org")
    Membership.objects.create(user=user, project=project, role=Role.ANNOTATOR)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """Has an account, and no place in the project."""
    return _person("stranger@example.org")


CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        found = shutil.which("chromium") or shutil.which("google-chrome") or (own if Path(own).exists() else None)
        if found is None:
            advice = "No Chromium here: install the package `chromium`, or run `playwright install chromium`."
            if os.environ.get("CI") == "true":
                pytest.fail(advice)
            pytest.skip(advice)
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page_as(browser_context: BrowserContext, live_server: LiveServer) -> Callable[[User], Page]:
    """A browser page in which the given person is logged in."""

    def open_page(user: User) -> Page:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        browser_context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        return browser_context.new_page()

    return open_page
