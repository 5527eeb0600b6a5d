"""Commands find their database by themselves, and say in a sentence why they cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from winnow.command_line import is_ours, needs_database
from winnow.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="winnow command "))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def manage(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("WINNOW_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env=inherited | {"WINNOW_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )


@pytest.mark.processes
def test_a_first_command_in_an_empty_home_makes_migrates_and_stops_the_database(home: Path) -> None:
    done = manage(
        home, "createsuperuser", "--noinput",
        DJANGO_SUPERUSER_EMAIL="ada@example.org", DJANGO_SUPERUSER_PASSWORD="correct horse battery",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Preparing the database" in done.stderr
    assert "Preparing" not in done.stdout

    token = manage(home, "create_token", "ada@example.org")
    assert token.returncode == 0, token.stderr
    assert token.stdout.strip().split() == [token.stdout.strip()]
    assert token.stderr == ""
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_only_variables_of_our_own_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WINNOW_HOME")
    for name, value in {
        "HOME": "/elsewhere",
        "PORT": "1",
        "HOST": "elsewhere",
        "DEBUG": "1",
        "WINNOW_PORT": "",
    }.items():
        monkeypatch.setenv(name, value)
    env = Environment()
    assert (env.home, env.port, env.host, env.debug) == (ROOT / "var", 8000, "127.0.0.1", False)


def test_wrong_settings_are_named_one_by_one(home: Path) -> None:
    done = manage(home, "migrate", WINNOW_PORT="eighty", DATABASE_URL="mysql://u:secret@h/n", REDIS_URL="localhost")
    assert done.returncode == 1
    assert "WINNOW_PORT: Input should be a valid integer" in done.stderr
    assert "DATABASE_URL: write it like postgresql://" in done.stderr
    assert "REDIS_URL: write it like redis://" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence(home: Path) -> None:
    done = manage(home, "createsuperuser", "--noinput", DATABASE_URL="postgresql://u:secret@127.0.0.1:9/n")
    assert done.returncode == 1
    assert done.stderr.startswith("The database at DATABASE_URL does not answer")
    assert "secret" not in done.stderr


def test_a_home_that_cannot_be_written_is_one_sentence(home: Path) -> None:
    (home / "file").write_text("not a folder")
    done = manage(home / "file" / "home", "migrate")
    assert done.returncode == 1
    assert "Set WINNOW_HOME to a folder of yours" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["help"], ["check"], ["makemigrations", "--check"], ["collectstatic"], ["up"], ["migrate", "--help"], ["no"]],
)
def test_these_commands_start_no_database(arguments: list[str]) -> None:
    assert not needs_database(["manage.py", *arguments])


@pytest.mark.parametrize("name", ["migrate", "shell", "createsuperuser", "create_token"])
def test_these_commands_need_the_database(name: str) -> None:
    assert needs_database(["manage.py", name])


def test_only_our_commands_migrate_first() -> None:
    assert is_ours("create_token")
    assert is_ours("createsuperuser")
    assert not is_ours("migrate")
    assert not is_ours("showmigrations")
