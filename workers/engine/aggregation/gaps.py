"""The linear algebra of strengths: a graph of responses, with an edge per compared pair.

The curvature of the log-posterior in the strengths is the weighted Laplacian of that graph plus `precision` on the
diagonal. Newton steps solve it by conjugate gradients; variances come from the inverse of each connected part.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from workers.engine.aggregation.votes import Floats, Ints, summed

CONJUGATE_STEPS = 100
LONGEST_STEP = 2.0
# A larger connected part is not inverted: its gaps then have the variance that their own votes give, which is too wide.
LARGEST_BLOCK = 1000
NUMBERS_AT_ONCE = 4_000_000


def newton_strengths(a: Ints, b: Ints, surprise: Floats, curvature: Floats, s: Floats, precision: float) -> Floats:
    """The step x with (Laplacian(curvature) + precision) x = gradient; surprise [pairs] is the slope in the gap."""
    gradient = _scatter(a, b, surprise, len(s)) - precision * s
    diagonal = precision + _degree(a, b, curvature, len(s))
    x = np.zeros_like(s)
    residual = gradient.copy()
    z = residual / diagonal
    direction = z.copy()
    rz = float(residual @ z)
    goal = 1e-8 * rz
    for _ in range(CONJUGATE_STEPS):
        if rz <= goal:
            break
        product = _scatter(a, b, curvature * (direction[b] - direction[a]), len(s)) + precision * direction
        length = rz / float(direction @ product)
        x += length * direction
        residual -= length * product
        z = residual / diagonal
        following = float(residual @ z)
        direction = z + following / rz * direction
        rz = following
    return np.clip(x, -LONGEST_STEP, LONGEST_STEP)


def variances(a: Ints, b: Ints, curvature: Floats, n_responses: int, precision: float) -> tuple[Floats, Floats]:
    """Var(s_b - s_a) of every pair, and Var(s) of every response (nan in parts that are not inverted)."""
    part, place, size = _parts(a, b, n_responses)
    of_gap = 1.0 / (curvature + precision / 2)
    of_response = np.full(n_responses, np.nan)
    part_of_pair = part[a]
    for m in np.unique(size):
        if m > LARGEST_BLOCK:
            continue
        parts = np.flatnonzero(size == m)
        at_once = max(1, NUMBERS_AT_ONCE // int(m * m))
        for start in range(0, len(parts), at_once):
            some = parts[start : start + at_once]
            row = np.full(len(size), -1)
            row[some] = np.arange(len(some))
            pairs, responses = np.flatnonzero(row[part_of_pair] >= 0), np.flatnonzero(row[part] >= 0)
            covariance = _inverse(
                row[part_of_pair[pairs]],
                place[a[pairs]],
                place[b[pairs]],
                curvature[pairs],
                len(some),
                int(m),
                precision,
            )
            which, i, j = row[part_of_pair[pairs]], place[a[pairs]], place[b[pairs]]
            of_gap[pairs] = covariance[which, i, i] + covariance[which, j, j] - 2 * covariance[which, i, j]
            of_response[responses] = covariance[row[part[responses]], place[responses], place[responses]]
    return of_gap, of_response


def _parts(a: Ints, b: Ints, n_responses: int) -> tuple[Ints, Ints, Ints]:
    """Connected part of each response, its place within the part, and the size of each part."""
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(n_responses, n_responses))
    _, part = connected_components(graph, directed=False)
    size = np.bincount(part)
    order = np.argsort(part, kind="stable")
    place = np.empty(n_responses, dtype=np.int64)
    place[order] = np.arange(n_responses) - np.repeat(np.cumsum(size) - size, size)
    return part.astype(np.int64), place, size


def _inverse(which: Ints, i: Ints, j: Ints, curvature: Floats, n: int, m: int, precision: float) -> Floats:
    """[n, m, m]: inverse of Laplacian + precision of n parts with m responses each."""
    cells = np.concatenate([(which * m + x) * m + y for x, y in ((i, i), (j, j), (i, j), (j, i))])
    weights = np.concatenate([curvature, curvature, -curvature, -curvature])
    matrix = summed(cells, weights, n * m * m).reshape(n, m, m)
    matrix[:, np.arange(m), np.arange(m)] += precision
    return np.asarray(np.linalg.inv(matrix))


def _scatter(a: Ints, b: Ints, flow: Floats, n: int) -> Floats:
    return summed(b, flow, n) - summed(a, flow, n)


def _degree(a: Ints, b: Ints, weights: Floats, n: int) -> Floats:
    return summed(b, weights, n) + summed(a, weights, n)
