"""`manage.py up` as an operator meets it: it heals its parts, ends cleanly, and starts again after anything."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from winnow.embedded.processes import is_running, processes_of

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_STOP = 20
PARTS = ("postgres", "redis", "web", "worker-cpu", "worker-io", "beat")


@dataclass
class Up:
    """One `up` process, and what it says."""

    home: Path
    port: int
    python: list[str]
    environment: dict[str, str]
    user: int | None = None
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def said(self) -> str:
        return (self.home.parent / "up.out").read_text()

    def start(self, *arguments: str) -> Up:
        with open(self.home.parent / "up.out", "w") as out:
            self.process = subprocess.Popen(
                [*self.python, str(ROOT / "manage.py"), "up", *arguments],
                env=self.environment, stdout=out, stderr=out, cwd="/", user=self.user, group=self.user,
                extra_groups=None if self.user is None else [],
            )  # fmt: skip
        return self

    def status(self, path: str) -> int | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5).status_code
        except httpx.TransportError:
            return None

    def wait_for_page(self, path: str) -> None:
        wait_until(lambda: self.status(path) == 200, 60, lambda: f"{path} did not answer: {self.said}")

    def pids_of(self, part: str) -> list[int]:
        return [int(pid) for pid in re.findall(rf" {part}: (?:starting|running) \(pid (\d+)\)", self.said)]

    def running_pid(self, part: str) -> int:
        wait_until(
            lambda: bool(re.search(rf" {part}: running \(pid \d+\)", self.said)), 30, lambda: f"{part}: {self.said}"
        )
        return self.pids_of(part)[-1]

    def kill_and_wait(self, part: str) -> None:
        killed = self.running_pid(part)
        os.kill(killed, signal.SIGKILL)
        wait_until(
            lambda: self.pids_of(part)[-1] != killed and is_running(self.pids_of(part)[-1]),
            30,
            lambda: f"{part} was not started again: {self.said}",
        )

    def left_behind(self) -> list[str]:
        """The command lines of processes of this home."""
        marks = (f"WINNOW_HOME={self.home}\0".encode(), f"{self.home}".encode())
        found = [f"postgres {pid}" for pid in processes_of(self.home / "postgres" / "data")]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name != str(os.getpid()):
                try:
                    command = (entry / "cmdline").read_bytes()
                    if any(mark in command + (entry / "environ").read_bytes() for mark in marks):
                        found.append(command.replace(b"\0", b" ").decode())
                except OSError:
                    continue
        return found

    def stop(self) -> float:
        """Seconds from SIGTERM to the end."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(SECONDS_TO_STOP + 10)
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def wait_until(is_so: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            pytest.fail(what())
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def environment_for(home: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WINNOW_", "DJANGO_", "PYTEST_"))}
    return kept | {"WINNOW_HOME": str(home), "WINNOW_PORT": str(port)}


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="winnow up "))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    home, port = folder / "a home with 'quotes'", free_port()
    up = Up(home, port, [sys.executable], environment_for(home, port))
    yield up
    if hasattr(up, "process") and up.process.poll() is None:
        up.kill()


def test_every_part_that_is_killed_comes_back_and_sigterm_ends_all(up: Up) -> None:
    up.start()
    up.wait_for_page("/readyz")

    second = subprocess.run(
        [*up.python, str(ROOT / "manage.py"), "up"], env=up.environment, capture_output=True, text=True, timeout=30
    )
    assert second.returncode == 1
    assert f"already runs on {up.home}: http://127.0.0.1:{up.port} (pid {up.process.pid})" in second.stderr

    for part in PARTS:
        up.kill_and_wait(part)
    up.wait_for_page("/healthz")
    up.wait_for_page("/readyz")

    assert up.stop() < SECONDS_TO_STOP
    assert up.process.returncode == 0, up.said
    assert up.left_behind() == []
    assert up.status("/healthz") is None


def test_after_kill_9_nothing_is_left_and_the_same_home_starts_again(up: Up) -> None:
    up.start()
    up.wait_for_page("/healthz")
    up.kill()
    wait_until(lambda: up.left_behind() == [], 15, lambda: f"left behind: {up.left_behind()}")
    assert list(Path("/tmp").glob(f"winnow-*-{home_digest(up.home)}")) == []

    # As kill -9 of everything at once leaves it, its number taken by another process since.
    (up.home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    up.start()
    up.wait_for_page("/healthz")

    # Work in progress does not hold up the end, nor a worker that takes no signal.
    os.kill(up.running_pid("worker-cpu"), signal.SIGSTOP)
    [sockets] = Path("/tmp").glob(f"winnow-{os.getuid()}-{home_digest(up.home)}")
    connection = psycopg.connect(host=str(sockets), user="winnow", dbname="winnow")
    connection.execute("CREATE TABLE held (n int)")
    assert up.stop() < SECONDS_TO_STOP
    assert up.left_behind() == []
    connection.close()


def test_an_ordinary_user_runs_it_in_a_folder_of_their_own(folder: Path) -> None:
    user, python, packages = ordinary_user()
    home, port = folder / "home", free_port()
    os.chown(folder, user.pw_uid, user.pw_gid)
    environment = environment_for(home, port) | {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": packages}
    up = Up(home, port, [python], environment, user=user.pw_uid).start()
    try:
        up.wait_for_page("/healthz")
        assert Path(f"/proc/{up.running_pid('postgres')}").stat().st_uid == user.pw_uid
        assert up.stop() < SECONDS_TO_STOP
        assert up.left_behind() == []
    finally:
        up.kill()


def test_a_port_that_was_asked_for_and_is_busy_is_named(up: Up) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", up.port))
        other.listen()
        up.start()
        assert up.process.wait(60) == 1
    assert f"Port {up.port} (WINNOW_PORT) is used by another program" in up.said
    assert up.left_behind() == []


def home_digest(home: Path) -> str:
    return hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]


def ordinary_user() -> tuple[pwd.struct_passwd, str, str]:
    """A user without rights, a Python it may run, and where our packages are for it."""
    if os.getuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    user = pwd.getpwnam("nobody")
    packages = str(Path(httpx.__file__).parents[1])
    code = "import sys, django, psycopg, redis.asyncio; assert sys.version_info[:2] == (3, 11)"
    for python in (sys.executable, "/usr/bin/python3.11", "/usr/bin/python3", "/usr/local/bin/python3.11"):
        try:
            done = subprocess.run(
                [python, "-c", code], env={"PYTHONPATH": packages}, user=user.pw_uid, group=user.pw_gid,
                extra_groups=[], cwd="/", capture_output=True,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0:
            return user, python, packages
    pytest.skip("the user nobody finds no Python 3.11 that reads this virtual environment")
