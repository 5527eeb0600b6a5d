"""Bring votes into a campaign of their own; the command, the page and the API all come here.

A batch is one transaction, with its comparisons, tasks, assignments and judgments, so that an import that was killed
is completed by doing it again. The consensus of the campaign is counted once, at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Project, User
from accounts.problems import Problem
from annotation.consensus.majority import refresh_majority
from annotation.models import Campaign
from annotation.votes.campaign import imported_campaign
from annotation.votes.people import ImportedPeople
from annotation.votes.place import place
from annotation.votes.read_votes import Batch, OpenFile, VoteFiles
from annotation.votes.store import VoteWriter
from corpus.importers._base import RowRejected
from corpus.ingest import CONTRADICTIONS_SHOWN, NothingRead, Progress, input_file, sha256_of
from corpus.pipeline import ahead
from corpus.readers.limits import UnreadableFile
from corpus.readers.opening import InputFile
from corpus.rejects import RejectLog
from corpus.store import IMPORT_LOCK, BatchWriter, FileFacts, Written
from ledger.models import Run
from ledger.reporter import Reporter

# The name of such a run's method.
METHOD = "import_votes"
TOGETHER, APART = "together", "apart"
REPEATS = (TOGETHER, APART)
ENOUGH_TO_ANALYSE = 1000


@dataclass(frozen=True)
class VoteOptions:
    campaign: str
    # For rows that name no source; empty = the shape's own name, or the file's.
    source: str = ""
    format: str = "auto"
    licence: str = ""
    # A pair that comes again under another id: one comparison, or one each, in sources of their own.
    repeats: str = TOGETHER


@dataclass
class Tally:
    """What an import of votes did, over all its files."""

    accepted: int = 0
    unchanged: int = 0
    pairs: Written = field(default_factory=Written)
    rows: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)
    problems: list[UnreadableFile] = field(default_factory=list)

    def add_pairs(self, written: Written) -> None:
        for name in ("accepted", "unchanged", "contradicted", "identical", "empty"):
            setattr(self.pairs, name, getattr(self.pairs, name) + getattr(written, name))
        room = CONTRADICTIONS_SHOWN - len(self.pairs.contradictions)
        self.pairs.contradictions += written.contradictions[:room]


def import_votes_run(run: Run, reporter: Reporter) -> dict[str, Any]:
    """The work of a run of this method; its parameters say which files and how."""
    params = run.params
    names = ("campaign", "source", "format", "licence", "repeats")
    return ingest_votes(
        project=run.project,
        files=[input_file(file) for file in params["files"]],
        options=VoteOptions(**{name: params[name] for name in names if name in params}),
        by=run.requested_by,
        reporter=reporter,
        rejects_name=f"imports/{run.id}/rejects.jsonl",
    )


def ingest_votes(
    *,
    project: Project,
    files: Sequence[InputFile],
    options: VoteOptions,
    by: User | None,
    reporter: Reporter,
    rejects_name: str,
) -> dict[str, Any]:
    """Raises UnreadableFile when no file could be read at all, or when a packed one turned out to be a bomb."""
    started = time.monotonic()
    with (
        RejectLog(names_files=len(files) > 1) as rejects,
        VoteFiles(files, shape=options.format, source=options.source) as opened,
    ):
        campaign = imported_campaign(project=project, name=options.campaign, shape=opened.shape_name, by=by)
        job = _Job(project, options, opened, campaign, rejects, reporter)
        for file in opened.lookups:
            job.learn(file)
        for file in opened.voted:
            job.take(file)
        stored = rejects.store(rejects_name)
        _refuse_nothing(job.tally)
        reporter.progress(job.tally.rows, job.tally.rows, "counting votes")
        _count(campaign, job.tally)
        reporter.progress(job.tally.rows, job.tally.rows, "imported")
        return job.result(stored, time.monotonic() - started)


class _Job:
    """One import while it runs."""

    def __init__(
        self,
        project: Project,
        options: VoteOptions,
        opened: VoteFiles,
        campaign: Campaign,
        rejects: RejectLog,
        reporter: Reporter,
    ) -> None:
        self.tally = Tally()
        self._project, self._campaign, self._options = project, campaign, options
        self._opened, self._rejects = opened, rejects
        self._people = ImportedPeople(project)
        self._writer = VoteWriter(campaign, self._people, now=timezone.now())
        self._progress = Progress(reporter, [file.input.size for file in opened.voted])
        self._voted_files = 0

    def learn(self, file: OpenFile) -> None:
        entry = self._entry(file)
        entry["found"] = f"{self._opened.shape.LABEL}, what the votes refer to"
        for number, rejected in self._watched(file, self._opened.learn(file), entry):
            self._rejects.add(number, rejected, file.input.name)

    def take(self, file: OpenFile) -> None:
        entry = self._entry(file)
        entry["found"] = self._opened.shape.LABEL
        with file.input.open() as stream:
            entry["sha256"] = sha256_of(stream)
        facts = FileFacts(
            file.input.name, entry["sha256"], file.input.size, self._opened.shape_name, self._options.licence
        )
        pairs = BatchWriter(self._project.pk, facts)
        before = self.tally.rows
        for batch in self._watched(file, ahead(self._opened.batches(file)), entry):
            self._take_batch(batch, file, pairs)
            self._progress.report(self.tally.rows, self._voted_files, batch.share_read)
        entry["rows"] = self.tally.rows - before
        self._voted_files += 1

    def _watched(self, file: OpenFile, rows: Iterator[Any], entry: dict[str, Any]) -> Iterator[Any]:
        """What can be read of a file; where it turns out unreadable, that is written down and the others go on."""
        try:
            yield from rows
        except Problem as problem:
            entry["error"] = problem.message
            is_told = isinstance(problem, UnreadableFile)
            self.tally.problems.append(problem if is_told else UnreadableFile(f"{file.input.name}: {problem.message}"))  # type: ignore[arg-type]  # told just now

    def _entry(self, file: OpenFile) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "name": file.input.name,
            "size": file.input.size,
            "container": file.table.description,
            "format": self._opened.shape_name,
        }
        self.tally.files.append(entry)
        return entry

    def _take_batch(self, batch: Batch, file: OpenFile, pairs: BatchWriter) -> None:
        refused: list[tuple[int, RowRejected]] = list(batch.rejects)
        with transaction.atomic():
            with connection.cursor() as cursor:
                # The same lock as the corpus takes: two imports of one project take turns, also by batches.
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK | self._project.pk])
                # Tables that grow this fast have old statistics; every read here has its index.
                cursor.execute("SET LOCAL enable_seqscan = off")
            placed = place(self._project, batch.items, pairs, is_apart=self._options.repeats == APART)
            stored = self._writer.write(placed.items)
            self._tell_order(stored.is_order_known)
        self.tally.accepted += stored.accepted
        self.tally.unchanged += stored.unchanged
        self.tally.rows += batch.rows
        self.tally.add_pairs(placed.written)
        for number, rejected in sorted([*refused, *placed.rejects, *stored.rejects], key=lambda one: one[0]):
            self._rejects.add(number, rejected, file.input.name)

    def _tell_order(self, is_known: bool) -> None:
        """Whoever reckons with sides must not do so on a guess."""
        if not is_known and self._campaign.settings.get("order_known", True):
            self._campaign.settings = {**self._campaign.settings, "order_known": False}
            self._campaign.save(update_fields=["settings"])

    def result(self, stored_rejects: str | None, seconds: float) -> dict[str, Any]:
        tally, written = self.tally, self.tally.pairs
        self._campaign.refresh_from_db()
        votes = tally.accepted + tally.unchanged
        return {
            "accepted": tally.accepted,
            "unchanged": tally.unchanged,
            "rejected": self._rejects.count,
            "contradicted": written.contradicted,
            "comparisons": self._campaign.task_count,
            "annotators": len(self._people),
            "campaign": {"id": self._campaign.pk, "name": self._campaign.name},
            "is_order_known": self._campaign.settings.get("order_known", True),
            "pairs": {name: getattr(written, name) for name in ("accepted", "unchanged", "contradicted")},
            "contradictions": [asdict(contradiction) for contradiction in written.contradictions],
            "rows": tally.rows,
            "reasons": dict(self._rejects.reasons.most_common()),
            "format": self._opened.shape_name,
            "files": tally.files,
            "rejects": stored_rejects,
            "seconds": round(seconds, 3),
            "rows_per_second": round(tally.rows / seconds) if seconds else None,
            "votes_per_second": round(votes / seconds) if seconds else None,
        }


def _refuse_nothing(tally: Tally) -> None:
    votes = tally.accepted + tally.unchanged
    kept = f" Before that {votes:,} votes were read and are kept." if votes else ""
    for problem in tally.problems:
        if problem.is_bomb:
            raise UnreadableFile(problem.message + kept, is_bomb=True)
    if tally.problems and not tally.rows:
        raise NothingRead(" ".join(problem.message for problem in tally.problems))


def _count(campaign: Campaign, tally: Tally) -> None:
    """Also when nothing new came in: an earlier import may have been killed before it counted."""
    refresh_majority(campaign_id=campaign.pk)
    if tally.accepted >= ENOUGH_TO_ANALYSE:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE annotation_task, annotation_assignment, annotation_judgment, annotation_consensus")
