"""The pages and the API of words: curators and owners read and keep them, annotators and strangers do not see them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Project, Scope, User
from accounts.tokens import issue_token
from curation.models import Wording
from curation.wordings.kinds import NAMES, bundled
from curation.wordings.save import save_words
from curation.wordings.text import text_of

API = "/api/v1/projects/demo/wordings"
Bearer = Callable[..., dict[str, str]]


def url(name: str, *arguments: str) -> str:
    return reverse(f"curation:{name}", args=["demo", *arguments])


@pytest.fixture
def changed() -> dict[str, Any]:
    return copy.deepcopy(bundled("follow_ups")) | {"neutral": "I am here."}


@pytest.fixture
def bearer(db: None) -> Bearer:
    def header(user: User, scope: Scope = Scope.ADMIN) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_token(user=user, scope=scope)[1]}"}

    return header


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def test_the_list_names_every_kind_and_who_changed_it(
    logged_in: Client, project: Project, curator: User, changed: dict[str, Any]
) -> None:
    page = logged_in.get(url("wordings")).content.decode()
    assert page.count("as bundled") == len(NAMES) and "Follow-ups" in page
    save_words(project=project, kind="follow_ups", document=changed, by=curator)
    assert curator.email in logged_in.get(url("wordings")).content.decode()


def test_a_changed_text_is_previewed_kept_and_shown_as_a_version(
    logged_in: Client, project: Project, changed: dict[str, Any]
) -> None:
    text = text_of("follow_ups", changed)
    preview = logged_in.post(url("wording_preview", "follow_ups"), {"text": text}).content.decode()
    assert "neutral: I am here." in preview and "neutral: I have received your message." in preview
    assert not Wording.objects.exists()
    kept = logged_in.post(url("wording", "follow_ups"), {"text": text, "base_version": "0"}, follow=True)
    page = kept.content.decode()
    assert "Version 1 is kept" in page and "Save as version 2" in page and "I am here." in page
    again = logged_in.post(url("wording", "follow_ups"), {"text": text, "base_version": "1"}, follow=True)
    assert "Nothing changed" in again.content.decode() and Wording.objects.count() == 1


def test_going_back_is_opening_an_old_one_and_saving_it(
    logged_in: Client, project: Project, curator: User, changed: dict[str, Any]
) -> None:
    save_words(project=project, kind="follow_ups", document=changed, by=curator)
    page = logged_in.get(url("wording", "follow_ups"), {"version": 0}).content.decode()
    assert "Not in force: version 1 is" in page and "I have received your message." in page
    text = text_of("follow_ups", bundled("follow_ups"))
    logged_in.post(url("wording", "follow_ups"), {"text": text, "base_version": "1"})
    newest = Wording.objects.order_by("-version")[0]
    assert (newest.version, newest.document) == (2, bundled("follow_ups"))


@pytest.mark.parametrize("version", ["9", "x", "", "-1", "99999999999"])
def test_a_version_that_is_not_there_is_a_404(logged_in: Client, project: Project, version: str) -> None:
    assert logged_in.get(url("wording", "follow_ups"), {"version": version}).status_code == 404


def test_a_mistake_is_told_at_its_line_and_the_text_is_not_lost(
    logged_in: Client, project: Project, changed: dict[str, Any]
) -> None:
    changed["aspects"][0]["positive"][1] = changed["aspects"][0]["positive"][0]
    text = text_of("follow_ups", changed)
    line = next(n for n, line in enumerate(text.splitlines(), 1) if text.splitlines()[n - 2] == line)
    for page in ("wording_preview", "wording"):
        answer = logged_in.post(url(page, "follow_ups"), {"text": text, "base_version": "0"})
        told = answer.content.decode()
        assert f"Line {line}</a>: <code>aspects.0.positive.1</code> says the same as aspects.0.positive.0." in told
        assert answer.status_code == (200 if page == "wording_preview" else 422)
    assert "I am here." in told and not Wording.objects.exists()


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "x" * 200_001])
def test_a_text_that_is_no_document_is_told_and_not_kept(logged_in: Client, project: Project, text: str) -> None:
    answer = logged_in.post(url("wording", "follow_ups"), {"text": text, "base_version": "0"})
    assert answer.status_code == 422 and not Wording.objects.exists()


def test_what_somebody_saved_meanwhile_is_told_and_the_text_stays(
    logged_in: Client, project: Project, owner: User, changed: dict[str, Any]
) -> None:
    save_words(project=project, kind="follow_ups", document=changed, by=owner)
    mine = text_of("follow_ups", changed | {"neutral": "Mine."})
    answer = logged_in.post(url("wording", "follow_ups"), {"text": mine, "base_version": "0"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "There is a version 1" in page and "neutral: Mine." in page
    assert 'name="base_version" value="1"' in page


def test_hostile_words_are_shown_as_text(
    logged_in: Client, project: Project, curator: User, changed: dict[str, Any]
) -> None:
    save_words(project=project, kind="follow_ups", document=changed | {"neutral": "</textarea><script>"}, by=curator)
    page = logged_in.get(url("wording", "follow_ups")).content.decode()
    preview = logged_in.post(
        url("wording_preview", "follow_ups"), {"text": text_of("follow_ups", bundled("follow_ups"))}
    ).content.decode()
    assert "&lt;script&gt;" in page and "&lt;script&gt;" in preview
    assert "</textarea><script>" not in page + preview


def test_the_api_reads_and_keeps_versions(
    client: Client, project: Project, curator: User, bearer: Bearer, changed: dict[str, Any]
) -> None:
    headers = bearer(curator, Scope.CURATE)
    before = client.get(f"{API}/follow_ups", headers=headers).json()
    assert (before["version"], before["document"], before["author"]) == (0, bundled("follow_ups"), None)
    body = {"document": changed, "after_version": 0}
    kept = client.post(f"{API}/follow_ups", body, content_type="application/json", headers=headers)
    assert (kept.status_code, kept.json()["version"], kept.json()["author"]) == (201, 1, curator.email)
    assert client.get(f"{API}/follow_ups", headers=headers).json()["sha256"] == kept.json()["sha256"]
    assert client.get(f"{API}/follow_ups?version=0", headers=headers).json() == before
    listed = {kind["kind"]: kind for kind in client.get(API, headers=headers).json()}
    assert [version["version"] for version in listed["follow_ups"]["versions"]] == [1, 0]
    assert AuditEvent.objects.filter(action="save wording", actor=curator).count() == 1


def test_the_api_names_the_place_of_a_mistake(
    client: Client, project: Project, curator: User, bearer: Bearer, changed: dict[str, Any]
) -> None:
    headers = bearer(curator, Scope.CURATE)
    changed["aspects"][2]["negative"] = []
    body = {"document": changed}
    answer = client.post(f"{API}/follow_ups", body, content_type="application/json", headers=headers)
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == ["aspects.2.negative"]
    stale = {"document": bundled("follow_ups"), "after_version": 4}
    moved = client.post(f"{API}/follow_ups", stale, content_type="application/json", headers=headers)
    assert moved.status_code == 409 and not Wording.objects.exists()
    for path in (f"{API}/sample", f"{API}/follow_ups?version=3"):
        assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize(("who", "status"), [("annotator", 403), ("stranger", 404)])
def test_annotators_and_strangers_never_see_the_words(
    client: Client, project: Project, request: pytest.FixtureRequest, bearer: Bearer, who: str, status: int
) -> None:
    person = request.getfixturevalue(who)
    body = {"document": bundled("follow_ups")}
    headers = bearer(person)
    assert client.get(API, headers=headers).status_code == status
    assert client.get(f"{API}/follow_ups", headers=headers).status_code == status
    answer = client.post(f"{API}/follow_ups", body, content_type="application/json", headers=headers)
    assert answer.status_code == status
    client.force_login(person)
    for name, arguments in (("wordings", ()), ("wording", ("follow_ups",))):
        assert client.get(url(name, *arguments)).status_code == status
    for name in ("wording", "wording_preview"):
        assert client.post(url(name, "follow_ups"), {"text": ""}).status_code == status


def test_a_token_that_only_reads_keeps_nothing(
    client: Client, project: Project, curator: User, bearer: Bearer, changed: dict[str, Any]
) -> None:
    headers = bearer(curator, Scope.READ)
    assert client.get(f"{API}/follow_ups", headers=headers).status_code == 200
    answer = client.post(f"{API}/follow_ups", {"document": changed}, content_type="application/json", headers=headers)
    assert answer.status_code == 403 and not Wording.objects.exists()
