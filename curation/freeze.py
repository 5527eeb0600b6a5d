"""Freeze a release: pin its rows, write its files, seal it. Killed in between and begun again, it ends the same."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from curation.audits.evidence import checked, refuse_unaudited
from curation.canonical import ROWS_PER_FILE, write_file
from curation.card import card
from curation.manifest import complete_manifest, manifest_bytes
from curation.models import Recipe, Release, Split
from curation.pin import pin
from curation.recipes import newest_recipe, save_recipe
from curation.rules import parse
from curation.splits import Shares, split_prompts
from curation.standing import newest_runs
from ledger.models import Run, RunKind, State
from ledger.reporter import Reporter
from ledger.runs import request_run

# It is a folder in the storage and a word in the URL.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


class ReleaseExists(Conflict):
    code = "release_exists"


class InvalidName(Invalid):
    code = "invalid_name"


def request_release(
    *, project: Project, name: str, recipe: Any, by: User | None, shares: Shares | None = None
) -> Release:
    """Ask for a release; `recipe` is a saved one's name or a document. A worker freezes it."""
    with transaction.atomic():
        release = new_release(project=project, name=name, recipe=recipe, by=by, shares=shares)
        release.run = request_run(
            project=project,
            kind=RunKind.RELEASE,
            method="release",
            queue="io",
            params={"release": release.pk, "name": name},
            requested_by=by,
        )
        release.save(update_fields=["run"])
    return release


def new_release(*, project: Project, name: str, recipe: Any, by: User | None, shares: Shares | None = None) -> Release:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidName(
            "A release is named by letters, digits, dot, dash and underscore, at most 120, such as v1.0.",
            fields={"name": "letters, digits, . - _"},
        )
    chosen = _recipe(project, name, recipe, by)
    refuse_unaudited(checked(project, parse(chosen.document)))
    with transaction.atomic():
        _make_room(project, name)
        try:
            with transaction.atomic():
                release = Release.objects.create(
                    project=project, name=name, recipe=chosen, shares=asdict(shares or Shares()), created_by=by
                )
        except IntegrityError as error:
            raise ReleaseExists(
                f"{project.slug} has a release {name!r} already; releases never change, so choose another name.",
                fields={"name": "taken"},
            ) from error
        audit.record(actor=by, project=project, action="request release", subject=release, details={"name": name})
    return release


def unfinished_release(project: Project, name: str, recipe: Any) -> Release | None:
    """What a command that was killed in mid-freeze left behind, if it had the same recipe."""
    release = Release.objects.filter(project=project, name=name, frozen_at=None, run=None).first()
    if release is None:
        return None
    return release if release.recipe == _recipe(project, name, recipe, release.created_by) else None


def _recipe(project: Project, release_name: str, recipe: Any, by: User | None) -> Recipe:
    if isinstance(recipe, Recipe):
        return recipe
    if isinstance(recipe, str):
        return newest_recipe(project, recipe)
    named = recipe.get("name") if isinstance(recipe, dict) else None
    name = named if isinstance(named, str) and 0 < len(named) <= 120 else release_name
    return save_recipe(project=project, name=name, document=recipe, by=by)


def _make_room(project: Project, name: str) -> None:
    """A freeze that failed or was cancelled never became a release."""
    Release.objects.filter(
        project=project, name=name, frozen_at=None, run__state__in=[State.FAILED, State.CANCELLED]
    ).delete()


def freeze_run(run: Run, reporter: Reporter) -> dict[str, Any]:
    """The work of a release run."""
    release = Release.objects.select_related("project", "recipe", "run").get(run=run)
    return freeze(release, reporter)


def freeze(release: Release, reporter: Reporter) -> dict[str, Any]:
    """What was frozen; a frozen release is left as it is."""
    if release.frozen_at is None:
        reporter.progress(0, None, "pinning rows")
        _pin(release)
        reporter.check_cancelled()
        files = _write_files(release, reporter)
        _seal(release, files)
    return {
        "release": release.name,
        "rows": release.manifest["counts"]["released"],
        "content_sha256": release.content_sha256,
        "splits": {name: split["rows"] for name, split in release.manifest["splits"].items()},
    }


def _pin(release: Release) -> None:
    if release.manifest.get("counts"):
        return
    duplicates = newest_runs(release.project, as_of=release.as_of).get("near_duplicates")
    duplicates_run_id = duplicates.pk if duplicates else None
    # A list: nothing may be read on the connection while rows are copied in on it.
    pin(release, list(split_prompts(release.project, Shares(**release.shares), duplicates_run_id=duplicates_run_id)))


def folder(release: Release) -> str:
    return f"releases/{release.project.slug}/{release.name}"


def _write_files(release: Release, reporter: Reporter) -> list[dict[str, Any]]:
    files = []
    for split in Split:
        rows = release.manifest["splits"][split.value]["rows"]
        count = -(-rows // ROWS_PER_FILE)
        for number in range(count):
            begin, end = number * ROWS_PER_FILE, min((number + 1) * ROWS_PER_FILE, rows)
            path = f"data/{split.value}-{number:05d}-of-{count:05d}.parquet"
            with _scratch_file() as scratch:
                write_file(release, split, begin, end, scratch, reporter)
                files.append(
                    {
                        "path": path,
                        "split": split.value,
                        "rows": end - begin,
                        **_keep(scratch, f"{folder(release)}/{path}"),
                    }
                )
    return files


@contextmanager
def _scratch_file() -> Iterator[Path]:
    home = Path(settings.WINNOW_HOME) / "tmp"
    home.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="release-", suffix=".parquet", dir=home)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _keep(scratch: Path, name: str) -> dict[str, Any]:
    """Put the file in the storage, in place of one that an interrupted freeze left there."""
    with open(scratch, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        default_storage.delete(name)
        default_storage.save(name, File(file))
    return {"sha256": digest, "bytes": scratch.stat().st_size}


def _seal(release: Release, files: list[dict[str, Any]]) -> None:
    release.frozen_at = timezone.now()
    release.manifest = complete_manifest(release, files)
    release.content_sha256 = release.manifest["content_sha256"]
    for name, content in (
        ("README.md", card(release.manifest).encode()),
        ("manifest.json", manifest_bytes(release.manifest)),
    ):
        path = f"{folder(release)}/{name}"
        default_storage.delete(path)
        default_storage.save(path, ContentFile(content))
    with transaction.atomic():
        release.save(update_fields=["frozen_at", "manifest", "content_sha256"])
        audit.record(
            actor=None,
            project=release.project,
            action="freeze release",
            subject=release,
            details={"name": release.name, "content_sha256": release.content_sha256},
        )
