"""Rows of a wide table in bounded memory: a table too big to hold lies in a file, and products read it in chunks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK = 8192
# Smaller tables in float32, and smaller selections of their rows in float64, are held in memory.
TABLE_BYTES = 64 * 2**20
HELD_BYTES = 256 * 2**20


def scratch(shape: tuple[int, int], folder: Path) -> NDArray[np.float32]:
    """Zeros [rows, columns]; big ones lie in a file of `folder` that has no name, so nothing is left of it."""
    if shape[0] * shape[1] * 4 <= TABLE_BYTES:
        return np.zeros(shape, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, np.float32, "w+", shape=shape)


def chunks_of(n: int) -> Iterator[slice]:
    for start in range(0, n, CHUNK):
        yield slice(start, min(start + CHUNK, n))


class Rows:
    """x[rows] * scale; `x` may be float32 and lie in a file. Products are in float64; those that ask to be quick stay
    in the precision of `x`, which is enough for the steps of a solver whose goal is checked in float64."""

    def __init__(self, x: NDArray[Any], rows: Ints | None = None, scale: Floats | None = None) -> None:
        self.x = x
        self.rows = np.arange(len(x)) if rows is None else rows
        self.scale = np.ones((x.shape[1], 1)) if scale is None else scale[:, None]
        self.shape = (len(self.rows), x.shape[1])
        self._held: dict[bool, NDArray[Any]] = {}
        if self.shape[0] * self.shape[1] * 8 <= HELD_BYTES:
            self._held[True] = x if rows is None else x[rows]
            self._held[False] = self._held[True].astype(np.float64, copy=False)

    def times(self, right: Floats, *, quick: bool = False) -> Floats:
        """x @ right."""
        out = np.empty((len(self.rows), right.shape[1]))
        weighed = self._as_read(self.scale * right, quick)
        for part, x in self._chunks(quick):
            out[part] = x @ weighed
        return out

    def back(self, right: Floats, *, quick: bool = False) -> Floats:
        """x.T @ right."""
        out = np.zeros((self.shape[1], right.shape[1]))
        given = self._as_read(right, quick)
        for part, x in self._chunks(quick):
            out += x.T @ given[part]
        return out * self.scale

    def gram(self, weights: Floats | None = None) -> Floats:
        """x.T @ diag(weights) @ x."""
        out = np.zeros((self.shape[1], self.shape[1]))
        for part, x in self._chunks(quick=False):
            out += x.T @ (x if weights is None else x * weights[part, None])
        return out * self.scale * self.scale[:, 0]

    def _as_read(self, values: Floats, quick: bool) -> NDArray[Any]:
        return values.astype(self.x.dtype) if quick else values

    def _chunks(self, quick: bool) -> Iterator[tuple[slice, NDArray[Any]]]:
        if self._held:
            yield slice(None), self._held[quick]
            return
        for part in chunks_of(len(self.rows)):
            x = np.asarray(self.x[self.rows[part]])
            yield part, x if quick else x.astype(np.float64)
