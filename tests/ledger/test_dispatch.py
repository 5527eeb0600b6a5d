"""The row comes first; the message may fail, get lost or come twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import AuditEvent, Project, User
from ledger import dispatch
from ledger.models import Run, RunKind, State
from ledger.runs import request_run
from ledger.sweep import sweep

MakeRun = Callable[..., Run]
OnCommit = Callable[..., Any]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], str]]:
    """What went to the broker; a list stands in for it, so that a test can count."""
    messages: list[tuple[str, dict[str, Any], str]] = []

    class Message:
        def __init__(self, name: str, kwargs: dict[str, Any], queue: str) -> None:
            self._message = (name, kwargs, queue)

        def delay(self) -> None:
            messages.append(self._message)

    monkeypatch.setattr(type(current_app._get_current_object()), "signature", lambda _, *a, **k: Message(*a, **k))
    return messages


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Message:
        def delay(self) -> None:
            raise OperationalError("connection refused")

    monkeypatch.setattr(type(current_app._get_current_object()), "signature", lambda _, *a, **k: Message())
    yield


def _ask(project: Project, by: User | None = None) -> Run:
    return request_run(
        project=project, kind=RunKind.METHOD, method="model_vote", queue="cpu", params={}, requested_by=by
    )


def test_the_message_carries_the_id_only_and_goes_out_on_commit(
    project: Project, sent: list[Any], django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = _ask(project)
        assert sent == []
    assert sent == [("workers.run_method", {"run_id": run.id}, "cpu")]
    run.refresh_from_db()
    assert run.sent_at


def test_a_failed_send_never_fails_the_request(
    project: Project, dead_broker: None, django_capture_on_commit_callbacks: OnCommit
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run = _ask(project)
    run.refresh_from_db()
    assert (run.state, run.sent_at) == (State.QUEUED, None)


def test_a_lost_message_is_sent_again(make_run: MakeRun, sent: list[Any], live_worker: str) -> None:
    run = make_run(sent_at=timezone.now() - timedelta(minutes=1))
    assert sweep()["sent"] == 1
    assert sent == [("workers.run_method", {"run_id": run.id}, "cpu")]


def test_a_message_on_its_way_is_not_sent_again(make_run: MakeRun, sent: list[Any], live_worker: str) -> None:
    make_run(sent_at=timezone.now() - timedelta(seconds=5))
    assert sweep()["sent"] == 0


def test_nothing_is_sent_to_a_queue_that_nobody_serves(make_run: MakeRun, sent: list[Any], live_worker: str) -> None:
    make_run(queue="gpu")
    assert sweep()["sent"] == 0


def test_a_finished_run_is_left_alone(make_run: MakeRun, sent: list[Any], live_worker: str) -> None:
    for state in (State.DONE, State.FAILED, State.CANCELLED):
        make_run(state=state)
    assert sweep() == {"freed": 0, "cancelled": 0, "sent": 0}


def test_a_long_line_of_runs_does_not_flood_the_broker(make_run: MakeRun, sent: list[Any], live_worker: str) -> None:
    for _ in range(30):
        make_run()
    assert sweep()["sent"] == 20


def test_an_unfinished_cancel_is_finished_by_the_sweeper(make_run: MakeRun) -> None:
    run = make_run(state=State.RUNNING, cancel_requested_at=timezone.now())
    assert sweep()["cancelled"] == 1
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_who_asked_is_in_the_audit_trail(project: Project, curator: User) -> None:
    run = _ask(project, by=curator)
    event = AuditEvent.objects.get(action="request run")
    assert (event.actor, event.subject_id) == (curator, str(run.id))


def test_every_kind_of_run_has_a_task() -> None:
    assert set(dispatch.TASK_NAMES) == set(RunKind)


def test_a_broker_that_is_away_holds_the_request_for_a_moment_only(make_run: MakeRun) -> None:
    """The real send, to a socket that nobody listens on."""
    started = time.monotonic()
    assert not dispatch.send(make_run())
    assert time.monotonic() - started < 2
