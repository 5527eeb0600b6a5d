"""A file as batches of prepared rows: opened, recognised, parsed; bad rows set aside."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from corpus.formats import AUTO, Recognised, recognise
from corpus.importers._base import ParsedRow, ReadOptions, Row, RowRejected
from corpus.prepare import PreparedRow, prepare, size_of
from corpus.readers.json_rows import Numbered
from corpus.readers.limits import Limits, UnreadableFile
from corpus.readers.opening import InputFile, Table, open_table
from corpus.readers.parquet_rows import size_of_value

BATCH_ROWS = 2_500
BATCH_BYTES = 12 * 2**20
SAMPLE_ROWS = 50
SAMPLE_BYTES = 2 * 2**20
# More subsets than this are not subsets: a column of addresses, say, was taken for the source.
MAX_SOURCES = 500
# Doubled ids are counted among the first so many; beyond it the memory would grow without bound.
IDS_REMEMBERED = 500_000


@dataclass(frozen=True)
class ImportOptions:
    # The name for rows that name no source; empty = the file's name.
    source: str = ""
    format: str = AUTO
    mapping: dict[str, str] = field(default_factory=dict)
    licence: str = ""


@dataclass
class Batch:
    rows: list[PreparedRow]
    rejects: list[tuple[int, RowRejected]]
    # How much of the file was read when it was cut, 0..1.
    share_read: float


class FileReading:
    """One pass over one file."""

    def __init__(self, file: InputFile, stream: BinaryIO, options: ImportOptions, limits: Limits) -> None:
        self.doubled_ids = 0
        self._options = ReadOptions(mapping=options.mapping)
        self._default_source = options.source or source_name(file.name)
        self._sources: set[str] = set()
        self._ids: set[int] = set()
        self.table: Table = open_table(file, stream, limits)
        first: list[Numbered] = []
        self._rows = itertools.chain(first, self.table.rows)
        sample = first_rows(self.table.rows, first)
        if not first:
            raise UnreadableFile(f"{file.name} holds no rows.")
        # None when every row of the sample was broken already; then all that is left is to say so.
        self.recognised: Recognised | None = recognise(sample, options.format, self._options) if sample else None

    def batches(self) -> Iterator[Batch]:
        """Where the file turns out unreadable, what came before is given first, then the error is raised."""
        batch, size = Batch([], [], 0.0), 0
        stopped: list[UnreadableFile] = []
        for number, row in until_unreadable(self._rows, stopped):
            try:
                prepared = self._prepared(number, row)
            except RowRejected as rejected:
                batch.rejects.append((number, rejected))
            else:
                batch.rows.append(prepared)
                size += size_of(prepared)
            if len(batch.rows) + len(batch.rejects) >= BATCH_ROWS or size >= BATCH_BYTES:
                batch.share_read = self.table.share_read()
                yield batch
                batch, size = Batch([], [], 0.0), 0
        if batch.rows or batch.rejects:
            batch.share_read = self.table.share_read()
            yield batch
        for error in stopped:
            raise error

    def parsed(self) -> Iterator[tuple[int, ParsedRow | RowRejected]]:
        """The rows as the file has them, for people to look at."""
        for number, row in self._rows:
            try:
                yield number, self._parsed(row)
            except RowRejected as rejected:
                yield number, rejected

    def _parsed(self, row: Row | RowRejected) -> ParsedRow:
        if isinstance(row, RowRejected):
            raise row
        if self.recognised is None:
            raise RowRejected("format_not_recognised", "None of the first rows could be read, so this one is a guess.")
        return self.recognised.format.read(row, self._options)

    def _prepared(self, number: int, row: Row | RowRejected) -> PreparedRow:
        prepared = prepare(number, self._parsed(row), self._default_source)
        if prepared.source not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                raise RowRejected("too_many_sources", f"The file names more than {MAX_SOURCES} sources.")
            self._sources.add(prepared.source)
        if prepared.external_id and len(self._ids) < IDS_REMEMBERED:
            key = hash((prepared.source, prepared.external_id))
            self.doubled_ids += key in self._ids
            self._ids.add(key)
        return prepared


def until_unreadable(rows: Iterator[Numbered], stopped: list[UnreadableFile]) -> Iterator[Numbered]:
    try:
        yield from rows
    except UnreadableFile as error:
        stopped.append(error)


def source_name(file_name: str) -> str:
    """The file's name without its endings."""
    name = file_name.rsplit("/", 1)[-1]
    for ending in (".gz", ".zst", ".zstd", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name.encode(errors="replace").decode()[:120]


def first_rows(rows: Iterator[Numbered], seen: list[Numbered]) -> list[Row]:
    """The first rows that could be read; all that was taken from the stream is put into `seen`."""
    sample: list[Row] = []
    size = 0
    for number, row in rows:
        seen.append((number, row))
        if not isinstance(row, RowRejected):
            sample.append(row)
            size += size_of_value(row)
        if len(sample) >= SAMPLE_ROWS or size > SAMPLE_BYTES or len(seen) >= 20 * SAMPLE_ROWS:
            break
    return sample
