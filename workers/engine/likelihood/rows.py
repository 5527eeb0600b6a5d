"""Nodes of the tree packed into rows, and rows into slices that one forward pass takes, within budgets.

Several nodes that continue the same beginning lie in one row behind it and do not see each other, so that the beginning
is neither computed nor copied for each of them. What that wastes is attention between nodes of a row, so a row holds no
more new tokens than the beginning has, or `ROW_TOKENS` where that is less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.likelihood.tree import Node

ROW_TOKENS = 256


@dataclass(eq=False)
class Begun:
    """What a node left in the cache of its slice: `row` of it, at `places` (in order of positions), and the hidden
    state of its last token."""

    row: int
    places: Any
    last: Any

    def __len__(self) -> int:
        return int(self.places.shape[0])


@dataclass(eq=False)
class Row:
    """Nodes side by side behind `begun` (nothing, for roots)."""

    begun: Begun | None
    nodes: list[Node]

    @property
    def past(self) -> int:
        return 0 if self.begun is None else len(self.begun)

    @property
    def tokens(self) -> int:
        return sum(len(node.ids) for node in self.nodes)


@dataclass(frozen=True)
class Budget:
    """Of one forward pass: new tokens, padding counted, and bytes."""

    tokens: int
    memory: int
    # Keys and values of one token over all layers, and what a new token needs besides while it is computed.
    bytes_kept: int
    bytes_computed: int

    def holds(self, rows: int, past: int, tokens: int) -> bool:
        kept = rows * (past + tokens) * self.bytes_kept
        computed = rows * tokens * (self.bytes_computed + past + tokens)
        return rows * tokens <= self.tokens and 2 * kept + computed <= self.memory

    def halved(self) -> Budget:
        return Budget(max(1, self.tokens // 2), self.memory // 2, self.bytes_kept, self.bytes_computed)


def rows_of(begun: Begun | None, nodes: Sequence[Node]) -> list[Row]:
    """First fit, the longest first."""
    most = max(ROW_TOKENS, 0 if begun is None else len(begun))
    rows: list[Row] = []
    room: list[int] = []
    for node in sorted(nodes, key=lambda node: (-len(node.ids), node.ids)):
        at = next((number for number, left in enumerate(room) if left >= len(node.ids)), None)
        if at is None:
            rows.append(Row(begun, []))
            room.append(most)
            at = len(rows) - 1
        rows[at].nodes.append(node)
        room[at] -= len(node.ids)
    return rows


def slices(rows: Sequence[Row], budget: Budget) -> Iterator[list[Row]]:
    """Rows of like length together, the longest first, so that running out of memory shows at once."""
    waiting: list[Row] = []
    past = tokens = 0
    for row in sorted(rows, key=lambda row: (-row.tokens, -row.past)):
        wider_past, wider = max(past, row.past), max(tokens, row.tokens)
        if waiting and not budget.holds(len(waiting) + 1, wider_past, wider):
            yield waiting
            waiting, wider_past, wider = [], row.past, row.tokens
        waiting.append(row)
        past, tokens = wider_past, wider
    if waiting:
        yield waiting
