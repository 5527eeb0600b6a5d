"""Files of every kind and in every state of disrepair: the good rows come out, the rest is told."""

from __future__ import annotations

import gzip
import io
import json
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from corpus.importers._base import RowRejected
from corpus.readers.json_rows import json_array
from corpus.readers.limits import Limits, UnreadableFile
from corpus.readers.opening import InputFile, open_table

LIMITS = Limits(row_bytes=1000, unpack_ratio=100)
WIDE = Limits(row_bytes=8 * 2**20, unpack_ratio=100)
ROWS = [{"n": n, "text": f'row {n} é \\ " {{[ ]}}'} for n in range(5)]


def lines(rows: list[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(content: bytes, name: str = "x.jsonl", limits: Limits = LIMITS) -> list[Any]:
    """(number, row) or (number, reason of the rejection)."""
    file = InputFile(name, len(content), lambda: io.BytesIO(content))
    table = open_table(file, file.open(), limits)
    return [(number, row.reason if isinstance(row, RowRejected) else row) for number, row in table.rows]


def numbered(rows: list[Any]) -> list[Any]:
    return list(enumerate(rows, start=1))


def gzipped(content: bytes) -> bytes:
    """Without the time of day, so that every test process collects the same tests."""
    return gzip.compress(content, mtime=0)


def parquet(rows: list[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (lines(ROWS), "x.jsonl"),
        (b"\xef\xbb\xbf" + lines(ROWS), "x.jsonl"),
        (lines(ROWS).replace(b"\n", b"\r\n"), "x"),
        (json.dumps(ROWS).encode(), "x.json"),
        (json.dumps(ROWS, indent=2).encode(), "x.json"),
        (gzipped(lines(ROWS)), "x.jsonl.gz"),
        (gzipped(lines(ROWS[:2])) + gzipped(lines(ROWS[2:])) + b"\0" * 100, "x.jsonl.gz"),
        (zstandard.compress(lines(ROWS)), "x.jsonl.zst"),
        (zstandard.compress(lines(ROWS[:2])) + zstandard.compress(lines(ROWS[2:])), "misnamed.gz"),
        (parquet(ROWS, row_group_size=2), "x.parquet"),
        (parquet(ROWS), "misnamed.jsonl"),
    ],
)
def test_the_same_rows_come_out_of_every_container(content: bytes, name: str) -> None:
    assert read(content, name) == numbered(ROWS)


@pytest.mark.parametrize(("delimiter", "name"), [(",", "x.csv"), (";", "x.csv"), ("\t", "x.tsv"), (",", "x")])
def test_csv_is_read_by_its_header(delimiter: str, name: str) -> None:
    content = f"one{delimiter}two\n1{delimiter}2\r\n\n3{delimiter}".encode()
    assert read(content, name) == [(2, {"one": "1", "two": "2"}), (4, {"one": "3", "two": ""})]


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "x.jsonl", "is empty"),
        (gzipped(b""), "x.jsonl.gz", "empty once unpacked"),
        (b"PK\x03\x04rest", "x.zip", "ZIP"),
        ("{}".encode("utf-16"), "x.jsonl", "UTF-16"),
        (parquet(ROWS)[:-20], "x.parquet", "not a whole Parquet file"),
        (b"hello", "x.parquet", "not a Parquet file"),
        (gzipped(parquet(ROWS)), "x.parquet.gz", "unpack it first"),
        (b"one,one\n1,2\n", "x.csv", "same name"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, name: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(content, name)


@pytest.mark.parametrize("pack", [gzipped, zstandard.compress])
def test_of_a_packed_file_that_is_cut_off_the_whole_rows_come_in(pack: Any) -> None:
    # Several blocks, since zstd gives whole ones only.
    rows = [{"n": n, "text": random.Random(n).randbytes(30).hex()} for n in range(8_000)]
    packed = pack(lines(rows))
    found = read(packed[: len(packed) * 2 // 3], "x.jsonl.gz")
    assert len(found) > 3_000
    assert found[:-1] == numbered(rows)[: len(found) - 1]
    assert found[-1] == (len(found), "damaged_file")


def test_a_gzip_with_a_flipped_bit_gives_the_rows_before_it() -> None:
    packed = bytearray(gzipped(lines(ROWS)))
    packed[-6] ^= 1
    assert read(bytes(packed), "x.gz")[-1][1] == "damaged_file"


@pytest.mark.parametrize("pack", [gzipped, zstandard.compress])
def test_a_bomb_stops_with_a_message(pack: Any) -> None:
    with pytest.raises(UnreadableFile, match="more than 100 times") as stopped:
        read(pack(b'{"n": 1}\n' * 3_000_000), "x.jsonl.gz")
    assert stopped.value.is_bomb


def test_a_bomb_without_a_line_end_is_never_held_whole() -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b"a" * 2**20) for _ in range(200)) + packer.flush()
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="more than 100 times"):
        read(b'{"n": 1}\n'[:0] + packed, "x.jsonl.gz", WIDE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


def test_a_small_file_of_similar_rows_is_no_bomb() -> None:
    assert len(read(gzip.compress(b'{"n": 1}\n' * 100_000), "x.jsonl.gz")) == 100_000


def test_a_parquet_bomb_stops_as_well() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), ["x" * 500])
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": column}), buffer)
    with pytest.raises(UnreadableFile, match="more than 100 times"):
        read(buffer.getvalue(), "x.parquet", WIDE)


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.json"])
def test_a_line_of_20_megabytes_is_refused_and_not_held(name: str) -> None:
    huge = "y" * (20 * 2**20)
    rows = [{"text": "before"}, {"text": huge}, {"text": "after"}]
    content = lines(rows) if name == "x.jsonl" else json.dumps(rows).encode()
    if name == "x.csv":
        content = f'text\nbefore\n"{huge}"\nafter\n'.encode()
    del huge, rows
    tracemalloc.start()
    found = read(content, name, WIDE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row for _, row in found] == [{"text": "before"}, "row_too_long", {"text": "after"}]
    assert peak < 40 * 2**20


