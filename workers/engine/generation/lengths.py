"""How long texts came out, over all pieces of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

BARS = 20


def lengths_of(pieces: Iterable[Mapping[str, int]]) -> dict[str, Any]:
    """From tokens -> texts of each piece: mean, quantiles (the least length that so large a share does not exceed), and
    a histogram of at most BARS bars of one width, {"from", "to", "n"} each."""
    counts: Counter[int] = Counter()
    for piece in pieces:
        counts.update({int(tokens): count for tokens, count in piece.items()})
    n = sum(counts.values())
    if not n:
        return {"n": 0}
    ordered = sorted(counts)
    mean = sum(tokens * count for tokens, count in counts.items()) / n
    width = max(1, -(-(ordered[-1] + 1) // BARS))
    bars = [{"from": start, "to": start + width - 1, "n": 0} for start in range(0, ordered[-1] + 1, width)]
    for tokens, count in counts.items():
        bars[tokens // width]["n"] += count
    quantiles = {f"p{share}": _quantile(counts, ordered, n * share / 100) for share in (10, 50, 90)}
    return {"n": n, "mean": mean, "longest": ordered[-1], "histogram": bars} | quantiles


def _quantile(counts: Counter[int], ordered: list[int], rank: float) -> int:
    seen = 0
    for tokens in ordered:
        seen += counts[tokens]
        if seen >= rank:
            return tokens
    return ordered[-1]
