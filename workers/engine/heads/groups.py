"""What a fold keeps together, so that no model has seen the label that it speaks of in another guise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from workers.engine.heads.bradley_terry import Ints

MIN_PROMPTS = 50


class Prompted(Protocol):
    @property
    def prompt_id(self) -> int: ...
    @property
    def a_id(self) -> int: ...
    @property
    def b_id(self) -> int: ...


def prompt_groups(pairs: Sequence[Prompted], keep: str = "auto") -> tuple[str, Ints]:
    """("prompt", its number) or ("pair", a number of the unordered pair); `auto` takes pairs where prompts are few."""
    prompts = np.array([pair.prompt_id for pair in pairs], dtype=np.int64)
    if keep == "prompt" or (keep == "auto" and len(np.unique(prompts)) >= MIN_PROMPTS):
        return "prompt", prompts
    keys = [(min(pair.a_id, pair.b_id), max(pair.a_id, pair.b_id)) for pair in pairs]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    return "pair", np.array([numbers[key] for key in keys], dtype=np.int64)
