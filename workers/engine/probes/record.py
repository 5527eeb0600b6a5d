"""What one probe found: a figure with its interval and n, the bar it was held against, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Probe:
    """`passed` is None where it cannot be said; `value` lies in `low`..`high` (95 %), None where there is none.

    `blocks`: a failure keeps the scorer from labelling. `required`: so does not being able to say.
    """

    name: str
    passed: bool | None
    words: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    bar: float | None = None
    blocks: bool = True
    required: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_in_the_way(self) -> bool:
        return (self.blocks and self.passed is False) or (self.required and self.passed is not True)

    def as_record(self) -> dict[str, Any]:
        return {
            "name": self.name, "passed": self.passed, "value": self.value, "low": self.low, "high": self.high,
            "n": self.n, "bar": self.bar, "words": self.words, "blocks": self.blocks, "details": self.details,
        }  # fmt: skip


def ends(interval: tuple[float, float] | None) -> tuple[float | None, float | None]:
    return interval if interval is not None else (None, None)


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
