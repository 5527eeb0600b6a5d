"""What a person sees when something goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client

from accounts.models import Project, User


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("accounts.views.queries.members_of", refuse)
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", refuse)


def test_a_database_that_is_away_is_a_sentence_with_a_time_to_come_back(
    owner: User, project: Project, away: None
) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    page = client.get("/p/demo/people/")
    assert page.status_code == 503 and int(page["Retry-After"]) > 0
    assert "The database does not answer" in page.content.decode()


def test_a_database_that_is_away_before_any_view_is_the_same(db: None, away: None) -> None:
    client = Client(raise_request_exception=False)
    client.cookies["sessionid"] = "x" * 32
    assert client.get("/nothing/here/").status_code == 503


def test_what_nobody_expected_is_a_page_with_an_id(
    owner: User, project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: HttpRequest) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("winnow.health.missing_parts", broken)
    monkeypatch.setattr("winnow.views.missing_parts", lambda: broken(HttpRequest()))
    page = Client(raise_request_exception=False).get("/readyz").content.decode()
    assert "secret" not in page and "quote this id" in page
    assert page.split("<code>")[1].split("</code>")[0] in caplog.text


def test_an_unknown_address_is_a_page_for_everybody(client: Client, owner: User) -> None:
    assert "There is nothing at this address" in client.get("/nothing/here/").content.decode()
    client.force_login(owner)
    assert client.get("/nothing/here/").status_code == 404


def test_a_foreign_host_name_is_explained_to_the_operator(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    page = client.get("/", headers={"Host": "new.example"})
    assert page.status_code == 400
    assert "new.example" in page.content.decode() and "WINNOW_ALLOWED_HOSTS" in page.content.decode()


def test_a_form_without_its_csrf_token_says_to_load_the_page_again(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    page = strict.post("/projects/new/", {"name": "x", "slug": "x"})
    assert page.status_code == 403 and "Load the page again" in page.content.decode()


def test_a_wrong_method_is_a_405(client: Client, owner: User, project: Project) -> None:
    client.force_login(owner)
    assert client.get("/p/demo/invitations/").status_code == 405


def test_every_page_comes_with_its_guards(client: Client, db: None) -> None:
    page = client.get("/accounts/login/")
    policy = page["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert page["Referrer-Policy"] == "same-origin" and page["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in page


@pytest.mark.parametrize(
    "header", ["https://evil.example/p/", "javascript:alert(1)", "//evil.example", "http://testserver"]
)
def test_going_back_never_leaves_the_house(client: Client, owner: User, project: Project, header: str) -> None:
    client.force_login(owner)
    page = client.post(f"/p/demo/people/{owner.pk}/remove/", headers={"Referer": header})
    assert page.status_code == 409
    assert "evil" not in page.content.decode() and "javascript:alert" not in page.content.decode()