def test_a_broken_element_of_an_array_leaves_its_neighbours_alone() -> None:
    content = b'[{"n": 1}, {"n": }, 7, {"n": "caf\xe9"}, {"n": 2}, {"text": "' + b"z" * 2000 + b'"}, {"n": 3}]'
    assert [row for _, row in read(content, "x.json")] == [
        {"n": 1}, "broken_json", "not_an_object", "wrong_encoding", {"n": 2}, "row_too_long", {"n": 3},
    ]  # fmt: skip


def test_an_array_that_is_cut_off_gives_its_whole_elements() -> None:
    assert [row for _, row in read(b'[{"n": 1}, {"n": 2', "x.json")] == [{"n": 1}, "broken_json"]


def test_csv_with_a_stray_quote_refuses_that_row() -> None:
    found = read(b'one,two\n1,2\n"a"b,3\n4,5\n', "x.csv")
    assert [row for _, row in found] == [{"one": "1", "two": "2"}, "broken_csv", {"one": "4", "two": "5"}]


class Dribble(io.RawIOBase):
    """A stream that gives as little as it may."""

    def __init__(self, content: bytes, step: int) -> None:
        self._content, self._step, self._at = content, step, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._content[self._at : self._at + self._step]
        self._at += len(piece)
        return piece


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), values, max_size=3), max_size=4), st.integers(1, 9), st.booleans())
def test_an_array_is_cut_rightly_wherever_the_reads_end(rows: list[Any], step: int, is_ascii: bool) -> None:
    content = json.dumps(rows, ensure_ascii=is_ascii).encode(errors="replace")
    found: Iterator[Any] = json_array(Dribble(content, step), LIMITS)  # type: ignore[arg-type]  # reads are all it needs
    expected = json.loads(content)
    surrogates = [number for number, row in found if isinstance(row, RowRejected)]
    again: Iterator[Any] = json_array(Dribble(content, step), LIMITS)  # type: ignore[arg-type]  # as above
    assert [row for number, row in again if number not in surrogates] == [
        row for number, row in enumerate(expected, start=1) if number not in surrogates
    ]


def test_position_is_told_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines(ROWS))
    with path.open("rb") as stream:
        table = open_table(InputFile("x.jsonl", path.stat().st_size, lambda: path.open("rb")), stream, LIMITS)
        list(table.rows)
        assert table.share_read() == 1.0
        assert table.description == "JSON lines"
