"""How gunicorn serves Winnow: `gunicorn --config python:winnow.web_server winnow.wsgi:application`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from winnow.environment import environment
from winnow.supervisor.lifeline import die_with

_env = environment()

bind = f"{_env.host}:{_env.port}"
workers = _env.web_processes
worker_class = "gthread"
threads = _env.web_threads
# A worker says that it lives from another thread, so a long export does not count as hanging.
timeout = 60
graceful_timeout = 5
keepalive = 20
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own file there
control_socket_disable = True


def post_fork(arbiter: Any, worker: Any) -> None:
    """A killed master takes its workers along, so that its successor finds the port free."""
    die_with(arbiter.pid)
