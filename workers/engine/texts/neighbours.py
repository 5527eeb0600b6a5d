"""Which vectors lie close to each other, by faiss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048
# Above this an inverted index takes over: faster than comparing all with all, and it may miss a few.
EXACT_UP_TO = 60_000


def close_pairs(
    vectors: NDArray[np.float32], *, squared_distance: float, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Index arrays (i, j) with i < j and |v_i - v_j|^2 < squared_distance, block by block."""
    import faiss

    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    index = _index(faiss, vectors)
    for start in range(0, len(vectors), BLOCK):
        check()
        block = vectors[start : start + BLOCK]
        limits, _, found = index.range_search(block, squared_distance)
        rows = np.repeat(np.arange(start, start + len(block)), np.diff(limits).astype(np.int64))
        is_later = found > rows
        yield rows[is_later], found[is_later].astype(np.int64)


def _index(faiss: Any, vectors: NDArray[np.float32]) -> Any:
    dims = vectors.shape[1]
    if len(vectors) <= EXACT_UP_TO:
        index = faiss.IndexFlatL2(dims)
        index.add(vectors)
        return index
    cells = int(4 * np.sqrt(len(vectors)))
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(dims), dims, cells)
    index.train(vectors[:: max(1, len(vectors) // (50 * cells))])
    index.add(vectors)
    index.nprobe = 16
    return index


class Groups:
    """Union-find over 0..n-1; a group is named by its smallest member."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def join(self, i: int, j: int) -> None:
        i, j = self.of(i), self.of(j)
        self._parent[max(i, j)] = min(i, j)

    def of(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i
