"""An import that is killed in the middle loses nothing, and a second one completes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Project
from corpus.models import Comparison, Response
from tests.corpus.rows import pair
from winnow.environment import ROOT

ROWS = 30_000


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_and_once_more(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    with path.open("w") as file:
        for number in range(ROWS):
            file.write(
                json.dumps(pair(prompt=f"p{number}", a=f"a{number}" * 50, b=f"b{number}" * 50, label="a")) + "\n"
            )
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(path)]
    environment = os.environ | {"TEST_DATABASE": str(connection.settings_dict["NAME"])}
    first = subprocess.Popen(command, cwd=ROOT, env=environment)
    while not 0 < Comparison.objects.count() < ROWS:
        assert first.poll() is None, "it was over before it could be killed"
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    partial = Comparison.objects.count()
    assert 0 < partial < ROWS
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert Comparison.objects.count() == ROWS
    assert Response.objects.count() == 2 * ROWS
    assert Project.objects.get(slug="killed").runs.count() == 2


CODE = """
import os, sys
sys.path.insert(1, "platform")
os.environ["DJANGO_SETTINGS_MODULE"] = "winnow.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
import django
django.setup()
from django.core.management import call_command
call_command("import_data", sys.argv[1], project="killed")
"""
