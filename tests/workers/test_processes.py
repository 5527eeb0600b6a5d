"""Real Celery workers on a real broker: what a run looks like when they are killed, told to stop, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from accounts.models import Project
from curation.models import Signal
from ledger import catalogue
from ledger.models import Run, RunKind, Shard, State
from winnow.embedded.redis import EmbeddedRedis

ROOT = Path(__file__).resolve().parents[2]
FillCorpus = Callable[..., int]
pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


@dataclass
class Workers:
    """Starts workers for the test's own database, and leaves none behind."""

    environment: dict[str, str]
    log: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "winnow", "worker", "--queues", "cpu,io"]
        command += ["--pool", "solo", "--hostname", "cpu@test", "--without-gossip", "--without-mingle"]
        with self.log.open("ab") as log:
            worker = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.started.append(worker)
        return worker

    def wait_until(self, is_so: Callable[[], bool], seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s; the worker said:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    # A Unix socket path ends at about 107 bytes.
    with tempfile.TemporaryDirectory(prefix="wnw") as short:
        redis = EmbeddedRedis(data_dir=tmp_path / "redis", socket_path=Path(short) / "redis.sock")
        redis.prepare()
        broker = subprocess.Popen(redis.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = Workers(_environment(tmp_path, redis), tmp_path / "worker.log")
        try:
            found.wait_until(redis.is_alive, 10)
            yield found
        finally:
            for process in [*found.started, broker]:
                process.kill()
                process.wait()


def _environment(home: Path, redis: EmbeddedRedis) -> dict[str, str]:
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']))}"
    return os.environ | {
        "DATABASE_URL": address,
        "REDIS_URL": f"redis+socket://{redis.socket_path}",
        "WINNOW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "OMP_NUM_THREADS": "1",
    }


def _ask(project: Project, method: str) -> Run:
    """Without a message, as if the broker had lost it: the worker's own sweep must find the row."""
    return Run.objects.create(project=project, kind=RunKind.METHOD, method=method, queue="cpu", params={})


def _is(run: Run, *states: State) -> bool:
    run.refresh_from_db()
    return run.state in states


def _is_half_done(run: Run) -> bool:
    run.refresh_from_db()
    assert run.state in {State.QUEUED, State.RUNNING}, f"{run.state} too early: {run.error}"
    return run.done_items > 0


def test_a_run_survives_sigterm_and_kill_with_one_signal_per_comparison(
    project: Project, fill_corpus: FillCorpus, workers: Workers
) -> None:
    n = fill_corpus(250, words=100)
    vote, duplicates = _ask(project, "model_vote"), _ask(project, "near_duplicates")

    first = workers.start()
    workers.wait_until(lambda: _is_half_done(vote))
    asked = time.monotonic()
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=20) == 0
    assert time.monotonic() - asked < 20
    assert not Shard.objects.filter(run=vote, state=State.RUNNING).exists()
    assert not catalogue.is_served("cpu")
    so_far = Run.objects.get(id=vote.id).done_items

    second = workers.start()
    workers.wait_until(lambda: Shard.objects.filter(run=vote, state=State.RUNNING).exists())
    second.kill()
    second.wait()
    assert Run.objects.get(id=vote.id).state == State.RUNNING
    assert Run.objects.get(id=vote.id).done_items >= so_far

    workers.start()
    workers.wait_until(lambda: _is(vote, State.DONE, State.FAILED) and _is(duplicates, State.DONE, State.FAILED), 240)
    assert (vote.state, vote.error) == (State.DONE, "")
    assert (duplicates.state, duplicates.error) == (State.DONE, "")
    for run in (vote, duplicates):
        said = list(Signal.objects.filter(run=run).values_list("comparison_id", flat=True))
        assert (len(said), len(set(said))) == (n, n)
    (source,) = vote.result["sources"].values()
    assert source["n"] == n
    assert duplicates.result["n"] == n
    assert {"model_vote", "near_duplicates"} <= {entry.method for entry in catalogue.catalogue() if entry.is_alive}
