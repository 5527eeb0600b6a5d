"""gzip and zstd unpacked as they are read, with an eye on bombs and on files that end early."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

import zstandard

from corpus.readers.limits import Limits, UnreadableFile

# Below this a high ratio is just a small file of similar rows.
HARMLESS_BYTES = 4 * 2**20
GZIP_CHUNK = 64 * 1024
# A zstd block of four bytes may unpack to 128 KiB, and its decoder takes no output limit.
ZSTD_CHUNK = 1024
MAX_OUTPUT = 256 * 1024


class Unpacked(io.RawIOBase):
    """The unpacked bytes. A damaged end reads as the end of the file, and `damage` says what is wrong."""

    def __init__(self, packed: BinaryIO, *, name: str, packing: str, packed_size: int, limits: Limits) -> None:
        self.damage = ""
        self._packed = packed
        self._name = name
        self._packing = packing
        self._most = max(HARMLESS_BYTES, packed_size * limits.unpack_ratio)
        self._ratio = limits.unpack_ratio
        self._unpacked = 0
        self._waiting = b""
        self._output = memoryview(b"")
        self._decoder = self._new_decoder()
        self._has_begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._output:
            chunk = self._next_chunk()
            if chunk is None:
                return 0
            self._unpacked += len(chunk)
            if self._unpacked > self._most:
                raise UnreadableFile(
                    f"{self._name} stopped: it has unpacked to more than {self._ratio} times its size. "
                    "Unpack it yourself if it is what you expect.",
                    is_bomb=True,
                )
            self._output = memoryview(chunk)
        size = min(len(buffer), len(self._output))
        buffer[:size] = self._output[:size]
        self._output = self._output[size:]
        return size

    def _new_decoder(self) -> Any:
        return zlib.decompressobj(wbits=31) if self._packing == "gz" else zstandard.ZstdDecompressor().decompressobj()

    def _next_chunk(self) -> bytes | None:
        """Some unpacked bytes (perhaps none yet), or None at the end."""
        if self.damage:
            return None
        if self._decoder.eof:
            self._waiting = (self._decoder.unused_data or self._waiting).lstrip(b"\0") or self._read()
            if not self._waiting.strip(b"\0"):
                return None
            self._decoder, self._has_begun = self._new_decoder(), False
        data = self._waiting or self._read()
        if not data:
            self.damage = f"{self._name} ends early: the {self._packing} data is cut off."
            return None
        before = self._decoder.copy() if self._packing == "gz" else None
        try:
            return self._decode(data)
        except (zlib.error, zstandard.ZstdError) as error:
            self.damage = f"{self._name} is damaged and cannot be unpacked further: {error}."
            return _what_is_whole(before, data) if before else None

    def _decode(self, data: bytes) -> bytes:
        if self._packing == "gz":
            chunk: bytes = self._decoder.decompress(data, MAX_OUTPUT)
            self._waiting = self._decoder.unconsumed_tail
            return chunk
        self._waiting = data[ZSTD_CHUNK:]
        chunk = self._decoder.decompress(data[:ZSTD_CHUNK])
        if self._decoder.eof:
            self._waiting = self._decoder.unused_data + self._waiting
        return chunk

    def _read(self) -> bytes:
        return self._packed.read(GZIP_CHUNK)


def _what_is_whole(decoder: Any, data: bytes) -> bytes:
    """What a damaged chunk gives before the place of its damage, found byte by byte."""
    whole = bytearray()
    try:
        for at in range(len(data)):
            whole += decoder.decompress(data[at : at + 1], MAX_OUTPUT)
            if len(whole) >= MAX_OUTPUT:
                break
    except zlib.error:
        pass
    return bytes(whole)
