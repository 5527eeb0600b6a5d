"""Run a management command with the database it needs: attached, migrated, or a sentence why not."""

from __future__ import annotations

import sys
from typing import NoReturn

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line, get_commands
from django.db import OperationalError
from pydantic import ValidationError

from winnow.embedded.attachment import attached
from winnow.embedded.binaries import ServerFailed
from winnow.environment import Environment, HomeUnusable, environment, mistakes_of

WITHOUT_DATABASE = frozenset(
    {
        "check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages",
        "makemigrations", "sendtestemail", "startapp", "startproject", "test", "testserver", "version",
    }
)  # fmt: skip
# It brings up its servers itself, under its own eyes.
SUPERVISOR = "up"
OUR_APPS = frozenset({"accounts", "annotation", "corpus", "curation", "ledger", "winnow"})
# Django's commands that a newcomer may type first, before any migration.
FIRST_STEPS = frozenset({"createsuperuser", "changepassword"})


def run(argv: list[str]) -> None:
    try:
        env = environment()
        # First of all: until then Django knows its own commands only.
        django.setup()
    except ValidationError as error:
        _refuse(" ".join(mistakes_of(error)))
    except (HomeUnusable, ImproperlyConfigured) as error:
        _refuse(str(error))
    try:
        if needs_database(argv):
            _run_attached(env, argv)
        else:
            execute_from_command_line(argv)
    except ServerFailed as error:
        _refuse(str(error))
    except OperationalError as error:
        if "--traceback" in argv:
            raise
        _refuse(_unreachable(env, error))
    except KeyboardInterrupt:
        sys.exit(130)


def needs_database(argv: list[str]) -> bool:
    name = argv[1] if len(argv) > 1 else "help"
    if name in WITHOUT_DATABASE or name == SUPERVISOR or {"--help", "-h", "--version"} & set(argv[1:]):
        return False
    return name in get_commands()


def is_ours(name: str) -> bool:
    return name in FIRST_STEPS or get_commands().get(name) in OUR_APPS


def _run_attached(env: Environment, argv: list[str]) -> None:
    # Its models can be imported only now.
    from winnow.schema import prepare_for_use

    with attached(env):
        if is_ours(argv[1]):
            prepare_for_use(env, say=lambda line: print(line, file=sys.stderr, flush=True))
        execute_from_command_line(argv)


def _unreachable(env: Environment, error: OperationalError) -> str:
    reason = " ".join(str(error).split())
    if env.uses_embedded_postgres:
        return (
            f"The embedded PostgreSQL does not answer: {reason}. Its log is {env.home / 'postgres' / 'postgres.log'}."
        )
    return f"The database at DATABASE_URL does not answer: {reason}. Check that it runs and that the address is right."


def _refuse(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(1)
