"""Is it alive, is it ready, and who may read the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Scope, User
from ledger.models import MethodCard, Worker

ELSEWHERE = "203.0.113.7"


def _worker(name: str, *queues: str, seconds_ago: int = 0) -> Worker:
    seen = timezone.now() - timedelta(seconds=seconds_ago)
    return Worker.objects.create(name=name, queues=list(queues), code_version="test", heartbeat_at=seen)


def _card(worker: Worker) -> None:
    MethodCard.objects.create(
        worker=worker, method="x", label="X", queue="cpu", shape="map", documentation="x", code_version="test"
    )


def test_alive_asks_nothing_of_the_database(client: Client, django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_once_the_catalogue_is_published_and_cpu_and_io_live(client: Client, db: None) -> None:
    _card(_worker("one", "cpu"))
    _worker("two", "io")
    answer = client.get("/readyz")
    assert answer.status_code == 200 and answer.json() == {"ready": True, "missing": []}


def test_not_ready_names_what_is_missing(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["ready"] is False
    text = " ".join(answer.json()["missing"])
    assert "catalogue" in text and "queue cpu" in text and "queue io" in text


def test_a_worker_that_was_not_heard_of_for_long_does_not_count(client: Client, db: None) -> None:
    _card(_worker("one", "cpu", "io", seconds_ago=3600))
    assert client.get("/readyz").status_code == 503


def test_a_database_without_tables_is_not_ready(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("winnow.health._is_migrated", lambda: False)
    assert "migrate" in client.get("/readyz").json()["missing"][0]


def test_a_database_that_is_away_is_said_in_a_word(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        raise OperationalError("gone")

    monkeypatch.setattr("winnow.health._is_migrated", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["missing"] == ["database: it does not answer"]


def test_the_figures_are_cheap_and_in_prometheus_text(client: Client, db: None) -> None:
    _worker("one", "cpu", "io")
    with CaptureQueriesContext(connection) as queries:
        text = client.get("/metrics").content.decode()
    assert 'winnow_live_workers{queue="cpu"} 1.0' in text
    assert 'winnow_runs{state="running"} 0.0' in text and "winnow_judgments_estimate" in text
    assert len(queries) <= 3


def test_the_figures_are_for_this_machine_and_for_operators(
    client: Client, owner: User, bearer: Callable[..., dict[str, str]]
) -> None:
    outside = Client(REMOTE_ADDR=ELSEWHERE)
    assert outside.get("/metrics").status_code == 404
    assert outside.get("/metrics", headers=bearer(owner)).status_code == 404
    assert outside.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": ELSEWHERE}).status_code == 404
    owner.is_superuser = True
    owner.save()
    assert outside.get("/metrics", headers=bearer(owner)).status_code == 200
    assert outside.get("/metrics", headers=bearer(owner, Scope.READ)).status_code == 404
    outside.force_login(owner)
    assert outside.get("/metrics").status_code == 200
