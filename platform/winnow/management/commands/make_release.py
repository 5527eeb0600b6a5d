"""Freeze a release of a project, by a worker or here."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Project
from accounts.problems import Problem
from curation.freeze import folder, freeze, new_release, request_release, unfinished_release
from curation.models import Release
from curation.rules import read_text
from ledger.reporter import Reporter


class Command(BaseCommand):
    help = "Freeze a release. Without --wait a worker does it; with --wait it is done here and now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, metavar="SLUG")
        parser.add_argument("--recipe", required=True, type=Path, metavar="FILE", help="YAML or JSON")
        parser.add_argument("--name", required=True, help="of the release, such as v1.0")
        parser.add_argument("--wait", action="store_true", help="freeze in the foreground")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        try:
            document = read_text(options["recipe"].read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot read {options['recipe']}: {error}") from None
        except Problem as problem:
            raise CommandError(problem.message) from None
        try:
            self._make(project, options["name"], document, wait=options["wait"])
        except Problem as problem:
            raise CommandError(problem.message) from None

    def _make(self, project: Project, name: str, document: Any, *, wait: bool) -> None:
        if not wait:
            release = request_release(project=project, name=name, recipe=document, by=None)
            assert release.run is not None  # noqa: S101 - it was asked for just now
            self.stdout.write(f"Run {release.run.pk} freezes {project.slug}/{name} once a worker takes it.")
            return
        release = unfinished_release(project, name, document) or new_release(
            project=project, name=name, recipe=document, by=None
        )
        try:
            freeze(release, _Told(self))
        except Problem:
            # A freeze that failed never became a release; its name is free again.
            release.delete()
            raise
        self._tell(release)

    def _tell(self, release: Release) -> None:
        manifest = release.manifest
        counts = manifest["counts"]
        self.stdout.write(
            f"Frozen {release.project.slug}/{release.name}: {counts['released']:,} of {counts['comparisons']:,} rows."
        )
        for rule in counts["rules"]:
            mark = " (unaudited)" if rule["unaudited"] else ""
            self.stdout.write(f"  {rule['name']}: {rule['action']}{mark}, {rule['matched']:,} matched")
        self.stdout.write(f"  no rule: {counts['unmatched']:,}")
        for name, split in manifest["splits"].items():
            self.stdout.write(f"  {name}: {split['rows']:,} rows, {split['pairs']:,} pairs")
        self.stdout.write(f"sha256 {release.content_sha256}, files in {folder(release)}")


class _Told(Reporter):
    def __init__(self, command: Command) -> None:
        self.command = command
        self.said = 0.0

    def progress(self, done: int, total: int | None = None, stage: str = "") -> None:
        if total and done / total >= self.said + 0.1:
            self.said = done / total
            self.command.stdout.write(f"{stage}: {done:,} of {total:,}")
