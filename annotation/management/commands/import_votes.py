"""Bring votes that people gave elsewhere into a campaign of their own, here and now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.problems import Problem
from annotation.votes.ingest import REPEATS, TOGETHER, VoteOptions
from annotation.votes.request import import_vote_files
from annotation.votes.shapes import shapes
from corpus.formats import AUTO
from corpus.import_files import project_named
from corpus.terminal import Terminal, where
from ledger.models import State

COUNTED = ("comparisons", "accepted", "unchanged", "rejected", "contradicted", "annotators")


class Command(BaseCommand):
    help = "Import votes with their annotators into a closed campaign; the files of one data set together."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--project", required=True, metavar="SLUG", help="made if there is none")
        parser.add_argument("--campaign", required=True, metavar="NAME", help="made if there is none")
        parser.add_argument("--format", default=AUTO, choices=[AUTO, *shapes()], help="default: auto")
        parser.add_argument("--source", default="", metavar="NAME", help="default: the data set's, else the file's")
        parser.add_argument("--licence", default="", help="kept with a source that is new")
        parser.add_argument(
            "--repeats",
            default=TOGETHER,
            choices=REPEATS,
            help="a pair that comes again under another id: one comparison (default), or one each",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [str(path) for path in options["files"] if not path.is_file()]
        if missing:
            raise CommandError(f"There is no file {', '.join(missing)}.")
        names = ("campaign", "source", "format", "licence", "repeats")
        read_as = VoteOptions(**{name: options[name] for name in names})
        try:
            project, is_new = project_named(options["project"])
            if is_new:
                self.stderr.write(f"Made the project {project.slug}.")
            run = import_vote_files(project=project, paths=options["files"], options=read_as, reporter=Terminal())
        except Problem as problem:
            raise CommandError(problem.message) from problem
        if run.state != State.DONE:
            raise CommandError(run.error or f"The import was {run.state}.")
        self._tell(run.id, run.result)
        if not run.result["accepted"] + run.result["unchanged"]:
            sys.exit(1)

    def _tell(self, run_id: int, result: dict[str, Any]) -> None:
        for file in result["files"]:
            self.stderr.write(f"{file['name']}: {file.get('error') or file['container'] + '; ' + file['found']}")
        for name in COUNTED:
            self.stdout.write(f"{name + ':':14}{result[name]}")
        for reason, count in result["reasons"].items():
            self.stdout.write(f"  {reason}: {count}")
        self.stdout.write(f"{'seconds:':14}{result['seconds']}")
        if result["rejects"]:
            self.stdout.write(f"{'rejects:':14}{where(result['rejects'])}")
        self.stderr.write(f"Recorded as run {run_id}.")
