"""Files as batches of voted items: opened together, recognised, parsed; what cannot be read is set aside."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from annotation.votes.importers._base import Known, ParsedVote, Reference, VotedItem, VoteShape
from annotation.votes.shapes import recognise_shape, shapes
from corpus.importers._base import Row, RowRejected
from corpus.prepare import PreparedRow, prepare, size_of
from corpus.read_file import MAX_SOURCES, first_rows, source_name, until_unreadable
from corpus.readers.json_rows import Numbered
from corpus.readers.limits import Limits, UnreadableFile
from corpus.readers.opening import InputFile, Table, open_table
from corpus.readers.parquet_rows import size_of_value

BATCH_VOTES = 6_000
BATCH_BYTES = 12 * 2**20
# What a file of votes refers to is held in memory.
MAX_LOOKUP_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Item:
    """A pair with its votes, ready for the database."""

    number: int
    pair: PreparedRow | Reference
    # Whether the file's first side became response_b.
    is_flipped: bool
    votes: list[ParsedVote]
    subject: str
    # Where its annotators' names mean somebody; empty = all over the project.
    space: str = ""


@dataclass
class Batch:
    items: list[Item] = field(default_factory=list)
    rejects: list[tuple[int, RowRejected]] = field(default_factory=list)
    # Rows of the file, and how much of it was read when the batch was cut, 0..1.
    rows: int = 0
    share_read: float = 0.0


@dataclass
class OpenFile:
    input: InputFile
    table: Table
    sample: list[Row]
    rows: Iterator[Numbered]


class VoteFiles:
    """The files of one import, open together; use it as a context, and read each file once."""

    def __init__(self, files: Sequence[InputFile], *, shape: str, source: str) -> None:
        self._stack = ExitStack()
        self._source = source
        self._sources: set[str] = set()
        self._known: Known = {}
        self._limits = Limits.from_settings()
        try:
            opened = [self._open(file) for file in files]
            self.shape_name = recognise_shape([file.sample for file in opened], shape)
            self.shape: VoteShape = shapes()[self.shape_name]
            self.lookups = [file for file in opened if self.shape.is_lookup(file.sample)]
            self.voted = [file for file in opened if file not in self.lookups]
            if not self.voted:
                raise UnreadableFile(f"None of these files holds votes; {self.shape.LABEL} needs that file, too.")
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> VoteFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, file: InputFile) -> OpenFile:
        stream = self._stack.enter_context(file.open())
        table = open_table(file, stream, self._limits)
        first: list[Numbered] = []
        rows = itertools.chain(first, table.rows)
        sample = first_rows(table.rows, first)
        if not first:
            raise UnreadableFile(f"{file.name} holds no rows.")
        return OpenFile(file, table, sample, rows)

    def source_of(self, file: OpenFile) -> str:
        """For rows that name none."""
        return self._source or self.shape.SOURCE or source_name(file.input.name)

    def learn(self, file: OpenFile) -> Iterator[tuple[int, RowRejected]]:
        """Reads what the votes refer to; yields the rows that could not be read."""
        size = 0
        for number, row in file.rows:
            if isinstance(row, RowRejected):
                yield number, row
                continue
            size += size_of_value(row)
            if size > MAX_LOOKUP_BYTES:
                raise UnreadableFile(f"{file.input.name} is too large to look rows up in: {MAX_LOOKUP_BYTES:,} bytes.")
            try:
                self.shape.learn(row, self._known)
            except RowRejected as rejected:
                yield number, rejected

    def batches(self, file: OpenFile) -> Iterator[Batch]:
        """Where the file turns out unreadable, what came before is given first, then the error is raised."""
        stopped: list[UnreadableFile] = []
        batch, votes, size = Batch(), 0, 0
        for number, row in until_unreadable(file.rows, stopped):
            batch.rows += 1
            try:
                item = self._item(number, row, file, batch.rejects)
            except RowRejected as rejected:
                batch.rejects.append((number, rejected))
            else:
                batch.items.append(item)
                votes += len(item.votes)
                size += size_of(item.pair) if isinstance(item.pair, PreparedRow) else 0
            if votes + len(batch.rejects) >= BATCH_VOTES or size >= BATCH_BYTES:
                batch.share_read = file.table.share_read()
                yield batch
                batch, votes, size = Batch(), 0, 0
        if batch.rows:
            batch.share_read = file.table.share_read()
            yield batch
        for error in stopped:
            raise error

    def _item(
        self, number: int, row: Row | RowRejected, file: OpenFile, rejects: list[tuple[int, RowRejected]]
    ) -> Item:
        if isinstance(row, RowRejected):
            raise row
        found = self.shape.read(row, self._known)
        pair, is_flipped = self._prepared(number, found, file)
        rejects.extend((number, vote) for vote in found.votes if isinstance(vote, RowRejected))
        votes = [vote for vote in found.votes if isinstance(vote, ParsedVote)]
        space = "" if self.shape.NAMES_ARE_IDS else pair.source
        return Item(number, pair, is_flipped, votes, found.subject, space)

    def _prepared(self, number: int, found: VotedItem, file: OpenFile) -> tuple[PreparedRow | Reference, bool]:
        source = self.source_of(file)
        if isinstance(found.pair, Reference):
            return _referred(found.pair, source)
        prepared = prepare(number, found.pair, source)
        if prepared.source not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                raise RowRejected("too_many_sources", f"The files name more than {MAX_SOURCES} sources.")
            self._sources.add(prepared.source)
        return prepared, prepared.content_a != found.pair.response_a.encode()


def _referred(pair: Reference, source: str) -> tuple[Reference, bool]:
    """A comparison's response_a is the one with the smaller hash, whatever the file calls it."""
    pair = pair._replace(source=pair.source or source)
    if pair.hashes is None or pair.hashes[1] <= pair.hashes[2]:
        return pair, False
    prompt, first, second = pair.hashes
    return pair._replace(hashes=(prompt, second, first)), True
