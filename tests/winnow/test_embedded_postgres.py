"""The embedded cluster starts wherever a home may be, and after whatever happened to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from winnow.embedded import postgres, unprivileged
from winnow.embedded.binaries import postgres_binaries
from winnow.embedded.postgres import EmbeddedPostgres, PostgresFailed
from winnow.embedded.processes import processes_of, wait_until_gone

pytestmark = pytest.mark.processes

IS_ROOT = os.getuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, since sockets lie in it, and open to other users, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="winnow-pg-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def cluster(folder: Path) -> Iterator[EmbeddedPostgres]:
    cluster = cluster_in(folder / "a home with 'quotes\" and $dollars")
    yield cluster
    cluster.stop()


def cluster_in(home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(home / "data", home.parent / "sockets", {"fsync": "off"})


def answer_of(cluster: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(host=str(cluster.socket_dir), user="winnow", dbname="winnow") as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def test_a_cluster_heals_after_kill_9_stale_files_and_a_half_made_start(cluster: EmbeddedPostgres) -> None:
    half_made = cluster.data_dir.with_name("data.new")
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    cluster.start()
    assert answer_of(cluster, "SHOW server_encoding") == "UTF8"
    assert answer_of(cluster, "SHOW listen_addresses") == ""

    killed = cluster.pid
    assert killed
    os.kill(killed, signal.SIGKILL)
    cluster.start()
    assert cluster.pid not in {None, killed}

    cluster.stop()
    assert processes_of(cluster.data_dir) == []
    # The number in a stale pid file may be anybody's by now: here it is this test's own.
    (cluster.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data_dir}\n")
    (cluster.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n{cluster.data_dir}\n")
    cluster.start()
    assert answer_of(cluster, "SELECT 1") == 1


def test_a_second_start_attaches_and_a_lost_socket_is_made_again(
    cluster: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start()
    first = cluster.pid
    cluster_in(cluster.data_dir.parent).start()
    assert cluster.pid == first

    monkeypatch.setattr(postgres, "SECONDS_TO_ANSWER", 0.2)
    for file in cluster.socket_dir.iterdir():
        file.unlink()
    cluster.start()
    assert answer_of(cluster, "SELECT 1") == 1


def test_data_of_another_major_version_is_named(cluster: EmbeddedPostgres) -> None:
    cluster.data_dir.mkdir(parents=True)
    (cluster.data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresFailed, match=r"was written by PostgreSQL 12; here is PostgreSQL .*18"):
        cluster.start()


def test_files_that_are_no_cluster_are_left_alone(cluster: EmbeddedPostgres) -> None:
    cluster.data_dir.mkdir(parents=True)
    (cluster.data_dir / "thesis.txt").write_text("chapter one")
    with pytest.raises(PostgresFailed, match="move it away"):
        cluster.start()
    assert (cluster.data_dir / "thesis.txt").exists()


def test_a_failed_start_shows_what_the_log_says(cluster: EmbeddedPostgres) -> None:
    cluster.settings = {"work_mem": "a lot"}
    with pytest.raises(PostgresFailed, match='invalid value for parameter "work_mem"'):
        cluster.start()


def test_a_folder_of_sockets_that_is_a_strangers_is_refused(cluster: EmbeddedPostgres) -> None:
    if not IS_ROOT:
        pytest.skip("only root can give a folder away")
    cluster.socket_dir.mkdir()
    os.chown(cluster.socket_dir, 12345, 12345)
    with pytest.raises(PostgresFailed, match="belongs to another user"):
        cluster.start()


def test_root_without_user_namespaces_uses_another_user(
    cluster: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not IS_ROOT:
        pytest.skip("PostgreSQL refuses root only")
    monkeypatch.setattr(unprivileged, "namespaces_are_allowed", lambda: False)
    stand_in = unprivileged.identity_for(cluster.data_dir)
    if not may_enter(stand_in, max(postgres_binaries().items())[1] / "postgres"):
        pytest.skip("the virtual environment is closed to other users here")

    cluster.start()

    assert cluster.pid
    assert Path(f"/proc/{cluster.pid}").stat().st_uid == stand_in.user
    assert answer_of(cluster, "SELECT 1") == 1
    cluster.stop()
    # Where namespaces are allowed again, the data still belongs to that user, and works.
    monkeypatch.undo()
    cluster.start()
    assert answer_of(cluster, "SELECT 1") == 1


def test_root_is_told_when_the_other_user_may_not_come_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not IS_ROOT:
        pytest.skip("PostgreSQL refuses root only")
    monkeypatch.setattr(unprivileged, "namespaces_are_allowed", lambda: False)
    folder.chmod(0o700)
    with pytest.raises(PostgresFailed, match=r"may not enter .*DATABASE_URL"):
        cluster_in(folder / "home").start()


def test_a_backend_that_outlives_its_postmaster_is_no_obstacle(cluster: EmbeddedPostgres) -> None:
    cluster.start()
    busy = psycopg.connect(host=str(cluster.socket_dir), user="winnow", dbname="winnow", autocommit=True)
    postmaster = cluster.pid
    assert postmaster
    backend = busy.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    os.kill(postmaster, signal.SIGKILL)

    cluster.start()

    assert answer_of(cluster, "SELECT 1") == 1
    assert wait_until_gone([backend], 1.0)
    busy.close()


def may_enter(identity: unprivileged.Identity, path: Path) -> bool:
    command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    done = subprocess.run(command, user=identity.user, group=identity.group, extra_groups=[], cwd="/")
    return done.returncode == 0
