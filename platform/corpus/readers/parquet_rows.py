"""Parquet, one small batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.importers._base import RowRejected
from corpus.readers.json_rows import Numbered
from corpus.readers.limits import Limits, UnreadableFile, too_long
from corpus.readers.packed import HARMLESS_BYTES

ROWS_AT_ONCE = 256


class ParquetRows:
    def __init__(self, stream: BinaryIO, *, name: str, size: int, limits: Limits) -> None:
        self._name = name
        self._size = size
        self._limits = limits
        self._unpacked = 0
        try:
            # Without pre_buffer and with a small buffer, a row group is never held whole.
            self._file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=2**20)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(f"{name} is not a whole Parquet file; was it cut off? ({_short(error)})") from error
        self.total = self._file.metadata.num_rows
        self.done = 0

    def __iter__(self) -> Iterator[Numbered]:
        for group in range(self._file.num_row_groups):
            after_group = self.done + self._file.metadata.row_group(group).num_rows
            try:
                yield from self._group(group)
            except (pa.ArrowException, OSError) as error:
                message = f"Rows {self.done + 1:,} to {after_group:,} cannot be read: {_short(error)}"
                yield self.done + 1, RowRejected("damaged_file", message)
            self.done = after_group

    def _group(self, group: int) -> Iterator[Numbered]:
        self._check_ratio(self._file.metadata.row_group(group).total_byte_size)
        for batch in self._file.iter_batches(ROWS_AT_ONCE, row_groups=[group], use_threads=False):
            nbytes = _unpacked_size(batch)
            self._unpacked += nbytes
            self._check_ratio(0)
            is_suspect = nbytes > self._limits.row_bytes
            for row in batch.to_pylist() if not is_suspect else _one_by_one(batch):
                self.done += 1
                if is_suspect and size_of_value(row) > self._limits.row_bytes:
                    yield self.done, RowRejected("row_too_long", too_long(self._limits))
                else:
                    yield self.done, row

    def _check_ratio(self, ahead: int) -> None:
        unpacked = self._unpacked + ahead
        if unpacked > max(HARMLESS_BYTES, self._size * self._limits.unpack_ratio):
            raise UnreadableFile(
                f"{self._name} stopped: it unpacks to more than {self._limits.unpack_ratio} times its size.",
                is_bomb=True,
            )


def _unpacked_size(batch: Any) -> int:
    """Bytes, with every value of a dictionary counted as often as it is used."""
    columns = (column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch)
    return sum(column.nbytes for column in columns)


def _one_by_one(batch: Any) -> Iterator[dict[str, Any]]:
    for index in range(batch.num_rows):
        yield batch.slice(index, 1).to_pylist()[0]


def size_of_value(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(size_of_value(item) for item in value.values())
    if isinstance(value, list):
        return sum(size_of_value(item) for item in value)
    return 8


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
