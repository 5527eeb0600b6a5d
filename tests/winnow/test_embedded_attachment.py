"""Processes share a cluster: the first starts it, the last stops it, and a killed one is no obstacle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from winnow.embedded.attachment import Attachment
from winnow.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
# A command that uses the cluster until its input ends.
COMMAND = "import sys; print('attached', flush=True); sys.stdin.read()"


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="winnow-shared-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cluster(home: Path) -> Iterator[EmbeddedPostgres]:
    cluster = EmbeddedPostgres(home / "data", home / "sockets", {"fsync": "off"})
    yield cluster
    cluster.stop()


def test_the_last_one_out_stops_it(home: Path, cluster: EmbeddedPostgres) -> None:
    first, second = Attachment(cluster, home / "run"), Attachment(cluster, home / "run")
    first.acquire()
    pid = cluster.pid
    second.acquire()
    assert cluster.pid == pid

    first.release()
    assert cluster.is_alive()
    second.release()
    assert not cluster.is_alive()
    assert cluster.pid is None
    assert not cluster.socket_dir.exists()


def test_two_commands_share_the_cluster_and_a_killed_one_leaves_nothing(home: Path) -> None:
    environment = os.environ | {"WINNOW_HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"}
    cluster = EmbeddedPostgres(home / "postgres" / "data", home / "unused")
    first, second = start_command(environment), start_command(environment)
    for command in (first, second):
        assert command.stdout
        assert command.stdout.readline() == "attached\n"

    finish(first)
    assert cluster.pid is not None
    second.send_signal(signal.SIGKILL)
    finish(second)

    end = time.monotonic() + 15
    while cluster.pid is not None and time.monotonic() < end:
        time.sleep(0.05)
    assert cluster.pid is None


def start_command(environment: dict[str, str]) -> subprocess.Popen[str]:
    code = "from winnow.environment import environment; from winnow.embedded.attachment import attached\n"
    code += f"with attached(environment()):\n    {COMMAND}"
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def finish(command: subprocess.Popen[str]) -> None:
    command.communicate(timeout=30)
