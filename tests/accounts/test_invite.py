"""Invitation links: made by owners, good once, for whom they are meant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import invite
from accounts.access import role_in
from accounts.models import AuditEvent, Invitation, Membership, Project, Role, User

LoggedIn = Callable[[User], Client]


@pytest.fixture
def link(project: Project, owner: User) -> str:
    return invite.invite(project=project, role=Role.CURATOR, by=owner)[1]


def _new(client: Client, link: str, **change: str) -> object:
    fields = {"email": "new@example.org", "name": "New", "password": "a long enough phrase", **change}
    return client.post(f"/join/{link}/", fields, follow=True)


def test_an_owner_makes_a_link_that_is_shown_once(logged_in: LoggedIn, owner: User, project: Project) -> None:
    client = logged_in(owner)
    page = client.post("/p/demo/invitations/", {"role": "annotator", "email": ""}).content.decode()
    assert "http://testserver/join/" in page
    assert "http://testserver/join/" not in client.get("/p/demo/people/").content.decode()
    assert AuditEvent.objects.filter(action="invite", actor=owner).exists()


def test_only_the_hash_is_kept(link: str) -> None:
    kept = bytes(Invitation.objects.get().token_sha256)
    assert link.encode() not in kept and len(kept) == 32


@pytest.mark.parametrize("who", ["annotator", "curator", "stranger"])
def test_others_make_no_links(logged_in: LoggedIn, project: Project, who: str, request: pytest.FixtureRequest) -> None:
    client = logged_in(request.getfixturevalue(who))
    answer = client.post("/p/demo/invitations/", {"role": "owner"})
    assert answer.status_code == (404 if who == "stranger" else 403)
    assert not Invitation.objects.exists()


def test_somebody_with_an_account_joins(logged_in: LoggedIn, stranger: User, project: Project, link: str) -> None:
    client = logged_in(stranger)
    assert "Join Demo" in client.get(f"/join/{link}/").content.decode()
    assert client.post(f"/join/{link}/").status_code == 302
    assert role_in(stranger, project) == Role.CURATOR


def test_somebody_new_makes_an_account_there(client: Client, project: Project, link: str) -> None:
    _new(client, link)
    user = User.objects.get(email="new@example.org")
    assert role_in(user, project) == Role.CURATOR and user.name == "New" and not user.is_superuser
    assert client.get("/tokens/").status_code == 200


def test_a_link_works_once(client: Client, stranger: User, project: Project, link: str, logged_in: LoggedIn) -> None:
    _new(client, link)
    again = logged_in(stranger).post(f"/join/{link}/")
    assert again.status_code == 410 and "used already" in again.content.decode()
    assert role_in(stranger, project) is None


def test_a_link_ends_after_seven_days(client: Client, link: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page = client.get(f"/join/{link}/")
    assert page.status_code == 410 and "expired" in page.content.decode()


def test_a_link_that_was_taken_back_ends(client: Client, logged_in: LoggedIn, owner: User, link: str) -> None:
    number = Invitation.objects.get().pk
    for _ in range(2):
        assert logged_in(owner).post(f"/p/demo/invitations/{number}/revoke/").status_code == 302
    assert client.get(f"/join/{link}/").status_code == 410
    assert AuditEvent.objects.filter(action="revoke invitation").count() == 1


def test_an_unknown_link_is_a_404(client: Client, db: None) -> None:
    assert client.get("/join/nothing/").status_code == 404


def test_a_link_for_one_e_mail_is_for_nobody_else(
    client: Client, logged_in: LoggedIn, owner: User, stranger: User, project: Project
) -> None:
    _, link = invite.invite(project=project, role=Role.ANNOTATOR, email="Wanted@Example.org", by=owner)
    assert logged_in(stranger).post(f"/join/{link}/").status_code == 403
    _new(client, link, email="other@example.org")
    assert role_in(User.objects.get(email="wanted@example.org"), project) == Role.ANNOTATOR
    assert not User.objects.filter(email="other@example.org").exists()


def test_an_e_mail_with_an_account_is_asked_to_log_in(client: Client, owner: User, link: str) -> None:
    page = _new(client, link, email="OWNER@example.org").content.decode()  # type: ignore[attr-defined]
    assert "log in to accept" in page
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("password", ["short", "password123", "12345678901"])
def test_a_weak_password_is_refused_in_words(client: Client, link: str, password: str) -> None:
    page = _new(client, link, password=password)
    assert "password" in page.content.decode()  # type: ignore[attr-defined]
    assert not User.objects.filter(email="new@example.org").exists()


def test_joining_again_never_lowers_a_role(logged_in: LoggedIn, owner: User, project: Project, link: str) -> None:
    logged_in(owner).post(f"/join/{link}/")
    assert role_in(owner, project) == Role.OWNER


def test_joining_again_can_raise_a_role(annotator: User, project: Project, link: str) -> None:
    assert invite.accept(secret=link, user=annotator).role == Role.CURATOR
    assert Membership.objects.filter(user=annotator).count() == 1
