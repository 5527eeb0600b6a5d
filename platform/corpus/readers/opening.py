"""Which kind of file this is, by its first bytes and its name, and its rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from corpus.importers._base import RowRejected
from corpus.readers.csv_rows import csv_rows
from corpus.readers.json_rows import Numbered, json_array, json_lines
from corpus.readers.limits import Limits, UnreadableFile
from corpus.readers.packed import Unpacked
from corpus.readers.parquet_rows import ParquetRows

BUFFER = 2**18
PACKINGS = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class InputFile:
    name: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass
class Table:
    """An open file: iterate over it once."""

    # JSON lines | JSON array | CSV | Parquet, and gz | zst when packed.
    container: str
    packing: str
    rows: Iterator[Numbered]
    # How much of the file has been read, 0..1.
    share_read: Callable[[], float]
    # Kept because a reader that is collected closes the file under it.
    reader: io.BufferedReader[Any] | None = None

    @property
    def description(self) -> str:
        return f"{self.container}, packed as {self.packing}" if self.packing else self.container


def open_table(file: InputFile, stream: BinaryIO, limits: Limits) -> Table:
    if not file.size:
        raise UnreadableFile(f"{file.name} is empty.")
    head = stream.read(4)
    stream.seek(0)
    if head == b"PAR1":
        table = ParquetRows(stream, name=file.name, size=file.size, limits=limits)
        return Table("Parquet", "", iter(table), lambda: table.done / (table.total or 1))
    packing = next((name for magic, name in PACKINGS.items() if head.startswith(magic)), "")
    if not packing:
        _refuse_by_magic(file.name, head)
    return _open_text(file, stream, packing, limits)


def _open_text(file: InputFile, stream: BinaryIO, packing: str, limits: Limits) -> Table:
    unpacked = (
        Unpacked(stream, name=file.name, packing=packing, packed_size=file.size, limits=limits) if packing else None
    )
    text = io.BufferedReader(cast(io.RawIOBase, unpacked or stream), BUFFER)
    start = _begin_of_text(file.name, text, unpacked)
    extension = _extension(file.name)
    rows: Iterator[Numbered]
    if extension in {".csv", ".tsv"} or (start not in b"[{" and extension not in {".json", ".jsonl", ".ndjson"}):
        container, rows = "CSV", csv_rows(text, limits, file.name)
    elif start == b"[":
        container, rows = "JSON array", json_array(text, limits)
    else:
        container, rows = "JSON lines", json_lines(text, limits)
    if unpacked is not None:
        rows = _with_damage(rows, unpacked)
    return Table(container, packing, rows, lambda: min(1.0, stream.tell() / file.size), text)


def _refuse_by_magic(name: str, head: bytes) -> None:
    if head.startswith(UTF16_MARKS):
        raise UnreadableFile(f"{name} is UTF-16; save it as UTF-8.")
    if head.startswith(b"PK\x03\x04"):
        raise UnreadableFile(f"{name} is a ZIP archive; unpack it first, or pack it with gzip or zstd.")
    if _extension(name) == ".parquet":
        raise UnreadableFile(f"{name} is not a Parquet file: it does not begin as one.")


def _begin_of_text(name: str, text: io.BufferedReader[Any], unpacked: Unpacked | None) -> bytes:
    """The first character that is not white space; a byte order mark is skipped."""
    head = text.peek(4096)
    if head.startswith(UTF8_MARK):
        text.read(len(UTF8_MARK))
        head = head[len(UTF8_MARK) :]
    if head.startswith(b"PAR1"):
        raise UnreadableFile(f"{name} is a packed Parquet file; unpack it first, Parquet is packed by itself.")
    if not head:
        raise UnreadableFile((unpacked and unpacked.damage) or f"{name} is empty once unpacked.")
    return head.lstrip()[:1] or b"{"


def _extension(name: str) -> str:
    path = PurePath(name.lower())
    return path.with_suffix("").suffix if path.suffix in {".gz", ".zst", ".zstd"} else path.suffix


def _with_damage(rows: Iterator[Numbered], unpacked: Unpacked) -> Iterator[Numbered]:
    """A packed file that ends early: its last, half row is the file's damage, not a broken row."""
    last: Numbered | None = None
    for numbered in rows:
        if last is not None:
            yield last
        last = numbered
    if not unpacked.damage:
        if last is not None:
            yield last
        return
    number = last[0] if last is not None else 0
    if last is not None and not isinstance(last[1], RowRejected):
        yield last
        number += 1
    yield max(number, 1), RowRejected("damaged_file", unpacked.damage)
