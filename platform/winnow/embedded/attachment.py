"""Every command shares the cluster of WINNOW_HOME: the first starts it, the last stops it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from winnow.embedded.locks import EXCLUSIVE, SHARED, FileLock
from winnow.embedded.postgres import EmbeddedPostgres, PostgresFailed
from winnow.environment import ROOT, Environment

# A process that waits for hours should be small: not the Django project, whose package brings Celery along.
KEEPER = """
import sys, types
house = types.ModuleType("winnow")
house.__path__ = [sys.argv[1]]
sys.modules["winnow"] = house
from winnow.embedded.keeper import main
main(sys.argv[2:])
"""


def cluster_of(env: Environment) -> EmbeddedPostgres:
    return EmbeddedPostgres(data_dir=env.home / "postgres" / "data", socket_dir=env.socket_dir)


class Attachment:
    """One process's use of a cluster, from `acquire` to `release` or to its death."""

    def __init__(self, cluster: EmbeddedPostgres, run_dir: Path) -> None:
        self.cluster = cluster
        self._users_path = run_dir / "users.lock"
        self._keeper_path = run_dir / "keeper.lock"
        self._users: FileLock | None = None

    def acquire(self) -> None:
        try:
            self._users = FileLock(self._users_path)
        except OSError as error:
            raise PostgresFailed(
                f"Cannot write in {self._users_path.parent}: {error.strerror}. Set WINNOW_HOME to a folder of yours."
            ) from None
        # Waits while the one before us stops the cluster.
        self._users.take(SHARED)
        try:
            self.cluster.start()
            self._ensure_keeper()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        if self._users is None:
            return
        is_last = self._users.try_to_take(EXCLUSIVE)
        if is_last:
            self.cluster.stop()
            shutil.rmtree(self.cluster.socket_dir, ignore_errors=True)
        self._users.close()
        self._users = None
        if is_last:
            self._wait_for_keeper()

    def _ensure_keeper(self) -> None:
        lock = FileLock(self._keeper_path)
        is_missing = lock.try_to_take(EXCLUSIVE)
        lock.close()
        if is_missing:
            subprocess.Popen(
                [sys.executable, "-S", "-c", KEEPER, str(ROOT / "platform" / "winnow"),
                 str(self._users_path), str(self._keeper_path),
                 str(self.cluster.data_dir), str(self.cluster.socket_dir)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                cwd="/", start_new_session=True,
            )  # fmt: skip

    def _wait_for_keeper(self) -> None:
        """It leaves as soon as the lock is free, unless another user came at once."""
        lock = FileLock(self._keeper_path)
        lock.try_to_take(EXCLUSIVE, seconds=1.0)
        lock.close()


def attachment_of(env: Environment) -> Attachment:
    return Attachment(cluster_of(env), env.run_dir)


@contextmanager
def attached(env: Environment) -> Iterator[None]:
    if not env.uses_embedded_postgres:
        yield
        return
    attachment = attachment_of(env)
    attachment.acquire()
    try:
        yield
    finally:
        attachment.release()
