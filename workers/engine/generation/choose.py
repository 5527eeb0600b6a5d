"""The next token of each row, by a number between 0 and 1 that was drawn for it beforehand."""

from __future__ import annotations

from typing import Any

from workers.engine.generation.written import Sampling


def choose(logits: Any, chances: Any, sampling: Sampling) -> Any:
    """logits [rows, vocabulary], chances [rows] in [0, 1) -> ids [rows].

    The tokens in order of probability, the most probable `top_k` of them, and of these the fewest that make up
    `top_p`; the first whose running sum is above the chance. Equal ones come in order of their ids.
    """
    import torch

    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    ordered, ids = torch.sort(logits.float() / sampling.temperature, dim=-1, descending=True, stable=True)
    if sampling.top_k:
        ordered, ids = ordered[:, : sampling.top_k], ids[:, : sampling.top_k]
    shares = torch.softmax(ordered.double(), dim=-1)
    # The one that reaches the bound still counts, so the first always does.
    shares = torch.where(shares.cumsum(-1) - shares < sampling.top_p, shares, 0.0)
    sums = shares.cumsum(-1)
    place = (sums <= chances[:, None] * sums[:, -1:]).sum(-1, keepdim=True)
    # Where there are no numbers none is kept, and any id will do.
    last = ((shares > 0).sum(-1, keepdim=True) - 1).clamp(min=0)
    return ids.gather(-1, torch.minimum(place, last))[:, 0]
