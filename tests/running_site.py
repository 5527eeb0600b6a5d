"""A whole site as `manage.py up` runs it: PostgreSQL, Redis, web, workers and beat, in a home of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_START = 120
SECONDS_TO_STOP = 20


@dataclass(frozen=True)
class Site:
    url: str
    home: Path
    environment: dict[str, str]
    email: str
    password: str
    api: httpx.Client

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )

    def wait_for_run(self, run_id: int, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run: dict[str, Any] = self.api.get(f"/runs/{run_id}").raise_for_status().json()
            if run["state"] in {"done", "failed", "cancelled"}:
                return run
            time.sleep(0.3)
        pytest.fail(f"run {run_id} did not end in {seconds} s: {run}")


@contextmanager
def running_site(*arguments: str) -> Iterator[Site]:
    """`manage.py up`, with a superuser and a token of theirs."""
    # A space, since a home folder may have one.
    home = Path(tempfile.mkdtemp(prefix="winnow site "))
    port = _free_port()
    environment = {
        **os.environ,
        "WINNOW_HOME": str(home),
        "WINNOW_PORT": str(port),
        "DJANGO_SUPERUSER_EMAIL": "root@example.org",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse battery",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    command = [sys.executable, str(ROOT / "manage.py"), "up", *arguments]
    with open(home / "up.log", "w") as log:
        up = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    site = Site(
        url=f"http://127.0.0.1:{port}",
        home=home,
        environment=environment,
        email="root@example.org",
        password="correct horse battery",
        api=httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60),
    )
    try:
        _wait_until_ready(site, up)
        site.manage("createsuperuser", "--noinput")
        site.api.headers["Authorization"] = f"Bearer {site.manage('create_token', site.email).stdout.strip()}"
        yield site
    finally:
        up.send_signal(signal.SIGTERM)
        try:
            up.wait(SECONDS_TO_STOP)
        finally:
            up.kill()
            rmtree(home, ignore_errors=True)


def _wait_until_ready(site: Site, up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if up.poll() is not None:
            break
        try:
            if httpx.get(f"{site.url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    pytest.fail(f"`up` did not become ready: {(site.home / 'up.log').read_text()[-4000:]}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
