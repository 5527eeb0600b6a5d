"""Imports and sources over the API."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from corpus.ingest import import_run
from corpus.models import Comparison
from ledger.execute import execute
from ledger.models import Run, State
from tests.corpus.rows import pair

ROWS = b"".join(json.dumps(row).encode() + b"\n" for row in (pair(id="1", label="a"), pair(a="x"), {"no": "sides"}))


def post(user: User, slug: str = "demo", query: str = "", scope: Scope = Scope.CURATE, **request: Any) -> Any:
    _, token = issue_token(user=user, scope=scope)
    request = {"data": ROWS, "content_type": "application/x-ndjson"} | request
    headers = {"Authorization": f"Bearer {token}"}
    return Client(raise_request_exception=False).post(
        f"/api/v1/projects/{slug}/imports{query}", headers=headers, **request
    )


def get(user: User, path: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(f"/api/v1/{path}")


def test_a_body_of_json_lines_becomes_a_run(curator: User) -> None:
    answer = post(curator, query="?source=kitchen")
    assert answer.status_code == 202
    run = Run.objects.get(id=answer.json()["id"])
    assert run.state == State.QUEUED
    assert run.params["files"][0]["stored"].startswith(f"imports/{run.id}/")
    execute(run.id, import_run, owner="test")
    done = get(curator, f"runs/{run.id}").json()
    assert done["state"] == "done"
    assert {name: done["result"][name] for name in ("accepted", "unchanged", "rejected", "contradicted")} == {
        "accepted": 2, "unchanged": 0, "rejected": 1, "contradicted": 0,
    }  # fmt: skip
    rejects = get(curator, f"runs/{run.id}/rejects.jsonl")
    assert rejects["Content-Type"] == "application/x-ndjson"
    assert json.loads(b"".join(rejects.streaming_content))["line"] == 3
    assert set(Comparison.objects.values_list("source__name", flat=True)) == {"kitchen"}


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_multipart_file_keeps_its_name(curator: User, size: int) -> None:
    content = ROWS + b" " * size
    upload = SimpleUploadedFile("../Eggs & more.jsonl", content)
    answer = _multipart(curator, upload)
    assert answer.status_code == 202
    run = Run.objects.get()
    assert run.params["files"][0]["name"] == "Eggs & more.jsonl"
    assert default_storage.size(run.params["files"][0]["stored"]) == len(content)
    execute(run.id, import_run, owner="test")
    assert Comparison.objects.filter(source__name="Eggs & more").count() == 2


def _multipart(user: User, upload: SimpleUploadedFile) -> Any:
    _, token = issue_token(user=user, scope=Scope.CURATE)
    headers = {"Authorization": f"Bearer {token}"}
    return Client().post("/api/v1/projects/demo/imports", {"file": upload}, headers=headers)


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(curator: User, settings: Any) -> None:
    settings.WINNOW_MAX_UPLOAD_BYTES = 50
    answer = post(curator, data=b"x" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert post(curator, data=b"x" * 1000).status_code == 413
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("query", "data", "code"),
    [
        ("?format=docx", ROWS, "unknown_format"),
        ("?mapping=nonsense", ROWS, "bad_mapping"),
        ("?mapping=wrong%3Dx", ROWS, "bad_mapping"),
        ("?source=" + "s" * 200, ROWS, "invalid"),
        ("", b"", "no_upload"),
    ],
)
def test_what_cannot_be_imported_is_refused_at_once(curator: User, query: str, data: bytes, code: str) -> None:
    answer = post(curator, query=query, data=data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert not Run.objects.exists()


def test_a_mapping_may_be_json(curator: User) -> None:
    mapping = "%7B%22prompt%22%3A%22question%22%7D"
    assert post(curator, query=f"?mapping={mapping}").status_code == 202
    assert Run.objects.get().params["mapping"] == {"prompt": "question"}


def test_only_a_curator_with_the_scope_may_import(annotator: User, curator: User, stranger: User) -> None:
    assert post(stranger).status_code == 404
    assert post(annotator).status_code == 403
    assert post(curator, scope=Scope.READ).status_code == 403
    assert post(curator, slug="nowhere").status_code == 404
    assert not Run.objects.exists()


def test_sources_tell_files_licence_and_labels(curator: User, annotator: User, stranger: User) -> None:
    post(curator, query="?source=kitchen&licence=CC0")
    execute(Run.objects.get().id, import_run, owner="test")
    (source,) = get(curator, "projects/demo/sources").json()["items"]
    assert (source["name"], source["licence"], source["format"], source["rows"]) == ("kitchen", "CC0", "generic", 2)
    assert source["labels"]["response_a"] + source["labels"]["response_b"] == 1
    assert source["labels"]["unlabelled"] == 1
    assert len(source["files"][0]["sha256"]) == 64
    assert get(annotator, "projects/demo/sources").status_code == 403
    assert get(stranger, "projects/demo/sources").status_code == 404


def test_rejects_are_for_curators_and_may_be_none(curator: User, stranger: User, annotator: User) -> None:
    post(curator)
    run = Run.objects.get()
    assert get(curator, f"runs/{run.id}/rejects.jsonl").content == b""
    assert get(stranger, f"runs/{run.id}/rejects.jsonl").status_code == 404
    assert get(annotator, f"runs/{run.id}/rejects.jsonl").status_code == 403
    assert get(curator, "runs/999999/rejects.jsonl").status_code == 404


def test_a_bomb_fails_the_run_and_keeps_what_was_read(project: Project, curator: User) -> None:
    content = gzip.compress(ROWS * 500 + b" " * 2**23)
    _multipart(curator, SimpleUploadedFile("bomb.jsonl.gz", content))
    run = Run.objects.get()
    execute(run.id, import_run, owner="test")
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "more than 100 times" in run.error and "are kept" in run.error
    assert Comparison.objects.filter(project=project).count() == 2
