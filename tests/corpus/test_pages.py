"""The upload page: look first, confirm, watch; and the page of sources."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Project, User
from corpus.ingest import import_run
from corpus.models import Comparison
from ledger.execute import execute
from ledger.models import Run, State
from tests.corpus.rows import pair

IMPORT = "/p/demo/import/"
ROWS = b"".join(json.dumps(row).encode() + b"\n" for row in (pair(label="b", id="egg-1"), {"no": "sides"}))


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, content: bytes = ROWS, name: str = "eggs.jsonl", **fields: str) -> Any:
    return client.post(IMPORT, {"file": SimpleUploadedFile(name, content), "format": "auto"} | fields)


def confirm(client: Client, preview: Any, **fields: str) -> Any:
    sealed = re.search(r'name="upload" value="([^"]+)"', preview.content.decode())
    assert sealed
    return client.post(f"{IMPORT}confirm/", {"upload": sealed[1], "format": "auto"} | fields)


def test_the_preview_shows_the_rows_and_writes_nothing(curator: User) -> None:
    page = upload(as_user(curator)).content.decode()
    for words in ("generic table", "How do I boil an egg?", "In water.", "In oil.", "the second is better", "egg-1"):
        assert words.lower() in page.lower()
    assert "rejected: missing_field" in page
    assert not Run.objects.exists() and not Comparison.objects.exists()


def test_confirming_starts_a_run_that_can_be_watched(curator: User) -> None:
    client = as_user(curator)
    answer = confirm(client, upload(client), source="kitchen")
    run = Run.objects.get()
    assert answer.headers["Location"] == f"{IMPORT}{run.id}/"
    assert run.params["files"][0]["stored"].startswith(f"imports/{run.id}/")
    assert default_storage.exists(run.params["files"][0]["stored"])
    waiting = client.get(answer.headers["Location"]).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    execute(run.id, import_run, owner="test")
    fragment = client.get(answer.headers["Location"], headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and "hx-trigger" not in fragment
    assert "missing_field" in fragment and f"/api/v1/runs/{run.id}/rejects.jsonl" in fragment
    assert Comparison.objects.get().source.name == "kitchen"


def test_a_second_click_on_confirm_finds_nothing_to_import(curator: User) -> None:
    client = as_user(curator)
    preview = upload(client)
    assert confirm(client, preview).status_code == 302
    assert confirm(client, preview).status_code == 404
    assert Run.objects.count() == 1


def test_a_sealed_upload_is_of_no_use_to_others(curator: User, owner: User) -> None:
    preview = upload(as_user(curator))
    assert confirm(as_user(owner), preview).status_code == 404
    assert as_user(curator).post(f"{IMPORT}confirm/", {"upload": "made up", "format": "auto"}).status_code == 404
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("content", "fields", "says"),
    [
        (b"", {}, "The file is empty."),
        (b'{"question": 1}\n', {}, "No input format reads the columns"),
        (ROWS, {"mapping": "nonsense=x"}, "A mapping cannot set"),
        (ROWS, {"format": "docx"}, "Select a valid choice"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_beside_the_field(
    curator: User, content: bytes, fields: dict[str, str], says: str
) -> None:
    answer = upload(as_user(curator), content, **fields)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_a_failed_import_says_what_is_safe(curator: User, project: Project) -> None:
    run = Run.objects.create(
        project=project, kind="import", method="import", queue="io", state=State.FAILED, error="It is broken.",
        params={"files": [{"name": "eggs.jsonl"}]},
    )  # fmt: skip
    page = as_user(curator).get(f"{IMPORT}{run.id}/").content.decode()
    assert "It is broken." in page and "importing the file again adds only what is missing" in page


def test_sources_without_rows_offer_the_import(curator: User) -> None:
    assert "No rows yet" in as_user(curator).get("/p/demo/sources/").content.decode()


def test_sources_show_files_and_labels(curator: User) -> None:
    client = as_user(curator)
    confirm(client, upload(client), licence="CC0")
    run = Run.objects.get()
    execute(run.id, import_run, owner="test")
    page = client.get("/p/demo/sources/").content.decode()
    assert all(words in page for words in ("eggs", "CC0", "eggs.jsonl", "sha256"))


@pytest.mark.parametrize("path", [IMPORT, "/p/demo/sources/"])
def test_strangers_and_annotators_see_nothing(path: str, stranger: User, annotator: User, project: Project) -> None:
    assert as_user(stranger).get(path).status_code == 404
    assert as_user(annotator).get(path).status_code == 403
    assert Client().get(path).status_code in {302, 401}


def test_an_import_is_seen_in_its_own_project_only(curator: User, stranger: User, project: Project) -> None:
    run = Run.objects.create(project=project, kind="import", method="import", queue="io")
    assert as_user(stranger).get(f"{IMPORT}{run.id}/").status_code == 404
    assert as_user(curator).get(f"/p/other/import/{run.id}/").status_code == 404
    assert as_user(curator).post(f"{IMPORT}{run.id}/").status_code == 405
