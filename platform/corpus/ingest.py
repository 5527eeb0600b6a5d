"""Bring files into a project; the command, the upload page and the API all come here."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.files.storage import default_storage

from accounts.models import Project
from accounts.problems import Problem
from corpus.formats import check_format, check_mapping
from corpus.pipeline import ahead
from corpus.read_file import Batch, FileReading, ImportOptions
from corpus.readers.limits import Limits, UnreadableFile
from corpus.readers.opening import InputFile
from corpus.rejects import RejectLog
from corpus.store import BatchWriter, FileFacts, Written
from ledger.models import Run
from ledger.reporter import Reporter

CONTRADICTIONS_SHOWN = 100


class NothingRead(UnreadableFile):
    code = "nothing_read"


@dataclass
class Tally:
    """What an import did, over all its files."""

    written: Written = field(default_factory=Written)
    doubled_ids: int = 0
    rows: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    problems: list[UnreadableFile] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return self.written.accepted + self.written.unchanged + self.written.contradicted

    def add(self, written: Written) -> None:
        total = self.written
        total.accepted += written.accepted
        total.unchanged += written.unchanged
        total.contradicted += written.contradicted
        total.identical += written.identical
        total.empty += written.empty
        total.contradictions += written.contradictions[: CONTRADICTIONS_SHOWN - len(total.contradictions)]


def import_run(run: Run, reporter: Reporter) -> dict[str, Any]:
    """The work of a run of kind `import`; its parameters say which files and how."""
    params = run.params
    options = ImportOptions(
        source=params.get("source", ""),
        format=params.get("format", "auto"),
        mapping=params.get("mapping", {}),
        licence=params.get("licence", ""),
    )
    files = [input_file(file) for file in params["files"]]
    return ingest(
        project=run.project,
        files=files,
        options=options,
        reporter=reporter,
        rejects_name=f"imports/{run.id}/rejects.jsonl",
    )


def ingest(
    *,
    project: Project,
    files: Sequence[InputFile],
    options: ImportOptions,
    reporter: Reporter,
    rejects_name: str,
) -> dict[str, Any]:
    """Raises UnreadableFile when no file could be read at all, or when a packed one turned out to be a bomb."""
    check_format(options.format)
    check_mapping(options.mapping)
    started = time.monotonic()
    tally = Tally()
    with RejectLog(names_files=len(files) > 1) as rejects:
        progress = Progress(reporter, [file.size for file in files])
        for file in files:
            _take_file(project, file, options, tally, rejects, progress)
        stored = rejects.store(rejects_name)
        _refuse_nothing(tally)
        progress.finish(tally.rows)
        return _result(tally, rejects, stored, time.monotonic() - started)


def _take_file(
    project: Project,
    file: InputFile,
    options: ImportOptions,
    tally: Tally,
    rejects: RejectLog,
    progress: Progress,
) -> None:
    entry: dict[str, Any] = {"name": file.name, "size": file.size}
    tally.files.append(entry)
    rows_before = tally.rows
    try:
        with file.open() as stream:
            entry["sha256"] = sha256 = sha256_of(stream)
            reading = FileReading(file, stream, options, Limits.from_settings())
            found = reading.recognised
            entry |= {"format": found.name if found else "", "found": found.found if found else ""}
            entry["container"] = reading.table.description
            facts = FileFacts(file.name, sha256, file.size, entry["format"], options.licence)
            writer = BatchWriter(project.id, facts)
            for batch in ahead(reading.batches()):
                _take_batch(batch, file, writer, tally, rejects)
                progress.report(tally.rows, len(tally.files) - 1, batch.share_read)
            tally.doubled_ids += reading.doubled_ids
    except Problem as problem:
        entry["error"] = problem.message
        tally.problems.append(
            problem if isinstance(problem, UnreadableFile) else UnreadableFile(f"{file.name}: {problem.message}")
        )
    entry["rows"] = tally.rows - rows_before


def _take_batch(batch: Batch, file: InputFile, writer: BatchWriter, tally: Tally, rejects: RejectLog) -> None:
    if batch.rows:
        tally.add(writer.write(batch.rows))
    for line, rejected in batch.rejects:
        rejects.add(line, rejected, file.name)
    tally.rows += len(batch.rows) + len(batch.rejects)


def _refuse_nothing(tally: Tally) -> None:
    kept = f" Before that {tally.taken:,} rows were read and are kept." if tally.taken else ""
    for problem in tally.problems:
        if problem.is_bomb:
            raise UnreadableFile(problem.message + kept, is_bomb=True)
    if tally.problems and not tally.rows:
        raise NothingRead(" ".join(problem.message for problem in tally.problems))


def _result(tally: Tally, rejects: RejectLog, stored: str | None, seconds: float) -> dict[str, Any]:
    written = tally.written
    return {
        "accepted": written.accepted,
        "unchanged": written.unchanged,
        "rejected": rejects.count,
        "contradicted": written.contradicted,
        "rows": tally.rows,
        "reasons": dict(rejects.reasons.most_common()),
        "identical": written.identical,
        "empty": written.empty,
        "duplicate_ids": tally.doubled_ids,
        "contradictions": [asdict(contradiction) for contradiction in written.contradictions],
        "format": ", ".join(sorted({file["format"] for file in tally.files if file.get("format")})),
        "files": tally.files,
        "rejects": stored,
        "seconds": round(seconds, 3),
        "rows_per_second": round(tally.rows / seconds) if seconds else None,
    }


class Progress:
    """Rows done, and rows in all as far as the share of bytes read tells."""

    def __init__(self, reporter: Reporter, sizes: list[int]) -> None:
        self._reporter = reporter
        self._sizes = sizes

    def report(self, rows: int, files_before: int, share_read: float) -> None:
        self._reporter.check_cancelled()
        size = sum(self._sizes[:files_before]) + self._sizes[files_before] * share_read
        total = round(rows * sum(self._sizes) / size) if size else None
        self._reporter.progress(rows, max(rows, total) if total else None, "importing")

    def finish(self, rows: int) -> None:
        self._reporter.progress(rows, rows, "imported")


def local_file(path: Path, name: str = "") -> InputFile:
    return InputFile(name or path.name, path.stat().st_size, lambda: path.open("rb"))


def stored_file(stored: str, name: str) -> InputFile:
    return InputFile(name, default_storage.size(stored), lambda: cast(BinaryIO, default_storage.open(stored, "rb")))


def input_file(file: dict[str, str]) -> InputFile:
    if "stored" in file:
        if not default_storage.exists(file["stored"]):
            raise NothingRead(f"The upload {file['name']} is no longer there; upload it again.")
        return stored_file(file["stored"], file["name"])
    path = Path(file["path"])
    if not path.is_file():
        raise NothingRead(f"There is no file {path} on this machine.")
    return local_file(path, file["name"])


def sha256_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(2**20):
        digest.update(chunk)
    stream.seek(0)
    return digest.hexdigest()
