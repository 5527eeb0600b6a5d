"""Import files of this machine in the foreground, recorded as a run like any other."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.create_project import create_project
from accounts.models import Project, User
from corpus.ingest import import_run
from corpus.read_file import ImportOptions
from corpus.uploads import check_options, parameters
from ledger.execute import Work, execute
from ledger.models import Run, RunKind
from ledger.reporter import Reporter
from ledger.runs import mark_cancelled


class Both(Reporter):
    """Tells the run's row and the terminal."""

    def __init__(self, first: Reporter, second: Reporter) -> None:
        self._both = (first, second)

    def progress(self, done: int, total: int | None = None, stage: str = "") -> None:
        for reporter in self._both:
            reporter.progress(done, total, stage)

    def check_cancelled(self) -> None:
        for reporter in self._both:
            reporter.check_cancelled()


def import_files(*, project: Project, paths: Sequence[Path], options: ImportOptions, reporter: Reporter) -> Run:
    """The run when it has ended, well or badly. No message is sent: this process is the worker."""
    check_options(options)
    files = [{"name": path.name, "path": str(path.resolve())} for path in paths]
    run = Run.objects.create(
        project=project,
        kind=RunKind.IMPORT,
        method="import",
        queue="io",
        params={"files": files, **parameters(options)},
    )

    return carry_out_here(run, import_run, reporter=reporter, command="import_data")


def carry_out_here(run: Run, work: Work, *, reporter: Reporter, command: str) -> Run:
    """The run when it has ended; both its row and `reporter` hear how far it is."""

    def told(run: Run, row: Reporter) -> dict[str, Any]:
        return work(run, Both(row, reporter))

    try:
        execute(run.id, told, owner=f"{command} {os.getpid()} on {socket.gethostname()}")
    except KeyboardInterrupt:
        # Else the sweeper would take it for work that a dead worker left behind.
        with transaction.atomic():
            mark_cancelled(Run.objects.select_for_update().get(id=run.id))
        raise
    run.refresh_from_db()
    return run


def project_named(slug: str) -> tuple[Project, bool]:
    """The project, made now if there is none; its owner is then the first superuser, if there is one."""
    project = Project.objects.filter(slug=slug).first()
    if project is not None:
        return project, False
    first = User.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    return create_project(slug=slug, name=slug, by=first), True
