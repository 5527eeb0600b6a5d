"""Releases over the API and by command: asked for, described, streamed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Project, User
from curation.exports import format_names
from curation.freeze import freeze, freeze_run, new_release
from curation.models import Release
from ledger.models import Run
from ledger.reporter import Reporter

RELEASES = "/api/v1/projects/demo/releases"
KEEP = {"rules": [{"name": "all", "then": "keep", "margin": "model_vote.strength"}]}


def post(client: Client, body: Any) -> Any:
    return client.post(RELEASES, body, content_type="application/json")


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


@pytest.fixture
def release(project: Project, corpus: Any, curator: User) -> Release:
    """Twenty rows with votes, two ties; nothing in validation or test."""
    run = corpus.run("model_vote")
    for n in range(22):
        row = corpus.add(a=f"answer {n}", b=f"other {n}", label=[-1, 2][n % 2] if n < 20 else 0)
        corpus.vote(run, row, mean=n / 10)
    made = new_release(project=project, name="v1", recipe=KEEP, by=curator)
    made.shares = {"train": 100, "validation": 0, "test": 0}
    freeze(made, Reporter())
    return made


def test_asking_answers_202_with_release_and_run(logged_in: Client, project: Project, corpus: Any) -> None:
    corpus.add()
    answer = post(logged_in, {"name": "v1", "recipe": KEEP})
    assert answer.status_code == 202 and answer.json()["run"]["state"] == "queued"
    release_id, run = answer.json()["release"]["id"], Run.objects.get(pk=answer.json()["run"]["id"])
    path = f"/api/v1/releases/{release_id}"
    assert logged_in.get(path).json()["state"] == "queued"
    assert logged_in.get(f"{path}/export/trl_reward/train.jsonl").status_code == 409
    freeze_run(run, Reporter())
    manifest = logged_in.get(path).json()
    assert manifest["state"] == "frozen" and manifest["files"][0]["sha256"] and manifest["recipe"]["document"]
    assert [item["name"] for item in logged_in.get(RELEASES).json()["items"]] == ["v1"]


def test_a_name_taken_and_a_recipe_unknown_are_told_apart(logged_in: Client, project: Project, corpus: Any) -> None:
    corpus.add()
    assert post(logged_in, {"name": "v1", "recipe": KEEP}).status_code == 202
    assert post(logged_in, {"name": "v1", "recipe": KEEP}).status_code == 409
    assert post(logged_in, {"name": "v2", "recipe": "nobody's"}).status_code == 404
    assert post(logged_in, {"name": "v2", "recipe": {"rules": []}}).status_code == 422
    assert post(logged_in, {"name": "v2", "recipe": KEEP, "splits": {"train": 50}}).status_code == 422


@pytest.mark.parametrize("name", format_names())
@pytest.mark.parametrize("profile", ["minimal", "full"])
def test_every_format_streams_the_same_rows_both_ways(
    logged_in: Client, release: Release, name: str, profile: str
) -> None:
    path = f"/api/v1/releases/{release.pk}/export/{name}/train"
    parquet = logged_in.get(f"{path}.parquet", {"profile": profile})
    lines = logged_in.get(f"{path}.jsonl", {"profile": profile})
    assert lines["Content-Type"] == "application/x-ndjson"
    packed = body_of(parquet)
    table = pq.read_table(io.BytesIO(packed))
    assert table.to_pylist() == [orjson.loads(line) for line in body_of(lines).splitlines()]
    assert table.num_rows == (40 if name == "trl_kto" else 20)
    assert ("reason" in table.schema.names) is (profile == "full")
    assert packed == body_of(logged_in.get(f"{path}.parquet", {"profile": profile}))
    assert (
        logged_in.get(f"{path}.jsonl", {"profile": profile}, headers={"If-None-Match": lines["ETag"]}).status_code
        == 304
    )


def test_what_is_not_there_is_a_404_that_says_what_is(logged_in: Client, release: Release) -> None:
    base = f"/api/v1/releases/{release.pk}/export"
    unknown = logged_in.get(f"{base}/xml/train.parquet")
    assert unknown.status_code == 404 and "trl_reward" in unknown.json()["error"]["message"]
    for path in ("trl_reward/test.parquet", "trl_reward/dev.parquet", "trl_reward/train.csv"):
        assert logged_in.get(f"{base}/{path}").status_code == 404
    assert logged_in.get(f"{base}/trl_reward/train.parquet", {"profile": "x"}).status_code == 422
    assert logged_in.get("/api/v1/releases/0").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403), (None, 401)])
def test_nobody_else_sees_a_release(
    client: Client, request: pytest.FixtureRequest, release: Release, who: str | None, status: int
) -> None:
    if who:
        client.force_login(request.getfixturevalue(who))
    one = f"/api/v1/releases/{release.pk}"
    answers = [
        client.get(RELEASES),
        post(client, {"name": "v2", "recipe": KEEP}),
        client.get(one),
        client.get(f"{one}/export/trl_reward/train.parquet"),
    ]
    assert [answer.status_code for answer in answers] == [status] * 4


def test_the_commands_freeze_and_export_what_datasets_loads(project: Project, corpus: Any, tmp_path: Path) -> None:
    from datasets import load_dataset

    for n in range(40):
        corpus.add(a=f"answer {n}", b=f"other {n}", label=1)
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(KEEP))
    call_command("make_release", project="demo", recipe=recipe, name="v1", wait=True)
    call_command("export_release", "demo/v1", format="trl_preference", to=tmp_path / "out")
    call_command("export_release", "demo/v1", format="trl_preference", to=tmp_path / "lines", extension="jsonl")
    for folder in ("out", "lines"):
        loaded = load_dataset(str(tmp_path / folder), cache_dir=str(tmp_path / "cache"))
        assert sum(split.num_rows for split in loaded.values()) == 40
        assert loaded["train"][0]["chosen"][0]["role"] == "assistant"
    with pytest.raises(CommandError, match="already"):
        call_command("make_release", project="demo", recipe=recipe, name="v1", wait=True)


def test_the_commands_say_what_is_wrong(project: Project, tmp_path: Path) -> None:
    bad = tmp_path / "recipe.yaml"
    bad.write_text("rules:\n- when: {field: nothing, op: '<', value: 1}\n  then: keep\n")
    for options, said in (
        ({"project": "none", "recipe": bad}, "no project"),
        ({"project": "demo", "recipe": tmp_path / "absent"}, "Cannot read"),
        ({"project": "demo", "recipe": bad}, r"rules\[0\].when.field"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("make_release", name="v1", wait=True, **options)
    with pytest.raises(CommandError, match="PROJECT/NAME"):
        call_command("export_release", "demo", format="trl_reward", to=tmp_path)
    assert not Release.objects.exists()
