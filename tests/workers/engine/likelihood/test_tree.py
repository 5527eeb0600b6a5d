"""Passages joined where they begin alike."""

from __future__ import annotations

import numpy as np
import pytest

from workers.engine.likelihood.passages import Passage
from workers.engine.likelihood.rows import ROW_TOKENS, Budget, Row, rows_of, slices
from workers.engine.likelihood.tree import Node, forest, path


def leaves(nodes: list[Node]) -> dict[int, Node]:
    found = {number: node for node in nodes for number in node.ends}
    for node in nodes:
        found |= leaves(node.children)
    return found


def size(roots: list[Node]) -> int:
    return sum(root.size() for root in roots)


def test_every_path_is_its_passage() -> None:
    rng = np.random.default_rng(0)
    passages = [Passage(tuple(rng.integers(0, 2, rng.integers(1, 12)).tolist()), 1) for _ in range(200)]
    for least in (1, 3, 1000):
        found = leaves(forest(passages, least))
        for number, passage in enumerate(passages):
            nodes = path(found[number])
            assert tuple(token for node in nodes for token in node.ids) == passage.ids
            assert [node.start for node in nodes] == [0, *(node.end for node in nodes[:-1])]
            assert all(node.begin <= max(node.start, passage.begin) for node in nodes)


def test_a_shared_beginning_is_there_once() -> None:
    prompt = tuple(range(50))
    passages = [Passage((*prompt, 100 + number, 7), 50) for number in range(8)]
    [root] = forest(passages)
    assert (root.ids, len(root.children), size([root])) == (prompt, 8, 50 + 16)


def test_branching_that_saves_little_is_left_alone() -> None:
    passages = [Passage((1, 2, 3, number), 1) for number in range(8)]
    assert size(forest(passages)) == 8 * 4
    assert size(forest(passages, least_saved=21)) == 3 + 8


def test_a_passage_that_ends_where_others_go_on_needs_no_node_of_its_own() -> None:
    response = tuple(range(60))
    [root] = forest([Passage(response, 40), Passage((*response, 99), 60), Passage(response, 40)])
    assert (sorted(root.ends), root.begin, [child.ids for child in root.children]) == ([0, 2], 40, [(99,)])


def test_the_first_token_can_never_be_scored() -> None:
    for begin in (0, 4):
        with pytest.raises(ValueError, match="1 to 3"):
            Passage((1, 2, 3), begin)


def test_rows_take_no_more_than_their_beginning_or_the_floor() -> None:
    nodes = [Node(tuple(range(length)), 0, 1) for length in (300, 200, 100, 50, 5)]
    rows = rows_of(None, nodes)
    assert sorted(sum(map(len, (node.ids for node in row.nodes))) for row in rows) == [100, 255, 300]
    assert all(len(row.nodes) == 1 or row.tokens <= ROW_TOKENS for row in rows)


def test_slices_hold_their_budget_with_the_padding_counted() -> None:
    rows = [Row(None, [Node(tuple(range(length)), 0, 1)]) for length in (90, 40, 10, 10, 10)]
    parts = list(slices(rows, Budget(tokens=100, memory=10**9, bytes_kept=1, bytes_computed=1)))
    assert [[row.tokens for row in part] for part in parts] == [[90], [40, 10], [10, 10]]
