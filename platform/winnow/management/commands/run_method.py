"""Start a method on a project, and wait for it if asked."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

from accounts.models import Project
from accounts.problems import Problem
from curation.parameters import from_texts
from curation.runs import published, start_method
from ledger.models import FINISHED_STATES, Run, State
from ledger.queries import Progress, progress_of, waiting_for

SECONDS_BETWEEN_LOOKS = 0.5


class Command(BaseCommand):
    help = "Start a method on the comparisons of a project; a worker does the work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("method")
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--param", action="append", default=[], metavar="KEY=VALUE", help="may come several times")
        parser.add_argument(
            "--wait", action="store_true", help="until the run has ended; exit code 1 unless it is done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        try:
            given = _pairs(options["param"])
            params = from_texts(published(options["method"]).card.parameters, given)
            run = start_method(project=project, method=options["method"], params=params, requested_by=None)
        except Problem as problem:
            raise CommandError(_with_fields(problem)) from None
        self.stdout.write(f"Run {run.pk}: {run.method} on {project.slug}.")
        self._say_who_is_missing(run)
        if options["wait"]:
            wait_for(run, self.stdout)

    def _say_who_is_missing(self, run: Run) -> bool:
        sentence = waiting_for(run)
        if sentence:
            self.stderr.write(sentence)
        return bool(sentence)


def wait_for(run: Run, out: OutputWrapper, *, is_going_on: Callable[[], bool] = lambda: True) -> None:
    """Until it has ended, telling how far it is; CommandError unless it is done."""
    shown = ""
    while run.state not in FINISHED_STATES:
        has_hope = is_going_on()
        time.sleep(SECONDS_BETWEEN_LOOKS)
        run.refresh_from_db()
        if not has_hope and run.state not in FINISHED_STATES:
            raise CommandError(f"Run {run.pk} is {run.state}, and the process that worked on it is gone.")
        line = _line(run, progress_of(run))
        if line != shown:
            shown = line
            out.write(f"\r\033[K{line}" if sys.stdout.isatty() else line, ending="")
            out.write("" if sys.stdout.isatty() else "\n", ending="")
            out.flush()
    if sys.stdout.isatty():
        out.write("")
    if run.state != State.DONE:
        raise CommandError(f"Run {run.pk} {run.state}. {run.error}".strip())


def _line(run: Run, progress: Progress) -> str:
    parts: list[str] = [run.state]
    if progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%}")
    if run.stage:
        parts.append(run.stage)
    if progress.eta_seconds is not None:
        parts.append(f"about {progress.eta_seconds:.0f} s left")
    return ", ".join(parts)


def _pairs(texts: list[str]) -> dict[str, str]:
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise CommandError(f"Write --param KEY=VALUE, not {wrong[0]!r}.")
    return dict(text.split("=", 1) for text in texts)


def _with_fields(problem: Problem) -> str:
    details = " ".join(f"{name}: {what}" for name, what in problem.fields.items() if " " in what)
    return f"{problem.message} {details}".strip()
