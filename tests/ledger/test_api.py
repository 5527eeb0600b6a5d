"""Runs over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, User
from ledger.models import Run, State

MakeRun = Callable[..., Run]


@pytest.fixture
def as_curator(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def test_a_run_tells_its_state_and_progress(as_curator: Client, make_run: MakeRun) -> None:
    run = make_run(state=State.RUNNING, done_items=5, total_items=20, stage="embedding")
    body = as_curator.get(f"/api/v1/runs/{run.id}").json()
    assert (body["id"], body["state"], body["method"]) == (run.id, "running", "model_vote")
    assert (body["progress"]["done"], body["progress"]["total"], body["progress"]["fraction"]) == (5, 20, 0.25)


def test_the_list_is_newest_first_and_its_cursor_leads_on(
    as_curator: Client, make_run: MakeRun, project: Project
) -> None:
    ids = [make_run().id for _ in range(5)]
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page: dict[str, Any] = as_curator.get(f"/api/v1/projects/{project.slug}/runs{query}").json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ids[::-1]


@pytest.mark.parametrize("query", ["?limit=0", "?limit=1001", "?cursor=nonsense"])
def test_a_bad_page_is_refused(as_curator: Client, project: Project, query: str) -> None:
    assert as_curator.get(f"/api/v1/projects/{project.slug}/runs{query}").status_code == 422


def test_cancel_answers_with_the_run_and_a_second_cancel_is_harmless(as_curator: Client, make_run: MakeRun) -> None:
    run = make_run()
    for _ in range(2):
        response = as_curator.post(f"/api/v1/runs/{run.id}/cancel")
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")


def test_a_finished_run_cannot_be_cancelled(as_curator: Client, make_run: MakeRun) -> None:
    response = as_curator.post(f"/api/v1/runs/{make_run(state=State.DONE).id}/cancel")
    assert response.status_code == 409
    assert "done already" in response.json()["error"]["message"]


def test_a_cancelled_run_can_be_resumed(as_curator: Client, make_run: MakeRun) -> None:
    response = as_curator.post(f"/api/v1/runs/{make_run(state=State.CANCELLED).id}/resume")
    assert (response.status_code, response.json()["state"]) == (200, "queued")


def test_a_missing_run_is_not_found(as_curator: Client) -> None:
    assert as_curator.get("/api/v1/runs/999999").status_code == 404


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_only_curators_see_and_steer_runs(
    client: Client, make_run: MakeRun, project: Project, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    run = make_run()
    client.force_login(request.getfixturevalue(who))
    assert client.get(f"/api/v1/runs/{run.id}").status_code == status
    assert client.get(f"/api/v1/projects/{project.slug}/runs").status_code == status
    assert client.post(f"/api/v1/runs/{run.id}/cancel").status_code == status
    assert client.post(f"/api/v1/runs/{run.id}/resume").status_code == status
    run.refresh_from_db()
    assert run.cancel_requested_at is None


def test_nobody_gets_in_without_a_login(client: Client, make_run: MakeRun) -> None:
    assert client.get(f"/api/v1/runs/{make_run().id}").status_code == 401
