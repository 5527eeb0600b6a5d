"""The remarks that are put behind a response, and what each of them adds to its score.

    R_a(y) = mean over praise f of s_f(y) - mean over complaints f of s_f(y)         of aspect a
    R(y) = mean over aspects of R_a(y)

Both are linear in s, so a set of remarks is a matrix: exchanging praise and complaint turns every sign exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workers.engine.bench import Unworkable
from workers.engine.heads.bradley_terry import Floats


@dataclass(frozen=True)
class Aspect:
    """Each text once, in the order of the set."""

    name: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class FollowUps:
    aspects: tuple[Aspect, ...]
    # A response that says nothing.
    neutral: str

    @property
    def names(self) -> list[str]:
        return [aspect.name for aspect in self.aspects]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """All remarks, each once."""
        said = (text for aspect in self.aspects for text in (*aspect.positive, *aspect.negative))
        return tuple(dict.fromkeys(said))

    @property
    def praise(self) -> str:
        """A remark of each aspect: what a response would say that was written for this score alone."""
        return " ".join(aspect.positive[0] for aspect in self.aspects)

    @cached_property
    def weights(self) -> Floats:
        """[remarks, aspects]: with s [responses, remarks], s @ weights are the scores by aspect."""
        place = {text: number for number, text in enumerate(self.texts)}
        found = np.zeros((len(place), len(self.aspects)))
        for column, aspect in enumerate(self.aspects):
            for sign, texts in ((1, aspect.positive), (-1, aspect.negative)):
                for text in texts:
                    found[place[text], column] += sign / len(texts)
        return found


def read_set(document: Mapping[str, Any], aspects: str = "") -> FollowUps:
    """Of a checked document the aspects that are named with commas between, in the document's order; none = all."""
    known = {str(given["name"]): given for given in document["aspects"]}
    wanted = [name.strip() for name in aspects.split(",") if name.strip()] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise Unworkable(f"The follow-ups have no aspect {unknown[0]!r}; they have {', '.join(known)}.")
    chosen = (
        Aspect(name, _once(given["positive"]), _once(given["negative"]))
        for name, given in known.items()
        if name in wanted
    )
    return FollowUps(tuple(chosen), str(document["neutral"]))


def _once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
