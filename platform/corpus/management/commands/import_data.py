"""Bring files into a project, here and now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.problems import Problem
from corpus.formats import AUTO, formats
from corpus.import_files import import_files, project_named
from corpus.read_file import ImportOptions
from corpus.terminal import Terminal, where
from ledger.models import State


class Command(BaseCommand):
    help = "Import preference pairs from JSON lines, JSON, CSV or Parquet (gz and zst too) into a project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--project", required=True, metavar="SLUG", help="made if there is none")
        parser.add_argument("--source", default="", metavar="NAME", help="default: the column `source`, else the file")
        parser.add_argument("--format", default=AUTO, choices=[AUTO, *formats()], help="default: auto")
        parser.add_argument(
            "--mapping",
            nargs="+",
            action="extend",
            default=[],
            metavar="NAME=COLUMN",
            help="such as prompt=question response_a=left",
        )
        parser.add_argument("--licence", default="", help="kept with a source that is new")

    def handle(self, *args: Any, **options: Any) -> None:
        missing = [str(path) for path in options["files"] if not path.is_file()]
        if missing:
            raise CommandError(f"There is no file {', '.join(missing)}.")
        read_as = ImportOptions(
            source=options["source"],
            format=options["format"],
            mapping=_mapping(options["mapping"]),
            licence=options["licence"],
        )
        try:
            project, is_new = project_named(options["project"])
            if is_new:
                self.stderr.write(f"Made the project {project.slug}.")
            run = import_files(project=project, paths=options["files"], options=read_as, reporter=Terminal())
        except Problem as problem:
            raise CommandError(problem.message) from problem
        if run.state != State.DONE:
            raise CommandError(run.error or f"The import was {run.state}.")
        self._tell(run.id, run.result)
        if not run.result["accepted"] + run.result["unchanged"] + run.result["contradicted"]:
            sys.exit(1)

    def _tell(self, run_id: int, result: dict[str, Any]) -> None:
        for file in result["files"]:
            said = file.get("error") or f"{file['container']}; {file['found'] or 'no row could be read'}"
            self.stderr.write(f"{file['name']}: {said}")
        for name in ("accepted", "unchanged", "rejected", "contradicted"):
            self.stdout.write(f"{name + ':':14}{result[name]}")
        for reason, count in result["reasons"].items():
            self.stdout.write(f"  {reason}: {count}")
        for pair in result["contradictions"][:CONTRADICTIONS_TOLD]:
            self.stdout.write(f"  in {pair['source']}: row {pair['row']} against row {pair['first_row']}")
        if len(result["contradictions"]) > CONTRADICTIONS_TOLD:
            self.stdout.write("  and more; the page of the run lists them")
        self.stdout.write(f"{'seconds:':14}{result['seconds']}")
        if result["rejects"]:
            self.stdout.write(f"{'rejects:':14}{where(result['rejects'])}")
        self.stderr.write(f"Recorded as run {run_id}.")


CONTRADICTIONS_TOLD = 10


def _mapping(pairs: list[str]) -> dict[str, str]:
    if any("=" not in pair for pair in pairs):
        raise CommandError("Write --mapping as NAME=COLUMN, such as prompt=question.")
    return {name: column for name, _, column in (pair.partition("=") for pair in pairs)}
