"""The linear algebra of strengths: a graph of responses, with an edge per compared pair.

The curvature of the log-posterior in the strengths is the weighted Laplacian of that graph plus `precision` on the
diagonal. Newton steps solve it by conjugate gradients; variances come from the inverse of each connected part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from workers.engine.aggregation.votes import Floats, Ints, summed

CONJUGATE_STEPS = 100
# Of the squared residual; a Newton step need not be more exact than the next one is far.
GOAL = 1e-5
LONGEST_STEP = 2.0
# A larger connected part is not inverted: its gaps then have the variance that their own votes give, which is too wide.
LARGEST_BLOCK = 1000
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class _Block:
    """Connected parts of the same size m, n of them, as one array [n, m, m]; cells count it flat."""

    n: int
    m: int
    pairs: Ints
    responses: Ints
    # Of every pair: (a, a), (b, b), (a, b) and (b, a); and of every response its place on the diagonal.
    cells: tuple[Ints, Ints, Ints, Ints]
    own_cells: Ints


@dataclass(frozen=True)
class Graph:
    """Pairs (a, b) [pairs] of responses, counted from 0."""

    a: Ints
    b: Ints
    n_responses: int

    def newton_step(self, surprise: Floats, curvature: Floats, s: Floats, precision: float) -> Floats:
        """x with (Laplacian(curvature) + precision) x = gradient; surprise [pairs] is the slope in the gap."""
        gradient = self._scatter(surprise) - precision * s
        diagonal = precision + summed(self.b, curvature, len(s)) + summed(self.a, curvature, len(s))
        x = np.zeros_like(s)
        residual = gradient.copy()
        z = residual / diagonal
        direction = z.copy()
        rz = float(residual @ z)
        goal = GOAL * rz
        for _ in range(CONJUGATE_STEPS):
            if rz <= goal:
                break
            product = self._scatter(curvature * (direction[self.b] - direction[self.a])) + precision * direction
            length = rz / float(direction @ product)
            x += length * direction
            residual -= length * product
            z = residual / diagonal
            following = float(residual @ z)
            direction = z + following / rz * direction
            rz = following
        return np.clip(x, -LONGEST_STEP, LONGEST_STEP)

    def variances(self, curvature: Floats, precision: float) -> tuple[Floats, Floats]:
        """Var(s_b - s_a) of every pair, and Var(s) of every response (nan in parts that are not inverted)."""
        of_gap = 1.0 / (curvature + precision / 2)
        of_response = np.full(self.n_responses, np.nan)
        for block in self._blocks:
            inverse = _inverse(block, curvature[block.pairs], precision).ravel()
            aa, bb, ab, _ = block.cells
            of_gap[block.pairs] = inverse[aa] + inverse[bb] - 2 * inverse[ab]
            of_response[block.responses] = inverse[block.own_cells]
        return of_gap, of_response

    def _scatter(self, flow: Floats) -> Floats:
        return summed(self.b, flow, self.n_responses) - summed(self.a, flow, self.n_responses)

    @cached_property
    def _blocks(self) -> list[_Block]:
        return list(self._divided())

    def _divided(self) -> Iterator[_Block]:
        part, place, size = self._parts()
        part_of_pair = part[self.a]
        for m in np.unique(size).tolist():
            if m > LARGEST_BLOCK:
                continue
            parts = np.flatnonzero(size == m)
            at_once = max(1, NUMBERS_AT_ONCE // (m * m))
            for start in range(0, len(parts), at_once):
                some = parts[start : start + at_once]
                row = np.full(len(size), -1)
                row[some] = np.arange(len(some))
                pairs, responses = np.flatnonzero(row[part_of_pair] >= 0), np.flatnonzero(row[part] >= 0)
                of_part, i, j = row[part_of_pair[pairs]] * m, place[self.a[pairs]], place[self.b[pairs]]
                cells = tuple((of_part + x) * m + y for x, y in ((i, i), (j, j), (i, j), (j, i)))
                own = place[responses]
                yield _Block(len(some), m, pairs, responses, cells, (row[part[responses]] * m + own) * m + own)

    def _parts(self) -> tuple[Ints, Ints, Ints]:
        """Connected part of each response, its place within the part, and the size of each part."""
        shape = (self.n_responses, self.n_responses)
        graph = sparse.coo_matrix((np.ones(len(self.a)), (self.a, self.b)), shape=shape)
        _, part = connected_components(graph, directed=False)
        size = np.bincount(part)
        order = np.argsort(part, kind="stable")
        place = np.empty(self.n_responses, dtype=np.int64)
        place[order] = np.arange(self.n_responses) - np.repeat(np.cumsum(size) - size, size)
        return part.astype(np.int64), place, size


def _inverse(block: _Block, curvature: Floats, precision: float) -> Floats:
    """[n, m, m]: inverse of Laplacian + precision of each part."""
    aa, bb, ab, ba = block.cells
    n_cells = block.n * block.m * block.m
    links = summed(ab, curvature, n_cells) + summed(ba, curvature, n_cells)
    matrix = (summed(aa, curvature, n_cells) + summed(bb, curvature, n_cells) - links).reshape(
        block.n, block.m, block.m
    )
    matrix[:, np.arange(block.m), np.arange(block.m)] += precision
    return np.asarray(np.linalg.inv(matrix))
