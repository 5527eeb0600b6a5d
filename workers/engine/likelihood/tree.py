"""Passages that begin with the same tokens, joined into trees.

A causal model says of equal beginnings the same, so a prompt is computed once for all its responses, a response once
for all that may follow it, and a system turn once for a whole domain, whoever asks: sharing is found in the ids.
Branching has a price (one more forward pass), so that a common piece becomes a node of its own only where it saves at
least `LEAST_SAVED` tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workers.engine.likelihood.passages import Passage, alike

LEAST_SAVED = 32


@dataclass(eq=False)
class Node:
    """Tokens `ids` at positions `start`, `start + 1`, ...; what it continues is `parent`."""

    ids: tuple[int, ...]
    start: int
    # The first of its positions that somebody scores; its end where nobody does.
    begin: int
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None
    # Numbers of the passages that end with it.
    ends: list[int] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.ids)

    def size(self) -> int:
        """Tokens below and in it."""
        return len(self.ids) + sum(child.size() for child in self.children)


def forest(passages: Sequence[Passage], least_saved: int = LEAST_SAVED) -> list[Node]:
    """Trees whose paths from a root are the passages; the same for every order of them."""
    order = sorted(range(len(passages)), key=lambda number: (passages[number].ids, passages[number].begin))
    roots = _nodes(passages, order, 0, least_saved)
    for root in roots:
        _adopt(root)
    return roots


def path(leaf: Node) -> list[Node]:
    """From the root down."""
    found = [leaf]
    while found[-1].parent is not None:
        found.append(found[-1].parent)
    return found[::-1]


def _adopt(node: Node) -> None:
    for child in node.children:
        child.parent = node
        _adopt(child)


def _nodes(passages: Sequence[Passage], order: Sequence[int], depth: int, least_saved: int) -> list[Node]:
    """`order` lists passages in order of their ids, all longer than `depth` and alike up to it."""
    found: list[Node] = []
    for group in _by_next(passages, order, depth):
        first, last = passages[group[0]].ids, passages[group[-1]].ids
        # In sorted order whatever the first and the last share, all between them share.
        common = alike(first, last, depth)
        ending = [number for number in group if len(passages[number].ids) == common]
        going = group[len(ending) :]
        shared = common - depth
        if not going or shared * (len(going) - (not ending)) >= least_saved:
            node = Node(first[depth:common], depth, _first_scored(passages, group, depth, common), ends=ending)
            node.children = _nodes(passages, going, common, least_saved) if going else []
            found.append(node)
            continue
        if ending:
            found.append(Node(first[depth:common], depth, _first_scored(passages, ending, depth, common), ends=ending))
        found += [_longer(node, passages, depth) for node in _nodes(passages, going, common, least_saved)]
    return found


def _by_next(passages: Sequence[Passage], order: Sequence[int], depth: int) -> list[list[int]]:
    groups: list[list[int]] = []
    token = None
    for number in order:
        following = passages[number].ids[depth]
        if following != token:
            groups.append([])
            token = following
        groups[-1].append(number)
    return groups


def _first_scored(passages: Sequence[Passage], numbers: Sequence[int], start: int, end: int) -> int:
    return min(max(start, min(passages[number].begin for number in numbers)), end)


def _longer(node: Node, passages: Sequence[Passage], depth: int) -> Node:
    """The node with the tokens before it that were not worth a node of their own."""
    numbers = _below(node)
    ids = passages[numbers[0]].ids[depth : node.end]
    return Node(ids, depth, _first_scored(passages, numbers, depth, node.end), node.children, None, node.ends)


def _below(node: Node) -> list[int]:
    return node.ends + [number for child in node.children for number in _below(child)]
