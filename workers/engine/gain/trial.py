"""A recipe put to the test on one source: its rows, all that its rules read, and what can be fitted again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.engine.gain.arms import Hand
from workers.engine.gain.fields import DERIVED, Said, direction_of
from workers.engine.gain.recipes import Column, Key, Rule, column, first_match, keys_of
from workers.engine.heads.bradley_terry import Ints

if TYPE_CHECKING:
    from workers.engine.bench import Bench

# Labels of people, from the one that is believed first: a decision on this one row, a blind answer of an audit, an
# adjudication, the consensus of votes. Votes that were made up verify nothing.
ORIGINS = ("by hand", "audit", "adjudicated", "consensus")


@dataclass(frozen=True)
class Trial:
    """One entry per row in all sequences, in order of id. `pairs` carry the base label, which recipes read; `raw` is
    the label as it came, without what a person decided; `verified` that of people, `origins` says which."""

    pairs: Sequence[Any]
    raw: Sequence[int | None]
    hands: Sequence[Hand | None]
    verified: Sequence[int | None]
    origins: Sequence[str]
    # The first comparison of a group of near duplicates, where a run grouped them.
    copies: Sequence[int | None]
    rules: Sequence[Rule]
    # What the database says of the fields that the rules read, those of `refits` left out.
    values: Mapping[Key, Sequence[Any]]
    # By method: fitted again on the pairs given, with the parameters of its newest run.
    refits: Mapping[str, Callable[[Sequence[Any], Bench], Any]]
    # Comparisons of the source; more than there are rows where some were left out for their number.
    total: int
    notes: Sequence[str] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.pairs)

    def matched(self, rows: Ints, bench: Bench) -> Ints:
        """The rule that matches each of the rows, where signals were fitted on the labels of these rows alone."""
        columns = {
            key: column([values[row] for row in rows], key[1]) for key, values in self.values.items()
        } | self._fitted(rows, bench)
        return first_match(self.rules, columns, len(rows))

    def _fitted(self, rows: Ints, bench: Bench) -> dict[Key, Column]:
        pairs = [self.pairs[row] for row in rows]
        direction = direction_of([pair.label for pair in pairs])
        found: dict[Key, Column] = {}
        said: dict[str, Said] = {}
        for key in keys_of(self.rules):
            method = key[0].partition(".")[0]
            if key in self.values or method not in self.refits:
                continue
            if method not in said:
                outcome = self.refits[method](pairs, bench)
                by_id = {signal.pair_id: signal for signal in outcome.signals}
                said[method] = Said([by_id.get(pair.id) for pair in pairs], direction, outcome.result)
            found[key] = DERIVED[key[0]](said[method])
        return found

    @property
    def groups(self) -> Ints:
        """What a fold never divides: rows of one prompt, and prompts whose rows are near copies of each other."""
        heads: dict[tuple[str, int], tuple[str, int]] = {}

        def head(name: tuple[str, int]) -> tuple[str, int]:
            while (above := heads.setdefault(name, name)) != name:
                heads[name] = name = heads.setdefault(above, above)
            return name

        for pair, copy in zip(self.pairs, self.copies, strict=True):
            if copy is not None:
                heads[head(("copies", copy))] = head(("prompt", pair.prompt_id))
        numbers = [head(("prompt", pair.prompt_id))[1] for pair in self.pairs]
        return np.asarray(np.unique(numbers, return_inverse=True)[1], np.int64)
