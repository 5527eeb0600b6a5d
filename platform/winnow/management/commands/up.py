"""Start everything: database, broker, web, workers and beat, until Ctrl-C."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connections

from winnow.embedded.binaries import ServerFailed
from winnow.environment import environment
from winnow.schema import migrate
from winnow.supervisor.port import PortBusy
from winnow.supervisor.screen import Screen
from winnow.supervisor.supervisor import AlreadyUp, Supervisor


class Command(BaseCommand):
    help = "Run the site, its workers and the servers they need in one process tree; Ctrl-C stops all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="add the sample project and people to try it with")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        def prepare(say: Callable[[str], None]) -> None:
            migrate(say=say)
            if demo:
                _load_sample(say)
            connections.close_all()

        try:
            Supervisor(environment(), Screen(), prepare).run()
        except (AlreadyUp, PortBusy, ServerFailed) as error:
            raise CommandError(str(error)) from None


def _load_sample(say: Callable[[str], None]) -> None:
    say("Loading the sample project ...")
    told = StringIO()
    call_command("load_sample", stdout=told)
    for line in told.getvalue().splitlines():
        say(line)
