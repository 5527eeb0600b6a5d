"""CSV with a header; line ends inside quotes stay as they are."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from corpus.importers._base import RowRejected
from corpus.readers.json_rows import SKIP_CHUNK, Numbered
from corpus.readers.limits import Limits, UnreadableFile, too_long

DELIMITERS = ",;\t"


def csv_rows(stream: BinaryIO, limits: Limits, name: str) -> Iterator[Numbered]:
    """Rows by the number of the line on which they begin."""
    lines = _Lines(stream, limits)
    csv.field_size_limit(limits.row_bytes)
    first = next(lines, "")
    delimiter = max(DELIMITERS, key=first.count)
    lines.give_back(first)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _header(reader, name)
    while True:
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield lines.row_begins, lines.rejection() or RowRejected("broken_csv", f"This is not CSV: {error}.")
            continue
        rejection = lines.rejection()
        if rejection:
            yield lines.row_begins, rejection
        elif len(cells) == len(header):
            yield lines.row_begins, dict(zip(header, cells, strict=True))
        elif cells:
            message = f"The row has {len(cells)} fields, the header has {len(header)}."
            yield lines.row_begins, RowRejected("wrong_number_of_fields", message)


def _header(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise UnreadableFile(f"{name}: the first line is no CSV header: {error}.") from error
    if len(set(header)) != len(header):
        raise UnreadableFile(f"{name}: two columns of the header have the same name.")
    return header


class _Lines:
    """Decoded lines for csv.reader, with what is wrong with the lines of the current row."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.row_begins = 1
        self._stream = stream
        self._limits = limits
        self._number = 0
        self._row_bytes = 0
        self._is_undecodable = False
        self._given_back: str | None = None

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._given_back is not None:
            line, self._given_back = self._given_back, None
            return line
        data = self._stream.readline(self._limits.row_bytes + 1)
        if not data:
            raise StopIteration
        self._number += 1
        self._row_bytes += len(data)
        if self._row_bytes > self._limits.row_bytes:
            self._skip_rest_of(data)
            raise csv.Error("the row is too long")
        try:
            return data.decode()
        except UnicodeDecodeError:
            self._is_undecodable = True
            return data.decode(errors="replace")

    def give_back(self, line: str) -> None:
        self._given_back = line

    def begin_row(self) -> None:
        self.row_begins = self._number + 1
        self._row_bytes, self._is_undecodable = 0, False

    def rejection(self) -> RowRejected | None:
        if self._row_bytes > self._limits.row_bytes:
            return RowRejected("row_too_long", too_long(self._limits))
        if self._is_undecodable:
            return RowRejected("wrong_encoding", "The row is not UTF-8.")
        return None

    def _skip_rest_of(self, data: bytes) -> None:
        while data and data[-1:] != b"\n":
            data = self._stream.readline(SKIP_CHUNK)
