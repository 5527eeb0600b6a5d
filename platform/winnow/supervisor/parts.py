"""The parts of the process tree and the command line of each."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from winnow.embedded.redis import redis_of
from winnow.environment import ROOT, Environment
from winnow.supervisor.part import Part

# What `winnow[workers]` brings beyond the web part.
WORKER_PACKAGES = ("torch", "transformers", "sentence_transformers", "faiss", "sklearn", "scipy")
WEB_CONNECTIONS = "8"


def missing_worker_packages() -> list[str]:
    return [name for name in WORKER_PACKAGES if importlib.util.find_spec(name) is None]


def redis_part(env: Environment) -> Part:
    redis = redis_of(env)
    return Part(
        "redis", redis.command(), env.logs_dir / "redis.log", _environment(env),
        answers=redis.is_alive, prepare=redis.prepare,
    )  # fmt: skip


def web_part(env: Environment, listener: socket.socket) -> Part:
    command = [sys.executable, "-m", "gunicorn", "--config", "python:winnow.web_server"]
    command += ["--bind", f"fd://{listener.fileno()}", "winnow.wsgi:application"]
    # Its threads share connections; everyone else keeps one of its own.
    pool = os.environ.get("WINNOW_DATABASE_POOL_SIZE") or WEB_CONNECTIONS
    port = listener.getsockname()[1]
    return Part(
        "web", command, env.logs_dir / "web.log", _environment(env) | {"WINNOW_DATABASE_POOL_SIZE": pool},
        answers=lambda: status_of(env, port, "/healthz") is not None, file_descriptors=(listener.fileno(),),
    )  # fmt: skip


def worker_parts(env: Environment) -> list[Part]:
    """Somebody must take the gpu queue: a worker of its own beside a GPU, else the one for cpu."""
    io = worker_part(env, "io", "io")
    if missing_worker_packages():
        return [io]
    if has_nvidia_device():
        return [worker_part(env, "cpu", "cpu", niceness=10), worker_part(env, "gpu", "gpu", niceness=10), io]
    return [worker_part(env, "cpu", "cpu,gpu", niceness=10), io]


def worker_part(env: Environment, name: str, queues: str, *, niceness: int = 0) -> Part:
    command = [sys.executable, "-m", "celery", "-A", "winnow", "worker", "--queues", queues, "--hostname", f"{name}@%h"]
    command += ["--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    return Part(f"worker-{name}", command, env.logs_dir / f"worker-{name}.log", _environment(env), niceness=niceness)


def beat_part(env: Environment) -> Part:
    # No pid file: a stale one would keep it from starting.
    command = [sys.executable, "-m", "celery", "-A", "winnow", "beat", "--pidfile", "", "--loglevel", "WARNING"]
    command += ["--schedule", str(env.run_dir / "beat-schedule")]
    return Part("beat", command, env.logs_dir / "beat.log", _environment(env))


def has_nvidia_device() -> bool:
    return Path("/dev/nvidia0").exists()


def status_of(env: Environment, port: int, path: str) -> int | None:
    """The HTTP status of one of our own pages, None while nobody answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(env.host, env.host)  # noqa: S104 - asked, not bound
    connection = HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", path, headers={"Host": _name_we_answer_to(env)})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _name_we_answer_to(env: Environment) -> str:
    # "*" answers to any name, ".example.org" to its subdomains.
    return env.hosts[0].replace("*", "localhost").lstrip(".")


def _environment(env: Environment) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "WINNOW_DATABASE_POOL_SIZE"}
    paths = [str(ROOT), str(ROOT / "platform"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return inherited | {
        "WINNOW_HOME": str(env.home),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "winnow.settings",
    }
