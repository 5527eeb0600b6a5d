"""Which arcs must go so that a directed graph has no circle: a minimum feedback arc set, by weight.

A graph is a matrix w [n, n]: w[i, j] >= 0 is the weight of the arc i -> j, 0 where there is none. An order of the nodes
costs the weight of the arcs that point backward in it; the cheapest order names the set.

    exact        cost(S + i last) = cost(S) + sum_{j in S} w[i, j]      over subsets S (Held and Karp), 2^n n steps
    heuristic    Eades, Lin and Smyth's greedy order, then moves of one node to its best place while that helps
    lower bound  arc-disjoint circles found one after the other, each at the weight of its lightest arc
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# 2^16 subsets of 16 nodes: some tens of milliseconds, vectorised.
EXACT_UP_TO = 16


@dataclass(frozen=True)
class FeedbackSet:
    """`arcs[i, j]` is true where the arc i -> j goes; no set weighs less than `at_least`."""

    arcs: Bools
    weight: float
    at_least: float

    @property
    def is_minimum(self) -> bool:
        return self.weight <= self.at_least + 1e-9


def components(arcs: Bools) -> NDArray[np.int64]:
    """For every node the smallest node that it lies on circles with; itself where it lies on none."""
    reach = arcs | np.eye(len(arcs), dtype=np.bool_)
    for _ in range(max(1, int(np.ceil(np.log2(max(len(arcs), 2)))))):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    both = reach & reach.T
    return np.asarray(both.argmax(axis=1), dtype=np.int64)


def feedback_set(
    weights: Floats, *, exact_up_to: int = EXACT_UP_TO, check: Callable[[], None] = lambda: None
) -> FeedbackSet:
    """Of one strongly connected piece; where several sets weigh the same, the order of the nodes decides."""
    check()
    is_small = len(weights) <= exact_up_to
    backward = _backward(
        weights, _cheapest_order(weights) if is_small else _moved(weights, _greedy_order(weights), check)
    )
    weight = float(weights[backward].sum())
    at_least = weight if is_small else min(weight, _disjoint_circles(weights, check))
    return FeedbackSet(backward, weight, at_least)


def triangles(arcs: Bools) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each arc i -> j: in how many circles of three it lies, and how many third nodes have arcs with both."""
    a = arcs.astype(np.float64)
    either = ((a + a.T) > 0).astype(np.float64)
    circles = np.rint((a @ a).T * a).astype(np.int64)
    triads = np.rint((either @ either) * a).astype(np.int64)
    return circles, triads


def _cheapest_order(w: Floats) -> list[int]:
    n = len(w)
    subsets = np.arange(1 << n)
    # back[i][S]: what i pays when it comes after all of S; built by doubling.
    back = np.zeros((n, 1 << n))
    for j in range(n):
        back[:, 1 << j : 2 << j] = back[:, : 1 << j] + w[:, j : j + 1]
    cost = np.full(1 << n, np.inf)
    cost[0] = 0.0
    last = np.zeros(1 << n, dtype=np.int64)
    sizes = np.bitwise_count(subsets)
    for size in range(1, n + 1):
        some = subsets[sizes == size]
        for i in range(n):
            having = some[(some >> i) & 1 == 1]
            without = having ^ (1 << i)
            paid = cost[without] + back[i, without]
            is_better = paid < cost[having] - 1e-12
            cost[having[is_better]] = paid[is_better]
            last[having[is_better]] = i
    order, left = [], (1 << n) - 1
    while left:
        order.append(int(last[left]))
        left ^= 1 << order[-1]
    return order[::-1]


def _greedy_order(w: Floats) -> list[int]:
    """Sinks go last, sources first, and else the node that gives most more than it takes comes first."""
    left = list(range(len(w)))
    first: list[int] = []
    end: list[int] = []
    while left:
        gives, takes = w[np.ix_(left, left)].sum(axis=1), w[np.ix_(left, left)].sum(axis=0)
        sinks = np.flatnonzero(gives == 0)
        if len(sinks):
            end.append(left.pop(int(sinks[0])))
            continue
        sources = np.flatnonzero(takes == 0)
        chosen = int(sources[0]) if len(sources) else int(np.argmax(gives - takes))
        first.append(left.pop(chosen))
    return first + end[::-1]


def _moved(w: Floats, order: list[int], check: Callable[[], None]) -> list[int]:
    """Each node in turn goes to the place where it costs least, until a round changes nothing."""
    has_changed = True
    while has_changed:
        check()
        has_changed = False
        for node in sorted(order):
            at = order.index(node)
            rest = order[:at] + order[at + 1 :]
            # Before rest[k] it pays its arcs to those before that place, and the arcs to it of those after.
            before = np.concatenate([[0.0], np.cumsum(w[node, rest])])
            after = np.concatenate([np.cumsum(w[rest, node][::-1])[::-1], [0.0]])
            cost = before + after
            best = int(np.argmin(cost))
            if cost[best] < cost[at] - 1e-9:
                order = [*rest[:best], node, *rest[best:]]
                has_changed = True
    return order


def _backward(w: Floats, order: list[int]) -> Bools:
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.asarray((w > 0) & (place[:, None] > place[None, :]))


def _disjoint_circles(w: Floats, check: Callable[[], None]) -> float:
    """Shortest circles first: each takes the weight of its lightest arc from all its arcs."""
    left = w.copy()
    total = 0.0
    for start in range(len(w)):
        check()
        while (circle := _shortest_circle(left, start)) is not None:
            arcs = (circle, circle[1:] + circle[:1])
            lightest = float(left[arcs].min())
            left[arcs] -= lightest
            total += lightest
    return total


def _shortest_circle(w: Floats, start: int) -> list[int] | None:
    came_from: dict[int, int] = {}
    edge = [start]
    while edge:
        following: list[int] = []
        for node in edge:
            for other in np.flatnonzero(w[node] > 1e-12).tolist():
                if other == start:
                    path = [node]
                    while path[-1] != start:
                        path.append(came_from[path[-1]])
                    return path[::-1]
                if other not in came_from:
                    came_from[other] = node
                    following.append(other)
        edge = following
    return None
