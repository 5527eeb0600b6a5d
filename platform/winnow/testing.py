"""The pytest plugin: one embedded PostgreSQL for a test session, in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

if not IS_XDIST_WORKER:
    # Before Django reads its settings; xdist workers inherit it and share the cluster.
    os.environ["WINNOW_HOME"] = tempfile.mkdtemp(prefix="winnow-tests-")
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)

# Playwright's synchronous API runs an event loop in the test's own thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


# What a crash would lose does not matter here, and every write is faster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_attachments: list[Attachment] = []


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if not IS_XDIST_WORKER and not config.option.collectonly:
        env = environment()
        cluster = cluster_of(env)
        cluster.settings = FAST
        attachment = Attachment(cluster, env.run_dir)
        attachment.acquire()
        _attachments.append(attachment)


def pytest_unconfigure(config: pytest.Config) -> None:
    while _attachments:
        _attachments.pop().release()
    if not IS_XDIST_WORKER:
        shutil.rmtree(os.environ["WINNOW_HOME"], ignore_errors=True)


from winnow.embedded.attachment import Attachment, cluster_of  # noqa: E402 - the environment comes first
from winnow.environment import environment  # noqa: E402
