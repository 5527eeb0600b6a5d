"""Density ratios of responses: what a strong model finds more probable than a weak one.

    r(x, y) = log p_strong(y | T(x)) - log p_weak(y | T(x))          in nats, each model by its own template

Divided by tokens where both models count the same tokens in every response of the source; else by the bytes of the
text, since tokens of two tokenizers are two units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import TYPE_CHECKING

from workers.engine.bench import Bench
from workers.engine.ratios.template import shared_template

if TYPE_CHECKING:
    from workers.engine.likelihood.cached import Likely, Responses

ROWS_AT_ONCE = 2048
NATS, PER_TOKEN, PER_BYTE = "nats", "nats per token", "nats per byte"


@dataclass(frozen=True, slots=True)
class Ratio:
    """What both models say of one response."""

    strong: Likely
    weak: Likely

    @property
    def flags(self) -> list[str]:
        """Why not to trust it, of either model."""
        return sorted(self.strong.doubts | self.weak.doubts)

    @property
    def is_clean(self) -> bool:
        return self.strong.is_clean and self.weak.is_clean

    def value(self, unit: str) -> float:
        """NaN where a model gives no finite number, or the unit has nothing to count."""
        return _in_unit(self.strong.total - self.weak.total, self.strong, unit)

    def of_strong(self, unit: str) -> float:
        """The log-likelihood of the strong model alone, in the same unit."""
        return _in_unit(self.strong.total, self.strong, unit)


def _in_unit(total: float, one: Likely, unit: str) -> float:
    count = {NATS: 1, PER_TOKEN: one.tokens, PER_BYTE: max(one.n_bytes, 1)}[unit]
    return total / count if count and isfinite(total) else nan


@dataclass(frozen=True)
class Scale:
    """How two models are set against each other."""

    strong: str
    weak: str
    form: str = "sum"
    with_eot: bool = True
    # The strong model's template for both.
    is_template_shared: bool = False


def ratios(asked: Sequence[Responses], scale: Scale, bench: Bench) -> list[list[Ratio]]:
    """One per response, in the order asked; each model reads all rows before the other is loaded."""
    template = shared_template(scale.strong, scale.weak, bench) if scale.is_template_shared else None
    starts = range(0, len(asked), ROWS_AT_ONCE)
    found: dict[str, list[list[Likely]]] = {}
    for nth, model in enumerate((scale.strong, scale.weak)):
        found[model] = []
        # In pieces, since the token ids of a whole source need not lie in memory at once.
        for piece, start in enumerate(starts):
            part = _part_of(bench, nth * len(starts) + piece, 2 * len(starts))
            some = asked[start : start + ROWS_AT_ONCE]
            found[model] += part.likelihoods(some, model=model, with_eot=scale.with_eot, template=template)
    both = zip(found[scale.strong], found[scale.weak], strict=True)
    return [[Ratio(*said) for said in zip(*rows, strict=True)] for rows in both]


def _part_of(bench: Bench, nth: int, of: int) -> Bench:
    """A bench that tells progress as the `nth` of so many equal parts."""

    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        bench.progress(*((nth * total + done, of * total) if total else (done, total)), stage)

    return replace(bench, progress=progress)


def unit_of(found: Iterable[Ratio], form: str) -> str:
    """In which all responses of a source are measured."""
    if form == "sum":
        return NATS
    counted = [(one.strong.tokens, one.weak.tokens) for one in found if one.is_clean]
    return PER_TOKEN if all(strong == weak for strong, weak in counted) else PER_BYTE
