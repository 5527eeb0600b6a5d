"""Ask for an import of votes: the files go into the storage, a run does the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import Project, User
from accounts.problems import Invalid, Problem
from annotation.votes.campaign import check_name, refuse_other_than_imported
from annotation.votes.ingest import METHOD, REPEATS, VoteOptions, import_votes_run
from annotation.votes.read_votes import VoteFiles
from annotation.votes.shapes import check_shape
from corpus.import_files import carry_out_here
from corpus.ingest import input_file
from corpus.uploads import MAX_NAME, display_name, safe_name
from ledger.models import Run, RunKind
from ledger.reporter import Reporter
from ledger.runs import request_run

MAX_FILES = 20
QUEUE = "io"


def check_vote_options(project: Project, options: VoteOptions) -> None:
    check_shape(options.format)
    check_name(options.campaign)
    refuse_other_than_imported(project, options.campaign)
    if options.repeats not in REPEATS:
        raise Invalid(f"Repeated pairs go {' or '.join(REPEATS)}.", {"repeats": "unknown"})
    for field, value in {"source": options.source, "licence": options.licence}.items():
        if len(value) > MAX_NAME or "\0" in value:
            raise Invalid(f"The {field} should have at most {MAX_NAME} characters.", {field: "too long"})


def start_votes_import(
    *, project: Project, by: User, uploads: Sequence[UploadedFile[Any]], options: VoteOptions
) -> Run:
    """The files go to imports/<run id>/<n>/<name>; the message is sent once row and files are there."""
    check_vote_options(project, options)
    if not 1 <= len(uploads) <= MAX_FILES:
        raise Invalid(f"Send 1 to {MAX_FILES} files.", {"file": "missing" if not uploads else "too many"})
    with transaction.atomic():
        params: dict[str, Any] = {"files": [], **asdict(options)}
        run = request_run(
            project=project, kind=RunKind.IMPORT, method=METHOD, queue=QUEUE, params=params, requested_by=by
        )
        for number, upload in enumerate(uploads, start=1):
            name = display_name(upload.name)
            stored = default_storage.save(f"imports/{run.id}/{number}/{safe_name(name)}", File(upload))
            params["files"].append({"name": name, "stored": stored})
        _refuse_unknown_shapes(params["files"], options)
        run.params = params
        run.save(update_fields=["params"])
    return run


def _refuse_unknown_shapes(files: list[dict[str, str]], options: VoteOptions) -> None:
    """By their first rows, while somebody is there to hear it; what was stored goes again."""
    try:
        with VoteFiles([input_file(file) for file in files], shape=options.format, source=options.source):
            return
    except Problem:
        for file in files:
            default_storage.delete(file["stored"])
        raise


def import_vote_files(*, project: Project, paths: Sequence[Path], options: VoteOptions, reporter: Reporter) -> Run:
    """Files of this machine, in the foreground; the run when it has ended, well or badly."""
    check_vote_options(project, options)
    files = [{"name": path.name, "path": str(path.resolve())} for path in paths]
    run = Run.objects.create(
        project=project,
        kind=RunKind.IMPORT,
        method=METHOD,
        queue=QUEUE,
        params={"files": files, **asdict(options)},
    )
    return carry_out_here(run, import_votes_run, reporter=reporter, command=METHOD)
