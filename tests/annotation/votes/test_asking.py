"""Asking for an import of votes: by page, by API, by command; who may, and what they are told."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign, Judgment
from ledger.models import Run, State
from tests.annotation.votes.files import argument, lines, ukp_pair, ukp_vote, vote
from workers.tasks import run_import

pytestmark = pytest.mark.django_db

ARGUMENTS = lines(argument(1), argument(2))
PAIRS = lines(ukp_pair(1, 2, ukp_vote("w1"), ukp_vote("w2", "a2"), ukp_vote("w3", "a9")))


def post(user: User, query: str = "?campaign=Eggs", *, scope: Scope = Scope.CURATE, **request: Any) -> Any:
    _, token = issue_token(user=user, scope=scope)
    request = {"data": lines(vote("ann")), "content_type": "application/x-ndjson"} | request
    headers = {"Authorization": f"Bearer {token}"}
    return Client(raise_request_exception=False).post(f"/api/v1/projects/demo/votes{query}", headers=headers, **request)


def files() -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile("arguments.jsonl", ARGUMENTS), SimpleUploadedFile("pairs.jsonl", PAIRS)]


def page(user: User, address: str = "/p/demo/campaigns/import/", **data: Any) -> Any:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client.post(address, data) if data else client.get(address)


def test_files_over_the_api_become_a_run_that_a_worker_carries_out(curator: User) -> None:
    answer = _post_files(curator)
    assert answer.status_code == 202
    run = Run.objects.get(id=answer.json()["id"])
    assert (run.kind, run.method, run.queue, run.state) == ("import", "import_votes", "io", State.QUEUED)
    run_import.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert run.state == State.DONE, run.error
    told = {name: run.result[name] for name in ("comparisons", "accepted", "unchanged", "rejected", "annotators")}
    assert told == {"comparisons": 1, "accepted": 2, "unchanged": 0, "rejected": 1, "annotators": 2}
    client = Client()
    client.force_login(curator)
    reply: Any = client.get(f"/api/v1/runs/{run.pk}/rejects.jsonl")
    (reject,) = b"".join(reply.streaming_content).splitlines()
    assert {"line", "reason", "message"} <= set(json.loads(reject))
    assert Campaign.objects.get().created_by == curator


def _post_files(user: User) -> Any:
    _, token = issue_token(user=user, scope=Scope.CURATE)
    headers = {"Authorization": f"Bearer {token}"}
    address = "/api/v1/projects/demo/votes?campaign=Eggs"
    return Client(raise_request_exception=False).post(address, {"file": files()}, headers=headers)


def test_json_lines_may_be_the_body(curator: User) -> None:
    assert post(curator).status_code == 202


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?campaign=", "campaign"),
        ("", "campaign"),
        ("?campaign=Eggs&format=xml", "format"),
        ("?campaign=Eggs&repeats=maybe", "repeats"),
        (f"?campaign=Eggs&source={'x' * 121}", "source"),
    ],
    ids=["empty name", "no name", "format", "repeats", "source"],
)
def test_a_wrong_wish_is_refused_by_field(curator: User, query: str, field: str) -> None:
    answer = post(curator, query)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]
    assert not Run.objects.exists()


def test_a_file_of_no_shape_is_refused_while_somebody_listens(curator: User) -> None:
    answer = post(curator, data=b'{"a": 1}\n')
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "format_not_recognised")
    assert not Run.objects.exists()
    assert not default_storage.exists("imports") or not any(default_storage.listdir("imports")[1])


def test_a_campaign_that_people_work_in_is_refused(curator: User, project: Project) -> None:
    create_campaign(project=project, name="Eggs")
    assert post(curator).status_code == 409


def test_who_may_not_import(annotator: User, stranger: User, curator: User) -> None:
    assert post(annotator).status_code == 403
    assert post(stranger).status_code == 404
    assert post(curator, scope=Scope.READ).status_code == 403
    assert page(annotator).status_code == 403
    assert page(stranger).status_code == 404
    assert not Run.objects.exists()


def test_the_page_takes_several_files_and_leads_to_the_run(curator: User, stranger: User) -> None:
    assert "pandalm" in page(curator).content.decode()
    answer = page(curator, file=files(), campaign="Eggs", format="auto", repeats="together")
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/p/demo/campaigns/import/{run.pk}/")
    assert "Waiting for a worker" in page(curator, answer["Location"]).content.decode()
    run_import.apply(kwargs={"run_id": run.pk})
    shown = page(curator, answer["Location"]).content.decode()
    assert "Open the campaign" in shown and "bad_choice" in shown and "no side bias can be reckoned" in shown
    assert page(stranger, answer["Location"]).status_code == 404


def test_the_page_says_what_is_wrong_with_a_file(curator: User) -> None:
    answer = page(curator, file=[SimpleUploadedFile("x.csv", b"1,2\n3,4\n")], campaign="Eggs", format="auto")
    assert answer.status_code == 422
    assert "No shape of votes has the columns" in answer.content.decode()
    assert page(curator, campaign="Eggs", format="auto").status_code == 422


def test_an_import_of_comparisons_is_not_shown_as_one_of_votes(curator: User, project: Project) -> None:
    run = Run.objects.create(project=project, kind="import", method="import", queue="io")
    assert page(curator, f"/p/demo/campaigns/import/{run.pk}/").status_code == 404


def test_the_command_counts_and_says_where_the_rejects_are(project: Project, tmp_path: Path) -> None:
    paths = [tmp_path / "arguments.jsonl", tmp_path / "pairs.jsonl"]
    for path, content in zip(paths, (ARGUMENTS, PAIRS), strict=True):
        path.write_bytes(content)
    out = StringIO()
    call_command("import_votes", *map(str, paths), project="demo", campaign="Eggs", stdout=out, stderr=StringIO())
    said = out.getvalue()
    assert "accepted:     2" in said and "bad_choice: 1" in said and "rejects" in said
    assert Judgment.objects.count() == 2


def test_the_command_refuses_in_a_sentence(project: Project, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no file"):
        call_command("import_votes", str(tmp_path / "none"), project="demo", campaign="Eggs")
    create_campaign(project=project, name="Eggs")
    path = tmp_path / "votes.jsonl"
    path.write_bytes(lines(vote("ann")))
    with pytest.raises(CommandError, match="People work in"):
        call_command("import_votes", str(path), project="demo", campaign="Eggs")
