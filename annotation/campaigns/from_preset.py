"""What a campaign asks, put together from a preset and from what was given beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEFAULT_KIND = "pairwise"


@dataclass(frozen=True)
class Asked:
    kind: str
    unit: str | None
    overlap: int
    settings: dict[str, Any]
    guidelines: str | None


def filled_in(
    preset: str,
    *,
    kind: str | None,
    unit: str | None,
    overlap: int | None,
    settings: dict[str, Any] | None,
    guidelines: str | None,
) -> Asked:
    """Settings of another kind than the preset's own start from that kind's defaults."""
    return Asked(kind or DEFAULT_KIND, unit, 1 if overlap is None else overlap, settings or {}, guidelines)
