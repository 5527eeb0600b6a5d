"""The list of model servers: owners change it, curators read it, annotators and strangers do not see it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import AuditEvent, Project, Scope, User
from accounts.tokens import issue_token
from curation.handoff.model_servers import Listed, read_model_servers
from curation.model_servers.address import InvalidModelServer, canonical
from curation.model_servers.change import add_server, remove_server
from curation.models import ModelServer

API = "/api/v1/projects/demo/model-servers"
URL = "https://models.example/v1"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def bearer(db: None) -> Bearer:
    def header(user: User, scope: Scope = Scope.ADMIN) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_token(user=user, scope=scope)[1]}"}

    return header


@pytest.fixture
def listed(project: Project, owner: User) -> ModelServer:
    return add_server(project=project, url=URL, by=owner, note="Two GPUs of the lab")


def page_of(client: Client, person: User) -> str:
    client.force_login(person)
    return client.get(reverse("curation:model_servers", args=["demo"])).content.decode()


def remove(listed: ModelServer) -> str:
    return reverse("curation:model_server_remove", args=["demo", listed.pk])


def test_an_owner_lists_a_server_and_takes_it_off_again(client: Client, project: Project, owner: User) -> None:
    assert "No server is listed" in page_of(client, owner)
    form = {"url": " https://Models.example:443/ ", "note": "Two GPUs", "tokenizer": "toy"}
    page = client.post(reverse("curation:model_servers", args=["demo"]), form, follow=True).content.decode()
    assert "may now send texts to https://models.example/v1" in page and "tokenizer: toy" in page
    server = ModelServer.objects.get()
    assert (server.url, server.added_by, server.note) == (URL, owner, "Two GPUs")
    assert read_model_servers(project) == [Listed(URL, "toy")]
    page = client.post(remove(server), follow=True).content.decode()
    assert "Nothing is sent to" in page and not ModelServer.objects.exists()
    assert client.post(remove(server)).status_code == 404
    told = AuditEvent.objects.filter(project=project).order_by("id").values_list("action", "actor", "details__url")
    assert list(told) == [("list model server", owner.pk, URL), ("remove model server", owner.pk, URL)]
    trail = client.get(reverse("accounts:settings", args=["demo"])).content.decode().lower()
    assert "list model server" in trail and "remove model server" in trail


def test_a_curator_reads_the_list_and_changes_nothing(client: Client, listed: ModelServer, curator: User) -> None:
    page = page_of(client, curator)
    assert URL in page and "Two GPUs of the lab" in page and "List server" not in page and "Remove" not in page
    assert client.post(reverse("curation:model_servers", args=["demo"]), {"url": URL}).status_code == 403
    assert client.post(remove(listed)).status_code == 403
    assert ModelServer.objects.count() == 1


@pytest.mark.parametrize(("person", "status"), [("annotator", 403), ("stranger", 404)])
def test_others_do_not_see_it(
    client: Client, listed: ModelServer, person: str, status: int, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(person))
    assert client.get(reverse("curation:model_servers", args=["demo"])).status_code == status
    assert client.post(remove(listed)).status_code == status


def test_a_mistake_is_told_at_its_field(client: Client, listed: ModelServer, owner: User) -> None:
    client.force_login(owner)
    for form, words, status in [
        ({"url": URL}, "is listed already", 409),
        ({"url": "http://10.0.0.7:8000/v1"}, "WINNOW_PRIVATE_MODEL_SERVERS", 422),
        ({"url": "https://other.example/v1", "tokenizer": "../etc"}, "Name a folder", 422),
        ({"url": ""}, "required", 422),
    ]:
        answer = client.post(reverse("curation:model_servers", args=["demo"]), form)
        assert answer.status_code == status and words in answer.content.decode()
    assert ModelServer.objects.count() == 1


def test_by_api_it_is_the_same(client: Client, project: Project, owner: User, curator: User, bearer: Bearer) -> None:
    made = client.post(API, {"url": URL, "note": "ours"}, "application/json", headers=bearer(owner))
    assert made.status_code == 201 and made.json()["url"] == URL and made.json()["added_by"] == owner.email
    assert client.post(API, {"url": URL}, "application/json", headers=bearer(curator)).status_code == 403
    small = bearer(owner, Scope.CURATE)
    assert client.post(API, {"url": "https://b.example"}, "application/json", headers=small).status_code == 403
    wrong = client.post(API, {"url": "ftp://b.example"}, "application/json", headers=bearer(owner))
    assert wrong.status_code == 422 and wrong.json()["error"]["code"] == "invalid_model_server"
    assert [one["url"] for one in client.get(API, headers=bearer(curator)).json()] == [URL]
    gone = f"/api/v1/model-servers/{made.json()['id']}/remove"
    assert client.post(gone, headers=bearer(curator)).status_code == 403
    assert client.post(gone, headers=bearer(owner)).status_code == 204
    assert client.post(gone, headers=bearer(owner)).status_code == 404


def test_another_project_has_another_list(project: Project, listed: ModelServer, owner: User) -> None:
    other = Project.objects.create(slug="other", name="Other")
    assert read_model_servers(other) == []
    add_server(project=other, url=URL, by=owner)
    remove_server(server=listed, by=owner)
    remove_server(server=listed, by=owner)
    assert read_model_servers(project) == [] and len(read_model_servers(other)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1", "http://localhost:8000", "http://a.localhost", "http://10.0.0.1/v1",
        "http://169.254.169.254/v1", "http://[::1]:8000/v1", "http://[::ffff:10.0.0.1]/v1", "http://0x7f000001/",
        "http://127.1/v1", "http://2130706433/v1", "http://0.0.0.0:8000", "http://224.0.0.1/",
    ],
)  # fmt: skip
def test_addresses_of_the_house_need_the_operator(url: str) -> None:
    with pytest.raises(InvalidModelServer, match="WINNOW_PRIVATE_MODEL_SERVERS"):
        canonical(url, private=())


def test_the_operator_allows_host_and_port(project: Project, owner: User, settings: Settings) -> None:
    settings.WINNOW_PRIVATE_MODEL_SERVERS = frozenset({"localhost:8000", "[::1]:80"})
    assert add_server(project=project, url="http://LOCALHOST:8000", by=owner).url == "http://localhost:8000/v1"
    assert add_server(project=project, url="http://[::1]/v1/", by=owner).url == "http://[::1]/v1"
    with pytest.raises(InvalidModelServer):
        add_server(project=project, url="http://localhost:8001", by=owner)


@pytest.mark.parametrize(
    "url",
    [
        "", "models.example", "ftp://models.example", "https://me:pw@models.example/v1", "https://models.example/v1#m",
        "https://models.example/v1?key=1", "https://models.example/../v1", "https://models.example:99999/v1",
        "https://mod els.example/v1", "https://models.example/v1\n", "javascript:alert(1)", "https://",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidModelServer):
        canonical(url, private=())


def test_the_house_and_its_workers_write_a_url_alike() -> None:
    from workers.engine.models.allowed import canonical as of_the_workers

    for url in (URL, "https://Models.example:443/", "http://a.example:8000", "http://[2606:4700::1]:9/x/v1/"):
        assert canonical(url, private=()) == of_the_workers(url)
