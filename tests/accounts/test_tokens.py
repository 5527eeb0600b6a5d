"""Tokens are shown once, kept as a hash, and reach no further than whoever makes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEvent, Project, Scope, User
from accounts.tokens import ExpiryInThePast, issue_token

LoggedIn = Callable[[User], Client]


def test_a_token_is_shown_once_and_works(logged_in: LoggedIn, owner: User, project: Project) -> None:
    client = logged_in(owner)
    page = client.post("/tokens/", {"name": "cluster", "scope": "read", "project": "demo", "lifetime": "30"})
    clear = re.search(r"wnw_[\w-]{40,}", page.content.decode())
    assert clear
    assert clear.group() not in client.get("/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert token.project == project and token.scope == "read" and token.expires_at is not None
    assert clear.group().encode() not in bytes(token.token_sha256)
    got = Client().get("/api/v1/projects/demo", headers={"Authorization": f"Bearer {clear.group()}"})
    assert got.status_code == 200
    assert AuditEvent.objects.filter(action="issue token", project=project).exists()


def test_a_project_of_others_cannot_be_chosen(logged_in: LoggedIn, stranger: User, project: Project) -> None:
    page = logged_in(stranger).post("/tokens/", {"name": "x", "scope": "read", "project": "demo", "lifetime": ""})
    assert page.status_code == 422 and not ApiToken.objects.exists()


def test_only_its_owner_revokes_a_token(logged_in: LoggedIn, owner: User, stranger: User) -> None:
    token, clear = issue_token(user=owner, scope=Scope.ADMIN)
    assert logged_in(stranger).post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert logged_in(owner).post(f"/tokens/{token.pk}/revoke/").status_code == 302
    got = Client().get("/api/v1/projects", headers={"Authorization": f"Bearer {clear}"})
    assert got.status_code == 401
    assert "does not work" not in logged_in(stranger).get("/tokens/").content.decode()


def test_a_token_cannot_be_born_expired(owner: User) -> None:
    with pytest.raises(ExpiryInThePast):
        issue_token(user=owner, scope=Scope.READ, expires_at=timezone.now() - timedelta(seconds=1))


def test_the_api_makes_lists_and_ends_tokens(client: Client, owner: User, token_of: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token_of(owner)}"}
    made = client.post("/api/v1/tokens", {"scope": "read", "name": "x"}, "application/json", headers=headers)
    assert made.status_code == 201 and made.json()["token"].startswith("wnw_")
    listed = client.get("/api/v1/tokens", headers=headers).json()["items"]
    assert len(listed) == 2 and all(item["token"] is None for item in listed)
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=headers).status_code == 204
    assert client.delete(f"/api/v1/tokens/{made.json()['id']}", headers=headers).status_code == 404


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ANNOTATE, Scope.CURATE])
def test_a_smaller_token_makes_and_sees_no_tokens(
    client: Client, owner: User, token_of: Callable[..., str], scope: Scope
) -> None:
    headers = {"Authorization": f"Bearer {token_of(owner, scope)}"}
    made = client.post("/api/v1/tokens", {"scope": "read"}, "application/json", headers=headers)
    assert made.status_code == 403
    assert client.get("/api/v1/tokens", headers=headers).status_code == 403


def test_a_token_of_one_project_makes_none_for_all(
    client: Client, owner: User, project: Project, token_of: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token_of(owner, project=project)}"}
    wide = client.post("/api/v1/tokens", {"scope": "read"}, "application/json", headers=headers)
    narrow = client.post("/api/v1/tokens", {"scope": "read", "project": "demo"}, "application/json", headers=headers)
    assert (wide.status_code, narrow.status_code) == (403, 201)
