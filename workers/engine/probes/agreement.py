"""How often margins agree with labels, and by how much more than other margins on the same rows.

Rows of one prompt are alike: intervals count what they are worth together (`workers.engine.people.clustered`), and a
difference draws whole prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workers.engine.heads.bradley_terry import Floats, Ints


def hits(margin: Floats, sign: Ints) -> Floats:
    """1 where the margin has the label's sign, 0 where the other, one half where it has none."""
    toward = np.asarray(sign * margin, dtype=np.float64)
    return np.asarray((toward > 0) + 0.5 * (toward == 0), dtype=np.float64)


def agreement(margin: Floats, sign: Ints, prompts: Ints) -> dict[str, Any]:
    """{"share", "interval", "n", "groups"} over the rows given, which are all labelled."""
    from workers.engine.people.clustered import clustered_share

    return clustered_share(hits(margin, sign), prompts)


def difference(one: Floats, other: Floats, sign: Ints, prompts: Ints, *, seed: Sequence[int]) -> dict[str, Any]:
    """By how much `one` agrees more often than `other`, paired; no interval below two prompts."""
    from workers.engine.gain.paired import bootstrap_means, interval

    n, groups = len(sign), len(np.unique(prompts))
    if not n:
        return {"value": None, "interval": None, "n": 0, "groups": 0}
    apart = (hits(one, sign) - hits(other, sign))[:, None]
    found: dict[str, Any] = {"value": float(apart.mean()), "interval": None, "n": n, "groups": groups}
    if groups > 1:
        found["interval"] = interval(bootstrap_means(apart, prompts, seed=seed)[:, 0])
    return found
