"""Texts that are nearly the same letter by letter: MinHash finds candidates, the overlap itself decides.

A text is the set of its shingles: the runs of SHINGLE bytes of its lower-cased UTF-8 with white space made one. Their
Jaccard similarity is |A and B| / |A or B|. MinHash by one permutation (Li, Owen, Zhang 2012): every shingle is hashed
once, its hash falls into one of BINS bins, and of each bin the smallest is kept; an empty bin borrows from the one that
a fixed hash of its number names (Shrivastava 2017). Two texts agree in a bin with a probability equal to their
similarity. Bins are read in bands of `rows`; texts that agree in a whole band are candidates. All arrays, no loop
over texts or shingles but by blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
SHINGLE = 9
BINS = 128
BLOCK_BYTES = 8_000_000
# A candidate that is as near as the threshold is missed less often than this.
MISSED = 0.01
LEADERS = 8
KEPT_TEXTS = 4096
EMPTY = np.uint64(2**64 - 1)
PRIME = np.uint64(0x9E3779B97F4A7C15)


def normal(text: str) -> bytes:
    return " ".join(text.lower().split()).encode(errors="replace")


def sketch(texts: Sequence[str], *, check: Callable[[], None] = lambda: None) -> Hashes:
    """The smallest hash of each bin, [texts, BINS], EMPTY where it has none: a kilobyte a text.

    The sketch of a union of texts is the elementwise minimum of theirs.
    """
    found = [np.zeros((0, BINS), np.uint64)]
    for block in _blocks([normal(text) for text in texts]):
        check()
        found.append(_minima(*_shingles(block), len(block)))
    return np.concatenate(found)


class Overlap:
    """Jaccard similarity of texts by their numbers; the shingles of the last few thousand texts are kept."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._kept: dict[int, Hashes] = {}

    def __call__(self, i: int, j: int) -> float:
        if i == j:
            return 1.0
        one, other = self._shingles_of(i), self._shingles_of(j)
        if not len(one) or not len(other):
            return float(len(one) == len(other))
        small, large = (one, other) if len(one) <= len(other) else (other, one)
        place = np.minimum(np.searchsorted(large, small), len(large) - 1)
        common = int((large[place] == small).sum())
        return common / (len(one) + len(other) - common)

    def _shingles_of(self, i: int) -> Hashes:
        if i not in self._kept:
            if len(self._kept) >= KEPT_TEXTS:
                self._kept.pop(next(iter(self._kept)))
            self._kept[i] = np.unique(_shingles([normal(self._texts[i])])[1])
        return self._kept[i]


def _blocks(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    size = 0
    for text in texts:
        if block and size + len(text) > BLOCK_BYTES:
            yield block
            block, size = [], 0
        block.append(text)
        size += len(text)
    if block:
        yield block


def _shingles(block: Sequence[bytes]) -> tuple[NDArray[np.int64], Hashes]:
    """Owner and hash of every shingle; a text shorter than a shingle is one shingle, padded with zeros."""
    padded = [text.ljust(SHINGLE, b"\0") if text else b"" for text in block]
    lengths = np.array([len(text) for text in padded], dtype=np.int64)
    letters = np.frombuffer(b"".join(padded), dtype=np.uint8).astype(np.uint64)
    if not len(letters):
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    n = len(letters) - SHINGLE + 1
    rolled = np.zeros(n, np.uint64)
    # Eight letters fill 64 bits; the ninth is mixed in.
    for offset in range(SHINGLE - 1):
        rolled |= letters[offset : offset + n] << np.uint64(8 * offset)
    rolled = _mixed(rolled) + letters[SHINGLE - 1 :] * PRIME
    counts = np.maximum(lengths - SHINGLE + 1, 0)
    owner = np.repeat(np.arange(len(block)), counts)
    ends = np.cumsum(lengths)
    offset_in = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, _mixed(rolled[np.repeat(ends - lengths, counts) + offset_in])


def _mixed(values: Hashes) -> Hashes:
    """The finaliser of splitmix64: every bit of the input turns each of the output with probability one half."""
    x = values + PRIME
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def _minima(owner: NDArray[np.int64], found: Hashes, n: int) -> Hashes:
    bins = np.full(n * BINS, EMPTY)
    np.minimum.at(bins, owner * BINS + (found >> np.uint64(57)).astype(np.int64), found)
    return bins.reshape(n, BINS)


def filled(bins: Hashes) -> Hashes:
    """Every empty bin takes the value of the first that is not, in an order fixed for its number."""
    table = bins.copy()
    rows, columns = np.nonzero((bins == EMPTY) & (bins != EMPTY).any(axis=1, keepdims=True))
    numbers = np.arange(BINS, dtype=np.uint64)
    attempt = 0
    while len(rows):
        attempt += 1
        lender = (_mixed(numbers * PRIME + np.uint64(attempt)) % np.uint64(BINS)).astype(np.int64)
        lent = bins[rows, lender[columns]]
        has_lent = lent != EMPTY
        table[rows[has_lent], columns[has_lent]] = lent[has_lent]
        rows, columns = rows[~has_lent], columns[~has_lent]
    return table


def rows_for(threshold: float) -> int:
    """Rows a band: the most that still find a pair at the threshold with probability 1 - MISSED."""
    fitting = [rows for rows in range(1, 33) if (1 - threshold**rows) ** (BINS // rows) <= MISSED]
    return max(fitting, default=1)


def near_texts(
    texts: Sequence[str], threshold: float, *, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, int, float]]:
    """(i, j, Jaccard) with i < j and Jaccard >= threshold, of distinct texts."""
    overlap = Overlap(texts)
    for i, j in candidates(sketch(texts, check=check), threshold, check=check):
        found = overlap(i, j)
        if found >= threshold:
            yield i, j, found


def candidates(
    bins: Hashes, threshold: float, *, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, int]]:
    """Each pair (i, j), i < j, that agrees in a band, once; of a large bucket, pairs with its first LEADERS.

    The links of many alike are then a star, which is enough to make a group.
    """
    usable = np.flatnonzero((bins != EMPTY).any(axis=1))
    table = filled(bins[usable])
    rows = rows_for(threshold)
    seen: set[int] = set()
    for band in range(BINS // rows):
        check()
        keys = _band_keys(table[:, band * rows : (band + 1) * rows])
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        edges = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])) if len(keys) else order
        sizes = np.diff(edges)
        for start, size in zip(edges[:-1][sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
            yield from _fresh(usable[order[start : start + size]].tolist(), seen, len(bins))


def _fresh(bucket: list[int], seen: set[int], n: int) -> Iterator[tuple[int, int]]:
    for at, one in enumerate(bucket[:LEADERS]):
        for other in bucket[at + 1 :]:
            key = one * n + other
            if key not in seen:
                seen.add(key)
                yield one, other


def _band_keys(columns: Hashes) -> Hashes:
    keys = np.zeros(len(columns), np.uint64)
    for column in range(columns.shape[1]):
        keys = _mixed(keys ^ columns[:, column])
    return keys
