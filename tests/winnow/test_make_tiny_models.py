from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Project
from corpus import sample
from corpus.models import Comparison
from ledger.models import Run, State

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "--param=hidden=32",
    "--param=layers=1",
    "--param=context=256",
    "--param=weak_tokens=3000",
    "--param=strong_tokens=3000",
]


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_one_command_makes_both_toys_where_no_worker_lives(project: Project, tmp_path: Path) -> None:
    database = connection.settings_dict
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@/{database['NAME']}?host={quote(str(database['HOST']))}",
        "REDIS_URL": "redis://127.0.0.1:1",
        "WINNOW_HOME": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "make_tiny_models", *SMALL]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    # The demo project is where the sample is, and it had none yet.
    run = Run.objects.get(method="tiny_models")
    assert (run.project, run.state) == (project, State.DONE)
    assert run.result["n"] == Comparison.objects.filter(project=project).count()
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["toy-strong", "toy-weak"]
    assert re.search(r"Agreement with \d+ held-out labels: density ratio 0\.\d+ \(", done.stdout)
    assert "--param strong=toy-strong --param weak=toy-weak" in done.stdout
    assert "They are toys" in done.stdout


def test_an_unknown_project_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="There is no project 'nobody'"):
        call_command("make_tiny_models", project="nobody")


def test_a_parameter_that_is_no_number_is_refused_before_anything_is_made(db: None) -> None:
    with pytest.raises(CommandError, match="Write --param KEY=NUMBER, not 'hidden=large'"):
        call_command("make_tiny_models", param=["hidden=large"])
    assert not Project.objects.filter(slug=sample.SOURCE).exists()
