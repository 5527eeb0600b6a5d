"""Write a release in an export format, one file per split."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.problems import Problem
from curation.export import EXTENSIONS, Export, write_export
from curation.exports._base import PROFILES
from curation.models import Release


class Command(BaseCommand):
    help = (
        "Write DIR/train.parquet, validation.parquet and test.parquet (those with rows), README.md and manifest.json."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("release", metavar="PROJECT/NAME")
        parser.add_argument("--format", required=True, metavar="NAME")
        parser.add_argument("--to", required=True, type=Path, metavar="DIR")
        parser.add_argument("--as", dest="extension", choices=EXTENSIONS, default="parquet")
        parser.add_argument("--profile", choices=PROFILES, default="minimal")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, _, name = options["release"].partition("/")
        release = Release.objects.select_related("project", "recipe").filter(project__slug=slug, name=name).first()
        if release is None:
            raise CommandError(f"There is no release {options['release']!r}; write PROJECT/NAME.")
        try:
            export = Export.of(release, options["format"], options["profile"])
            written = write_export(export, options["to"], options["extension"])
        except Problem as problem:
            raise CommandError(problem.message) from None
        except OSError as error:
            raise CommandError(f"Cannot write to {options['to']}: {error}") from None
        for path, rows in written.items():
            self.stdout.write(f"{path}: {rows:,} rows")
