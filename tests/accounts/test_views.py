"""The pages of people, settings and projects, as their readers see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import audit
from accounts.models import AuditEvent, Membership, Project, Role, User

LoggedIn = Callable[[User], Client]
OWNER_PAGES = ["/p/demo/people/", "/p/demo/settings/"]


@pytest.mark.parametrize("path", OWNER_PAGES)
def test_an_owner_sees_the_page(logged_in: LoggedIn, owner: User, project: Project, path: str) -> None:
    assert logged_in(owner).get(path).status_code == 200


@pytest.mark.parametrize("path", OWNER_PAGES)
def test_a_member_is_told_who_could_let_them_in(
    logged_in: LoggedIn, owner: User, annotator: User, project: Project, path: str
) -> None:
    page = logged_in(annotator).get(path)
    assert page.status_code == 403 and owner.email in page.content.decode()


@pytest.mark.parametrize("path", OWNER_PAGES)
def test_a_stranger_cannot_tell_that_the_project_exists(
    logged_in: LoggedIn, owner: User, stranger: User, project: Project, path: str
) -> None:
    page, other = logged_in(stranger).get(path), logged_in(stranger).get(path.replace("demo", "none"))
    assert page.status_code == other.status_code == 404
    assert owner.email not in page.content.decode()


@pytest.mark.parametrize("path", [*OWNER_PAGES, "/tokens/", "/projects/new/", "/"])
def test_nobody_is_led_to_the_login_and_back(client: Client, project: Project, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302 and answer["Location"] == f"/accounts/login/?next={path}"


def test_a_fragment_moves_the_whole_page_to_the_login(client: Client, project: Project) -> None:
    answer = client.get(
        "/p/demo/people/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/p/demo/settings/"}
    )
    assert answer.status_code == 204 and answer["HX-Redirect"] == "/accounts/login/?next=/p/demo/settings/"


def test_the_login_never_leads_back_to_another_site(client: Client, project: Project) -> None:
    answer = client.post("/p/demo/invitations/", headers={"Referer": "https://evil.example/p/demo/"})
    assert answer["Location"] == "/accounts/login/?next=/"


def test_a_superuser_owns_every_project(logged_in: LoggedIn, stranger: User, project: Project) -> None:
    stranger.is_superuser = True
    stranger.save()
    assert logged_in(stranger).get("/p/demo/people/").status_code == 200


def test_a_project_is_made_by_its_owner(logged_in: LoggedIn, stranger: User) -> None:
    client = logged_in(stranger)
    assert client.post("/projects/new/", {"name": "Tea", "slug": "tea"}).status_code == 302
    assert Membership.objects.get(user=stranger).role == Role.OWNER
    again = client.post("/projects/new/", {"name": "Tea", "slug": "tea"})
    assert again.status_code == 422 and "is taken" in again.content.decode()


def test_renaming_keeps_the_address_and_is_recorded(logged_in: LoggedIn, owner: User, project: Project) -> None:
    client = logged_in(owner)
    client.post("/p/demo/settings/", {"name": "Second name"})
    page = client.get("/p/demo/settings/").content.decode()
    assert "Second name" in page and "Rename project" in page and owner.email in page
    assert AuditEvent.objects.get(action="rename project").details == {"from": "Demo", "to": "Second name"}


def test_the_trail_goes_back_page_by_page(logged_in: LoggedIn, owner: User, project: Project) -> None:
    for number in range(60):
        audit.record(actor=owner, project=project, action=f"step {number:02}", subject=project)
    client = logged_in(owner)
    first = client.get("/p/demo/settings/")
    assert "Step 59" in first.content.decode() and "Step 00" not in first.content.decode()
    older = client.get(f"/p/demo/settings/?cursor={first.context['next']}").content.decode()
    assert "Step 00" in older and "Step 59" not in older
    assert client.get("/p/demo/settings/?cursor=nonsense!").status_code == 422


def test_what_others_wrote_is_shown_as_text(logged_in: LoggedIn, owner: User, project: Project) -> None:
    owner.name = "<script>alert(1)</script>"
    owner.save()
    page = logged_in(owner).get("/p/demo/people/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_home_leads_a_newcomer_to_a_project_of_their_own(logged_in: LoggedIn, stranger: User) -> None:
    page = logged_in(stranger).get("/")
    assert page.status_code == 200 and "/projects/new/" in page.content.decode()


def test_the_api_shows_and_changes_members_for_owners(
    client: Client, owner: User, annotator: User, project: Project, token_of: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token_of(owner)}"}
    members = client.get("/api/v1/projects/demo/members", headers=headers).json()["items"]
    assert [(member["email"], member["role"]) for member in members] == [
        (owner.email, "owner"),
        (annotator.email, "annotator"),
    ]
    path = f"/api/v1/projects/demo/members/{annotator.pk}"
    changed = client.patch(path, {"role": "curator"}, "application/json", headers=headers)
    assert changed.json()["role"] == "curator"
    assert client.delete(path, headers=headers).status_code == 204
    assert client.delete(f"/api/v1/projects/demo/members/{owner.pk}", headers=headers).status_code == 409
    invited = client.post("/api/v1/projects/demo/invitations", {"role": "curator"}, "application/json", headers=headers)
    assert invited.status_code == 201 and "/join/" in invited.json()["link"]
    bad = client.post("/api/v1/projects/demo/invitations", {"email": "no mail"}, "application/json", headers=headers)
    assert bad.status_code == 422 and bad.json()["error"]["fields"] == {"email": "this is not an e-mail address"}
