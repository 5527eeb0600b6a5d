"""A run is done by whoever holds its lease, and ends in exactly one state."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.problems import Invalid
from ledger import shards
from ledger.execute import Job, execute, execute_job
from ledger.models import Run, Shard, State
from ledger.reporter import Reporter, stop_requested
from ledger.runs import request_cancel, resume_run
from ledger.sweep import free_shards, sweep

MakeRun = Callable[..., Run]


def _counting(calls: list[int], pieces: int = 3) -> Job:
    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        calls.append(shard.position)
        reporter.progress(1, None, "counting")
        return lambda: {"position": shard.position}

    return Job(
        plan=lambda run: [shards.Draft(items=1) for _ in range(pieces)],
        work=work,
        conclude=lambda run: {"shards": run.shards.count()},
    )


def test_a_run_of_one_piece_ends_done_with_its_result(make_run: MakeRun) -> None:
    run = make_run()
    execute(run.id, lambda run, reporter: {"accepted": 3}, owner="me")
    run.refresh_from_db()
    assert (run.state, run.result) == (State.DONE, {"accepted": 3})
    assert run.started_at and run.finished_at


def test_a_message_that_comes_twice_changes_nothing(make_run: MakeRun) -> None:
    run, calls = make_run(), [0]

    def work(run: Run, reporter: Reporter) -> dict[str, Any]:
        calls[0] += 1
        return {}

    execute(run.id, work, owner="me")
    execute(run.id, work, owner="another")
    assert calls == [1]


def test_a_message_for_a_run_that_is_gone_is_harmless(db: None) -> None:
    execute(12345, lambda run, reporter: {}, owner="me")


def test_an_error_fails_the_run_with_its_text(make_run: MakeRun) -> None:
    run = make_run()
    execute(run.id, lambda run, reporter: dict[str, Any]()["rows"], owner="me")
    run.refresh_from_db()
    assert (run.state, run.error) == (State.FAILED, "KeyError: 'rows'")


def test_a_problem_fails_the_run_with_its_sentence(make_run: MakeRun) -> None:
    def work(run: Run, reporter: Reporter) -> dict[str, Any]:
        raise Invalid("There is no model in 'x'.")

    run = make_run()
    execute(run.id, work, owner="me")
    run.refresh_from_db()
    assert (run.state, run.error) == (State.FAILED, "There is no model in 'x'.")


def test_shards_are_done_once_each_and_progress_ends_full(make_run: MakeRun) -> None:
    run, calls = make_run(), list[int]()
    execute_job(run.id, _counting(calls), owner="me")
    run.refresh_from_db()
    assert calls == [0, 1, 2]
    assert (run.state, run.result, run.done_items, run.total_items) == (State.DONE, {"shards": 3}, 3, 3)


def test_a_later_stage_begins_when_the_earlier_is_done(make_run: MakeRun) -> None:
    run, order = make_run(), list[int]()

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        order.append(shard.stage)
        return dict

    drafts = [shards.Draft(stage=1, items=1), shards.Draft(items=1), shards.Draft(items=1)]
    execute_job(run.id, Job(plan=lambda run: drafts, work=work, conclude=lambda run: {}), owner="me")
    assert order == [0, 0, 1]


def test_a_shard_is_tried_again_up_to_the_cap_and_keeps_the_last_error(make_run: MakeRun) -> None:
    run, tries = make_run(), list[int]()

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        tries.append(1)
        raise ValueError(f"try {len(tries)}")

    job = Job(plan=lambda run: [shards.Draft(items=1)], work=work, conclude=lambda run: {})
    execute_job(run.id, job, owner="me")
    run.refresh_from_db()
    assert len(tries) == shards.MAX_ATTEMPTS
    assert (run.state, run.error) == (State.FAILED, f"ValueError: try {shards.MAX_ATTEMPTS}")


def test_a_failed_run_resumes_without_what_is_done(make_run: MakeRun) -> None:
    run, calls, is_broken = make_run(), list[int](), [True]

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        if shard.position == 1 and is_broken[0]:
            raise Invalid("The disk is full.")
        calls.append(shard.position)
        return dict

    job = Job(plan=lambda run: [shards.Draft(items=1)] * 3, work=work, conclude=lambda run: {})
    execute_job(run.id, job, owner="me")
    is_broken[0] = False
    resume_run(run=run, by=None)
    execute_job(run.id, job, owner="me")
    run.refresh_from_db()
    assert run.state == State.DONE
    assert calls == [0, 1, 2]


def test_cancel_stops_work_at_its_next_batch(make_run: MakeRun) -> None:
    run, batches = make_run(), list[int]()

    def work(run: Run, reporter: Reporter) -> dict[str, Any]:
        for batch in range(100):
            reporter.check_cancelled()
            batches.append(batch)
            if batch == 2:
                request_cancel(run=run, by=None)
            reporter.progress(batch, 100, f"batch {batch}")
        return {}

    execute(run.id, work, owner="me")
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert batches == [0, 1, 2]


def test_a_queued_run_is_cancelled_at_once_and_never_starts(make_run: MakeRun) -> None:
    run, calls = make_run(), list[int]()
    assert request_cancel(run=run, by=None).state == State.CANCELLED
    execute_job(run.id, _counting(calls), owner="me")
    assert calls == []


def test_a_process_that_must_end_hands_its_shard_back(make_run: MakeRun) -> None:
    run = make_run()

    def work(run: Run, reporter: Reporter) -> dict[str, Any]:
        stop_requested.set()
        reporter.check_cancelled()
        return {}

    try:
        execute(run.id, work, owner="me")
    finally:
        stop_requested.clear()
    shard = Shard.objects.get(run=run)
    assert (shard.state, shard.attempts, shard.lease_token) == (State.QUEUED, 0, None)
    execute(run.id, lambda run, reporter: {"done": True}, owner="another")
    run.refresh_from_db()
    assert run.state == State.DONE


def test_who_lost_the_lease_writes_nothing(make_run: MakeRun) -> None:
    run, written = make_run(), list[str]()

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        Shard.objects.filter(id=shard.id).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        sweep()
        taken = shards.claim(run_id=run.id, owner="another")
        assert taken is not None
        return lambda: written.append("late") or {}  # type: ignore[func-returns-value]  # append says nothing

    execute_job(run.id, Job(plan=lambda run: [shards.Draft()], work=work, conclude=lambda run: {}), owner="me")
    assert written == []
    assert Shard.objects.get(run=run).owner == "another"


def test_a_lease_that_expires_is_freed_and_the_run_goes_on(make_run: MakeRun) -> None:
    run, calls = make_run(), list[int]()
    job = _counting(calls)
    shards.plan(run=run, drafts=job.plan)
    assert shards.claim(run_id=run.id, owner="dead") is not None
    assert sweep()["freed"] == 0
    Shard.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert sweep()["freed"] == 1
    execute_job(run.id, job, owner="me")
    run.refresh_from_db()
    assert run.state == State.DONE
    assert sorted(calls) == [0, 1, 2]


def test_a_shard_that_kills_its_workers_fails_the_run_in_the_end(make_run: MakeRun) -> None:
    run = make_run()
    shards.plan(run=run, drafts=lambda run: [shards.Draft()])
    for _ in range(shards.MAX_ATTEMPTS):
        assert shards.claim(run_id=run.id, owner="dead") is not None
        Shard.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        sweep()
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "was lost" in run.error


def test_a_database_that_is_away_for_a_moment_costs_an_attempt_only(make_run: MakeRun) -> None:
    run, tries = make_run(), list[int]()

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("the server closed the connection")
        return dict

    job = Job(plan=lambda run: [shards.Draft(items=1)], work=work, conclude=lambda run: {})
    execute_job(run.id, job, owner="me")
    run.refresh_from_db()
    assert run.state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_hold_the_same_shard(make_run: MakeRun) -> None:
    run, calls = make_run(), list[int]()
    job = _counting(calls, pieces=40)

    def worker() -> None:
        execute_job(run.id, job, owner=threading.current_thread().name)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    run.refresh_from_db()
    assert sorted(calls) == list(range(40))
    assert run.state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_keeps_the_lease_and_hears_the_cancel(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.execute.SECONDS_BETWEEN_BEATS", 0.05)
    run = make_run()

    def work(run: Run, shard: Shard, reporter: Reporter) -> Callable[[], dict[str, Any]]:
        Shard.objects.filter(id=shard.id).update(lease_expires_at=timezone.now())
        Run.objects.filter(id=run.id).update(cancel_requested_at=timezone.now())
        threading.Event().wait(0.5)
        assert Shard.objects.get(id=shard.id).lease_expires_at > timezone.now()  # type: ignore[operator]  # set above
        reporter.check_cancelled()
        return dict

    execute_job(run.id, Job(plan=lambda run: [shards.Draft()], work=work, conclude=lambda run: {}), owner="me")
    run.refresh_from_db()
    assert run.state == State.CANCELLED


def test_a_worker_under_the_same_name_takes_over_at_once(make_run: MakeRun) -> None:
    from django.db.models import Q

    run = make_run()
    shards.plan(run=run, drafts=lambda run: [shards.Draft()])
    shards.claim(run_id=run.id, owner="cpu@here")
    assert free_shards(Q(owner="cpu@here")) == 1
    assert shards.claim(run_id=run.id, owner="cpu@here") is not None


def test_progress_never_goes_back(make_run: MakeRun) -> None:
    run, seen = make_run(), list[int]()

    def work(run: Run, reporter: Reporter) -> dict[str, Any]:
        for done in (5, 3, 8):
            reporter.progress(done, 10, f"at {done}")
            run.refresh_from_db()
            seen.append(run.done_items)
        return {}

    execute(run.id, work, owner="me")
    assert seen == [5, 5, 8]
