"""The embedded PostgreSQL: the wheel's binaries behind a launcher of our own, on a Unix socket only."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from winnow.embedded.binaries import PostgresFailed, postgres_binaries
from winnow.embedded.locks import exclusively
from winnow.embedded.processes import kill_orphans, postmaster_of, processes_of, stop_cluster
from winnow.embedded.unprivileged import Identity, check_reach, identity_for

__all__ = ["EmbeddedPostgres", "PostgresFailed"]

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    # Compiling a query costs more than it saves in queries of milliseconds.
    "jit": "off",
}
NOT_YET = ("starting up", "not yet accepting connections", "in recovery mode", "shutting down")
SECONDS_TO_START = 60.0
# A postmaster that lives but is not reached lost its socket file to a cleaner of temporary folders.
SECONDS_TO_ANSWER = 10.0


@dataclass
class EmbeddedPostgres:
    """One cluster: its files in `data_dir`, its socket in `socket_dir`; `settings` overrides SETTINGS."""

    data_dir: Path
    socket_dir: Path
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def log_file(self) -> Path:
        return self.data_dir.parent / "postgres.log"

    @property
    def pid(self) -> int | None:
        return postmaster_of(self.data_dir)

    def start(self) -> None:
        """Make the cluster if there is none, start it if nobody answers, and see that the database is there."""
        if self._answer("winnow") == "":
            return
        self._make_folder(self.data_dir.parent, mode=0o755)
        with exclusively(self.data_dir.parent / "start.lock"):
            self._make_folder(self.socket_dir, mode=0o700)
            self._check_socket_dir()
            identity = identity_for(self.data_dir)
            if not (self.data_dir / "PG_VERSION").exists():
                self._initialise(identity)
            if not self._comes_alive():
                self._clear_leftovers()
                self._launch(identity)
            self._ensure_database()

    def stop(self) -> None:
        stop_cluster(self.data_dir)
        self.reap()

    def reap(self) -> None:
        """An ended server stays in the process table until whoever started it asks."""
        if self._process:
            self._process.poll()

    def is_alive(self) -> bool:
        """Asked by connecting: a pid file says nothing after kill -9."""
        answer = self._answer("postgres")
        return not answer or ("FATAL" in answer and not any(words in answer for words in NOT_YET))

    def _answer(self, database: str) -> str:
        """What a connection attempt ends with; empty when it succeeds."""
        try:
            self._connect(database).close()
        except psycopg.OperationalError as error:
            return str(error) or "no answer"
        return ""

    def _comes_alive(self) -> bool:
        """Another process may just have launched it, or it replays its log."""
        end = time.monotonic() + SECONDS_TO_ANSWER
        while not self.is_alive():
            if postmaster_of(self.data_dir) is None:
                return False
            if time.monotonic() > end and not self._is_starting():
                stop_cluster(self.data_dir)
                return False
            time.sleep(0.05)
        return True

    def _is_starting(self) -> bool:
        return any(words in self._answer("postgres") for words in NOT_YET)

    def _initialise(self, identity: Identity) -> None:
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise PostgresFailed(f"{self.data_dir} holds files but no PostgreSQL data; move it away and start again.")
        major = max(postgres_binaries())
        binaries = postgres_binaries()[major]
        # Made beside and renamed when whole: a killed initdb leaves nothing that looks finished.
        draft = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        identity.give(self.data_dir.parent)
        check_reach(identity, binaries / "initdb", draft)
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
        self._run(
            identity, str(binaries / "initdb"), "-D", str(draft), "-U", "winnow", "--auth=trust", "--encoding=UTF8",
            *locale, "--locale=C",
        )  # fmt: skip
        draft.rename(self.data_dir)

    def _clear_leftovers(self) -> None:
        """Pid and lock files of a killed server stop the next one if their number is another process's by now."""
        kill_orphans(self.data_dir, patience=2.0)
        if not processes_of(self.data_dir):
            for stale in (self.data_dir / "postmaster.pid", *self.socket_dir.glob(".s.PGSQL.*")):
                stale.unlink(missing_ok=True)

    def _launch(self, identity: Identity) -> None:
        binaries = self._matching_binaries()
        identity.give(self.data_dir.parent)
        identity.give(self.socket_dir)
        check_reach(identity, binaries / "postgres", self.data_dir, self.socket_dir)
        settings = SETTINGS | {"unix_socket_directories": str(self.socket_dir)} | self.settings
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.log_file, "ab") as log:
            start = log.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(
                [*identity.prefix, str(binaries / "postgres"), "-D", str(self.data_dir), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.data_dir, start_new_session=True,
                user=identity.user, group=identity.group, extra_groups=None if identity.user is None else [],
            )  # fmt: skip
        self._wait_for(self._process, start)

    def _wait_for(self, process: subprocess.Popen[bytes], log_start: int) -> None:
        end = time.monotonic() + SECONDS_TO_START
        while not self.is_alive():
            is_late = time.monotonic() > end and not self._is_starting()
            if process.poll() is not None or is_late:
                with open(self.log_file, "rb") as log:
                    log.seek(log_start)
                    said = log.read().decode(errors="replace").strip()[-2000:]
                raise PostgresFailed(f"PostgreSQL did not start; its log {self.log_file} says:\n{said}")
            time.sleep(0.02)

    def _matching_binaries(self) -> Path:
        written_by = int((self.data_dir / "PG_VERSION").read_text())
        known = postgres_binaries()
        if written_by not in known:
            raise PostgresFailed(
                f"The data in {self.data_dir} was written by PostgreSQL {written_by}; here is PostgreSQL "
                f"{', '.join(str(major) for major in sorted(known))}. Install PostgreSQL {written_by} beside it, or "
                "restore a backup into a new WINNOW_HOME."
            )
        return known[written_by]

    def _ensure_database(self) -> None:
        with self._connect("postgres") as connection:
            connection.autocommit = True
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'winnow'").fetchone()
            if not known:
                connection.execute("CREATE DATABASE winnow")

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.socket_dir), user="winnow", dbname=database, connect_timeout=5)

    def _make_folder(self, folder: Path, *, mode: int) -> None:
        try:
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            raise PostgresFailed(
                f"Cannot make {folder}: {error.strerror}. WINNOW_HOME must be a folder of yours."
            ) from None

    def _check_socket_dir(self) -> None:
        """Its name can be guessed and the cluster trusts whoever connects, so it must not be a stranger's."""
        owner = self.socket_dir.stat().st_uid
        trusted = {os.getuid(), 0}
        if os.getuid() == 0:
            trusted.add(identity_for(self.data_dir).user or 0)
        if owner not in trusted:
            raise PostgresFailed(f"{self.socket_dir} belongs to another user; remove it and start again.")

    def _run(self, identity: Identity, *command: str) -> None:
        done = subprocess.run(
            [*identity.prefix, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            cwd=self.data_dir.parent, user=identity.user, group=identity.group,
            extra_groups=None if identity.user is None else [],
        )  # fmt: skip
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise PostgresFailed(f"{Path(command[0]).name} ended with {done.returncode}: {said}")
