"""The pytest plugin: one embedded PostgreSQL for a test session, in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if not IS_XDIST_WORKER:
    # Before Django reads its settings; xdist workers inherit it and share the cluster.
    os.environ["WINNOW_HOME"] = tempfile.mkdtemp(prefix="winnow-tests-")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)

# Playwright's synchronous API runs an event loop in the test's own thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not IS_XDIST_WORKER and not config.option.collectonly:
        _cluster().start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not IS_XDIST_WORKER:
        cluster = _cluster()
        cluster.stop()
        shutil.rmtree(cluster.socket_dir, ignore_errors=True)
        shutil.rmtree(os.environ["WINNOW_HOME"], ignore_errors=True)


def _cluster() -> EmbeddedPostgres:
    from winnow.environment import environment

    env = environment()
    return EmbeddedPostgres(data_dir=Path(env.home) / "postgres" / "data", socket_dir=env.socket_dir)


from winnow.embedded.postgres import EmbeddedPostgres  # noqa: E402 - the environment comes first
