"""JSON lines, and a JSON array element by element; a broken row never takes its neighbours along."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from corpus.importers._base import RowRejected, kind
from corpus.readers.limits import Limits, too_long

Numbered = tuple[int, dict[str, Any] | RowRejected]

SKIP_CHUNK = 2**16
ARRAY_CHUNK = 2**18
# A whole string, a bracket, or the quote of a string that ends beyond what has been read.
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]|"', re.DOTALL)
STRING_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def json_lines(stream: BinaryIO, limits: Limits) -> Iterator[Numbered]:
    most, number, loads = limits.row_bytes, 0, orjson.loads
    while line := stream.readline(most + 1):
        number += 1
        if len(line) > most and line[-1:] != b"\n":
            _skip_line(stream)
            yield number, RowRejected("row_too_long", too_long(limits))
            continue
        try:
            row = loads(line)
        except orjson.JSONDecodeError as error:
            if not line.isspace():
                yield number, broken(line, error)
            continue
        yield number, row if type(row) is dict else not_an_object(row)


def broken(data: bytes, error: orjson.JSONDecodeError) -> RowRejected:
    """What is wrong with this piece of JSON: its bytes, a surrogate, a NaN, or its grammar."""
    try:
        text = data.decode()
    except UnicodeDecodeError as undecodable:
        return RowRejected("wrong_encoding", f"Byte {undecodable.start + 1} of the row is not UTF-8.")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return RowRejected("broken_json", f"This is not JSON: {error.msg} (character {error.pos + 1}).")
    if re.search(r"\\u[dD][89a-fA-F]", text):
        return RowRejected("lone_surrogate", "The row holds half of a surrogate pair, which no text may.")
    return RowRejected("broken_json", f"This is not strict JSON (NaN, Infinity?): {error.msg}.")


def not_an_object(value: object) -> RowRejected:
    return RowRejected("not_an_object", f"The row is {kind(value)}, not an object with named fields.")


def _skip_line(stream: BinaryIO) -> None:
    while (piece := stream.readline(SKIP_CHUNK)) and piece[-1:] != b"\n":
        pass


def json_array(stream: BinaryIO, limits: Limits) -> Iterator[Numbered]:
    """The elements, numbered from 1."""
    number = 0
    for number, element in enumerate(_Elements(stream, limits), start=1):
        if isinstance(element, RowRejected):
            yield number, element
            continue
        try:
            row = orjson.loads(element)
        except orjson.JSONDecodeError as error:
            yield number, broken(element, error)
            continue
        yield number, row if type(row) is dict else not_an_object(row)


class _Elements:
    """Cuts an array into the bytes of its elements by counting brackets outside strings."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._buffer = b""
        # Where the current element, or the gap before it, begins; and how far the buffer has been looked at.
        self._begin = 0
        self._seen = 0
        self._is_too_long = False

    def __iter__(self) -> Iterator[bytes | RowRejected]:
        depth = 0
        while token := self._next_token():
            if token in b"{[":
                depth += 1
                if depth == 1:
                    self._begin = self._seen
                elif depth == 2:
                    yield from self._stray(self._seen - 1)
                    self._begin = self._seen - 1
            elif token in b"}]":
                depth -= 1
                if depth == 1:
                    yield self._element()
                elif depth <= 0:
                    yield from self._stray(self._seen - 1)
                    return
        if depth or self._buffer[self._begin :].strip():
            yield RowRejected("broken_json", "The array is not closed: the file ends inside this element.")

    def _element(self) -> bytes | RowRejected:
        element = self._buffer[self._begin : self._seen]
        is_too_long = self._is_too_long or len(element) > self._limits.row_bytes
        self._begin, self._is_too_long = self._seen, False
        return RowRejected("row_too_long", too_long(self._limits)) if is_too_long else element

    def _stray(self, end: int) -> Iterator[RowRejected]:
        """Whatever stands between two objects besides a comma."""
        if self._buffer[self._begin : end].strip(b" \t\r\n,"):
            yield RowRejected("not_an_object", "Something that is not an object stands between the rows.")

    def _next_token(self) -> bytes:
        """The next bracket outside a string, or nothing at the end of the file."""
        while True:
            match = TOKEN.search(self._buffer, self._seen)
            if match is None:
                self._seen = len(self._buffer)
                if not self._read_more():
                    return b""
            elif match[0] == b'"':
                self._seen = match.start()
                if len(self._buffer) - self._seen > self._limits.row_bytes:
                    self._skip_string()
                elif not self._read_more():
                    return b""
            else:
                self._seen = match.end()
                if match[0][:1] != b'"':
                    return match[0]

    def _read_more(self) -> bool:
        piece = self._stream.read(ARRAY_CHUNK)
        if len(self._buffer) - self._begin > self._limits.row_bytes:
            self._is_too_long = True
            self._begin = self._seen
        self._buffer = self._buffer[self._begin :] + piece
        self._seen -= self._begin
        self._begin = 0
        return bool(piece)

    def _skip_string(self) -> None:
        """A single string beyond the limit: read to its end and keep nothing of it."""
        self._is_too_long = True
        pending = self._buffer[self._seen + 1 :]
        self._begin = self._seen = 0
        while (match := STRING_END.match(pending)) is None:
            # A backslash and what it escapes must not be parted.
            tail = pending[len(pending.rstrip(b"\\")) :]
            pending = (b"\\" if len(tail) % 2 else b"") + (piece := self._stream.read(ARRAY_CHUNK))
            if not piece:
                self._buffer = b""
                return
        self._buffer = pending[match.end() :]
