"""Train two toy language models from the bundled sample or a project, here or by a worker, and wait for them."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Project
from accounts.problems import Problem
from corpus import sample
from corpus.import_files import project_named
from curation.runs import start_method
from ledger import catalogue
from ledger.models import FINISHED_STATES, Run, RunKind
from ledger.runs import request_cancel
from winnow.environment import ROOT
from winnow.management.commands.run_method import wait_for

METHOD = "tiny_models"
# The projects whose comparisons are the bundled sample; theirs are the plain names.
SAMPLE, SAMPLES = "sample", ("demo", "sample")
ARMS = {"accuracy": "density ratio", "strong_accuracy": "strong alone", "length_accuracy": "length"}
SECONDS_TO_END, LONGEST_NAME = 10.0, 60


class Command(BaseCommand):
    help = (
        "Train two toy language models on the CPU, in a minute or two: toy-weak and toy-strong from the bundled sample,"
        " or toy-SLUG-weak and toy-SLUG-strong from a project."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", metavar="SLUG", help="train on its comparisons; default: the bundled sample")
        parser.add_argument(
            "--param",
            action="append",
            default=[],
            metavar="KEY=NUMBER",
            help="of the method `tiny_models`, such as seed=1 or hidden=128; may come several times",
        )

    def handle(self, *args: Any, project: str | None, param: list[str], **options: Any) -> None:
        given = _numbers(param)
        found = self._project(project)
        params = {"name": _name(found), **given}
        try:
            run = self._run(found, params)
        except Problem as problem:
            raise CommandError(problem.message) from None
        self._tell(run)

    def _project(self, slug: str | None) -> Project:
        if slug is not None:
            found = Project.objects.filter(slug=slug).first()
            if found is None:
                raise CommandError(f"There is no project {slug!r}.")
            return found
        held = {project.slug: project for project in Project.objects.filter(slug__in=SAMPLES)}
        project = next((held[name] for name in SAMPLES if name in held), None)
        if project is None:
            project, _ = project_named(SAMPLE)
            self.stderr.write(f"Made the project {project.slug} with the bundled sample.")
        sample.load(project)
        return project

    def _run(self, project: Project, params: dict[str, Any]) -> Run:
        """By a worker if one is alive for it, else by a process of our own."""
        entry = catalogue.entry(METHOD)
        if entry is not None and entry.is_alive:
            run = start_method(project=project, method=METHOD, params=params, requested_by=None)
            self.stdout.write(f"Run {run.pk}: a worker trains {params['name']}-weak and {params['name']}-strong.")
            wait_for(run, self.stdout)
            return run
        if importlib.util.find_spec("torch") is None:
            raise CommandError("Training wants torch, which is not installed: `pip install -e '.[workers]'` brings it.")
        run = Run.objects.create(
            project=project, kind=RunKind.METHOD, method=METHOD, queue="cpu", params=params, requested_by=None
        )
        self.stdout.write(f"Run {run.pk}: training {params['name']}-weak and {params['name']}-strong here.")
        self._here(run)
        return run

    def _here(self, run: Run) -> None:
        command = [sys.executable, "-m", "workers.here", str(run.pk)]
        paths = [str(ROOT), str(ROOT / "platform"), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {
            "WINNOW_HOME": str(settings.WINNOW_HOME),
            "DJANGO_SETTINGS_MODULE": "winnow.settings",
            "PYTHONPATH": os.pathsep.join(paths),
        }
        # The command and its argument are our own.
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603
        try:
            wait_for(run, self.stdout, is_going_on=lambda: child.poll() is None)
        finally:
            self._end(run, child)

    def _end(self, run: Run, child: subprocess.Popen[bytes]) -> None:
        """Also after Ctrl-C: nothing goes on behind the operator's back."""
        run.refresh_from_db()
        child.terminate()
        try:
            child.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if run.state not in FINISHED_STATES:
            request_cancel(run=run, by=None)

    def _tell(self, run: Run) -> None:
        for toy in run.result["toys"].values():
            folder = Path(settings.WINNOW_HOME) / "models" / toy["name"]
            self.stdout.write(f"{toy['name']}: {folder}, sha256 {toy['sha256'][:12]}")
        self.stdout.write(_worth(run.result["held_out"]))
        names = {which: toy["name"] for which, toy in run.result["toys"].items()}
        self.stdout.write(
            f"Try them: run_method density_ratio --project {run.project.slug}"
            f" --param strong={names['strong']} --param weak={names['weak']}"
        )
        self.stdout.write("They are toys: what they say shows that the machinery runs, and nothing else.")


def _numbers(texts: list[str]) -> dict[str, int]:
    wrong = [text for text in texts if not re.fullmatch(r"\w+=\d+", text)]
    if wrong:
        raise CommandError(f"Write --param KEY=NUMBER, not {wrong[0]!r}.")
    return {key: int(value) for key, value in (text.split("=") for text in texts)}


def _name(project: Project) -> str:
    if project.slug in SAMPLES:
        return "toy"
    return f"toy-{re.sub('[^a-z0-9]+', '-', project.slug.lower()).strip('-')}"[:LONGEST_NAME].rstrip("-")


def _worth(held_out: dict[str, Any]) -> str:
    if held_out.get("accuracy") is None:
        return str(held_out.get("accuracy_problem", ""))
    parts = []
    for name, words in (
        ("accuracy", "density ratio"),
        ("strong_accuracy", "strong alone"),
        ("length_accuracy", "length"),
    ):
        found = held_out[name]
        low, high = found["interval"]
        parts.append(f"{words} {found['share']:.3f} ({low:.3f} to {high:.3f})")
    return f"Agreement with {held_out['accuracy']['n']} held-out labels: {', '.join(parts)}."
