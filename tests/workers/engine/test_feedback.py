"""Feedback arc sets: the fast search agrees with trying every order, and the heuristic is bounded from both sides."""

from __future__ import annotations

import time
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.feedback import components, feedback_set, triangles


def _graph(n: int, seed: int, density: float = 0.6) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, (n, n)) * (rng.random((n, n)) < density)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float64)


def _cheapest_by_trying_all(w: NDArray[np.float64]) -> float:
    nodes = range(len(w))
    return min(
        float(sum(w[order[j], order[i]] for i in nodes for j in nodes if i < j)) for order in permutations(nodes)
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_exact_set_is_what_trying_every_order_finds(seed: int) -> None:
    w = _graph(2 + seed % 5, seed)
    found = feedback_set(w)
    assert found.weight == _cheapest_by_trying_all(w)
    assert found.is_minimum
    assert not _has_circle(np.where(found.arcs, 0.0, w))


def _has_circle(w: NDArray[np.float64]) -> bool:
    power = np.linalg.matrix_power((w > 0).astype(np.float64) + np.eye(len(w)), len(w))
    closed: NDArray[np.bool_] = (power > 0) & (power.T > 0) & ~np.eye(len(w), dtype=np.bool_)
    return bool(closed.any())


@pytest.mark.parametrize("seed", range(20))
def test_the_heuristic_and_its_bound_hold_the_truth_between_them(seed: int) -> None:
    w = _graph(9, seed)
    exact, rough = feedback_set(w), feedback_set(w, exact_up_to=0)
    assert rough.at_least <= exact.weight <= rough.weight <= 1.2 * exact.weight
    assert rough.weight == w[rough.arcs].sum()
    assert not _has_circle(np.where(rough.arcs, 0.0, w))


def test_pieces_are_what_lies_on_circles_together() -> None:
    arcs = np.zeros((6, 6), dtype=np.bool_)
    for i, j in [(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 5), (5, 4)]:
        arcs[i, j] = True
    assert components(arcs).tolist() == [0, 0, 0, 3, 4, 4]


def test_triangles_agree_with_counting() -> None:
    arcs = _graph(8, 3, density=0.3) > 0
    circles, triads = triangles(arcs)
    for i, j in zip(*np.nonzero(arcs), strict=True):
        others = [k for k in range(8) if k not in (i, j)]
        assert circles[i, j] == sum(arcs[j, k] and arcs[k, i] for k in others)
        assert triads[i, j] == sum((arcs[i, k] or arcs[k, i]) and (arcs[j, k] or arcs[k, j]) for k in others)


def test_forty_nodes_take_a_second_or_two() -> None:
    started = time.perf_counter()
    found = feedback_set(_graph(40, 1, density=0.5))
    assert 0 < found.at_least <= found.weight
    assert time.perf_counter() - started < 10
