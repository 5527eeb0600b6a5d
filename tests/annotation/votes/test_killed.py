"""An import of votes that is killed in the middle loses nothing and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import F, Sum

from annotation.models import Campaign, Consensus, Judgment, Task
from corpus.models import Comparison
from tests.annotation.votes.files import lines, vote
from winnow.environment import ROOT

PAIRS, PEOPLE = 8_000, 3


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_kill_9_in_the_middle_and_once_more(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(
        lines(*(vote(f"w{person}", prompt=f"p{pair}") for pair in range(PAIRS) for person in range(PEOPLE)))
    )
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(path)]
    environment = os.environ | {"TEST_DATABASE": str(connection.settings_dict["NAME"])}
    first = subprocess.Popen(command, cwd=ROOT, env=environment)
    while not 0 < Judgment.objects.count() < PAIRS * PEOPLE:
        assert first.poll() is None, "it was over before it could be killed"
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert 0 < Judgment.objects.count() < PAIRS * PEOPLE
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert Judgment.objects.count() == PAIRS * PEOPLE
    assert Comparison.objects.count() == Task.objects.count() == Consensus.objects.count() == PAIRS
    assert not Task.objects.exclude(cap=PEOPLE, judged=F("cap")).exists()
    campaign = Campaign.objects.get()
    assert (campaign.task_count, campaign.overlap) == (PAIRS, PEOPLE)
    assert Consensus.objects.aggregate(votes=Sum("votes"))["votes"] == PAIRS * PEOPLE


CODE = """
import os, sys
sys.path.insert(1, "platform")
os.environ["DJANGO_SETTINGS_MODULE"] = "winnow.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
import django
django.setup()
from django.core.management import call_command
call_command("import_votes", sys.argv[1], project="killed", campaign="Many")
"""
