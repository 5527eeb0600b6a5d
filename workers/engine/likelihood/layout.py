"""Rows laid out as tensors: ids, positions, who sees whom, which states predict what, and what each row begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.engine.likelihood.rows import Row
from workers.engine.likelihood.tree import Node


class Laid:
    """Rows laid out as tensors, padded at the right: ids and positions [rows, width], who sees whom."""

    def __init__(self, rows: Sequence[Row], device: Any) -> None:
        import torch

        self.past = max(row.past for row in rows)
        width = max(row.tokens for row in rows)
        ids = np.zeros((len(rows), width), np.int64)
        positions = np.zeros((len(rows), width), np.int64)
        segment = np.full((len(rows), width), -1, np.int64)
        self.offsets: list[list[int]] = []
        for number, row in enumerate(rows):
            at, offsets = 0, []
            for nth, node in enumerate(row.nodes):
                until = at + len(node.ids)
                ids[number, at:until] = node.ids
                positions[number, at:until] = np.arange(node.start, node.end)
                segment[number, at:until] = nth
                offsets.append(at)
                at = until
            self.offsets.append(offsets)
        self.ids, self.positions = torch.from_numpy(ids).to(device), torch.from_numpy(positions).to(device)
        self._segment = torch.from_numpy(segment).to(device)
        self._lengths = torch.tensor([row.past for row in rows], device=device)

    def mask(self, window: int | None = None) -> Any:
        """[rows, 1, width, past + width], True where a token is seen; padding sees itself, so that nothing is empty."""
        import torch

        rows, width = self.ids.shape
        device = self.ids.device
        own = (self._segment[:, :, None] == self._segment[:, None, :]) & torch.ones(
            width, width, dtype=torch.bool, device=device
        ).tril()
        own &= (self._segment >= 0)[:, :, None]
        places = torch.arange(self.past, device=device)
        before = (places < self._lengths[:, None])[:, None, :].expand(rows, width, self.past)
        if window:
            own &= self.positions[:, :, None] - self.positions[:, None, :] < window
            before = before & (self.positions[:, :, None] - places < window)
        own |= torch.eye(width, dtype=torch.bool, device=device)
        return torch.cat([before, own], dim=2)[:, None]


def wanted(
    rows: Sequence[Row], width: int, offsets: Sequence[Sequence[int]]
) -> tuple[list[int], list[int], list[tuple[Node, int, int]]]:
    """(states that predict a scored token, those tokens, [(node, first, end) of them]).

    States are numbered row by row, and behind them the last states of the rows' beginnings.
    """
    sources: list[int] = []
    targets: list[int] = []
    spans = []
    behind = len(rows) * width
    for number, row in enumerate(rows):
        for node, offset in zip(row.nodes, offsets[number], strict=True):
            first = len(targets)
            for position in range(max(node.begin, 1), node.end):
                within = position - node.start
                sources.append(number * width + offset + within - 1 if within else behind)
                targets.append(node.ids[within])
            spans.append((node, first, len(targets)))
        behind += row.begun is not None
    return sources, targets, spans


def gathered(cache: Any, rows: Sequence[Row], past: int, device: Any) -> Any:
    """A new cache in which each row holds its beginning, at places 0, 1, ..."""
    import torch

    index = torch.zeros(len(rows), past, dtype=torch.long, device=device)
    for number, row in enumerate(rows):
        if row.begun is not None:
            index[number, : row.past] = row.begun.places
    of = torch.tensor([row.begun.row if row.begun else 0 for row in rows], device=device)[:, None]
    fresh = empty_cache()
    for number, layer in enumerate(cache.layers):
        keys, values = (states.transpose(1, 2)[of, index].transpose(1, 2) for states in (layer.keys, layer.values))
        fresh.update(keys, values, number)
    return fresh


def empty_cache() -> Any:
    """Keeps every token in every layer: sliding windows are closed by the mask."""
    from transformers import DynamicCache

    return DynamicCache()
