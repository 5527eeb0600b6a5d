"""The first rows of an upload as they would be read, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from corpus.importers._base import ParsedRow, RowRejected
from corpus.read_file import FileReading, ImportOptions
from corpus.readers.limits import Limits
from corpus.readers.opening import InputFile

ROWS_SHOWN = 5


@dataclass(frozen=True)
class PreviewRow:
    number: int
    row: ParsedRow | None
    rejected: RowRejected | None

    @property
    def label(self) -> str:
        if self.row is None or self.row.label is None:
            return "no label"
        if self.row.label == 0:
            return "a tie"
        better = "the first is better" if self.row.label < 0 else "the second is better"
        strength = abs(self.row.label)
        return better if strength == 1 else f"{better}, strength {strength}"


@dataclass(frozen=True)
class Preview:
    # A sentence that names the format.
    found: str
    container: str
    rows: list[PreviewRow]


def preview(file: InputFile, options: ImportOptions) -> Preview:
    """Raises a Problem when the file cannot be read at all."""
    with file.open() as stream:
        reading = FileReading(file, stream, options, Limits.from_settings())
        rows = [
            PreviewRow(number, *((None, row) if isinstance(row, RowRejected) else (row, None)))
            for number, row in islice(reading.parsed(), ROWS_SHOWN)
        ]
        found = reading.recognised.found if reading.recognised else "no row of the sample could be read"
        return Preview(found, reading.table.description, rows)
