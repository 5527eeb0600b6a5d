"""A writer that is killed in mid-run, at any moment, leaves nothing half and nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Project
from corpus.models import Response
from curation.models import Score
from ledger.models import Run, RunKind, Shard, State
from tests.workers.tiny_chat import make_chat
from workers import tasks

ROOT = Path(__file__).resolve().parents[2]
FillCorpus = Callable[..., int]
pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]


def test_kill_9_and_again_doubles_nothing(
    project: Project, fill_corpus: FillCorpus, tmp_path: Path, settings: Settings
) -> None:
    settings.WINNOW_HOME = tmp_path
    fill_corpus(40)
    writer = make_chat(tmp_path / "writer", seed=2)
    params = {"model": str(writer), "n": 2, "max_tokens": 24, "temperature": 1.3}
    run = Run.objects.create(
        project=project, kind=RunKind.METHOD, method="sample_responses", queue="cpu", params=params
    )
    before = Response.objects.count()
    _start_and_kill(run, tmp_path)
    done = Shard.objects.filter(run=run, state=State.DONE).count()
    assert 1 <= done < 3, "killed too early or too late to tell"
    kept = sum(shard.result["new"] for shard in Shard.objects.filter(run=run, state=State.DONE))
    assert Response.objects.count() - before == kept
    Shard.objects.filter(run=run, state=State.RUNNING).update(lease_expires_at=timezone.now())
    tasks.run_method.apply(kwargs={"run_id": run.pk})
    run.refresh_from_db()
    assert run.state == State.DONE and run.result["prompts"] == 40 and run.result["written"] == 80
    assert Response.objects.count() - before == run.result["new"]
    copies = sum(Score.objects.filter(run=run, name="copies").values_list("value", flat=True))
    assert copies == run.result["new"] + run.result["repeated"]


def _start_and_kill(run: Run, home: Path) -> None:
    """In a process of its own, which dies as soon as its first piece is done."""
    with (home / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "workers.here", str(run.pk)],
            cwd=ROOT,
            env=_environment(home),
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 120
            while not Shard.objects.filter(run=run, state=State.DONE).exists():
                assert worker.poll() is None and time.monotonic() < deadline, (home / "log").read_text()[-3000:]
                time.sleep(0.02)
        finally:
            worker.kill()
            worker.wait()


def _environment(home: Path) -> dict[str, str]:
    database = connection.settings_dict
    address = f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']))}"
    return os.environ | {
        "DATABASE_URL": address,
        "DJANGO_SETTINGS_MODULE": "winnow.settings",
        "WINNOW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "OMP_NUM_THREADS": "1",
    }
