"""The method as a worker calls it: bad input gets a sentence, cancelling stops it, the same seed says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.conftest import EchoBench
from workers.engine.bench import Bench, Unworkable
from workers.engine.gain.recipes import Compare, Rule
from workers.engine.gain.trial import Trial
from workers.engine.texts.embeddings import Embedded
from workers.methods import gain
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]
SMALL = gain.Params(recipe="mine", seeds=2, folds=3)
RULES = (Rule("long", Compare("length_a", ">", 15.0, "number"), "drop"), Rule("rest", None, "keep"))


def _trial(pairs: list[Pair]) -> Trial:
    n = len(pairs)
    return Trial(
        pairs=pairs, raw=[pair.label for pair in pairs], hands=[None] * n, verified=[None] * n, origins=[""] * n,
        copies=[None] * n, rules=RULES, values={("length_a", "number"): [float(pair.id % 20) for pair in pairs]},
        refits={}, total=n, notes=["A note."],
    )  # fmt: skip


def test_the_same_seed_says_the_same_and_all_arms_are_told(make_pairs: MakePairs, bench: Bench) -> None:
    once, again = (gain.run(_trial(make_pairs(90)), SMALL, bench).result for _ in range(2))
    assert once == again
    judged = once["judged"]["imported"]
    assert set(judged["arms"]) == {"raw", "curated", "random", "length", "longer"}
    for figure in [*judged["arms"].values(), *judged["differences"].values()]:
        assert figure["low"] <= figure["value"] <= figure["high"] and len(figure["seeds"]) == 2
    assert once["notes"] == ["A note."] and once["trained"]["curated"]["left out"] > 0


def test_too_few_rows_and_ties_get_a_sentence(make_pairs: MakePairs, bench: Bench) -> None:
    assert "Too little" in gain.run(_trial(make_pairs(12)), SMALL, bench).result["problem"]
    tied = [replace(pair, label=0) for pair in make_pairs(90)]
    assert "0 of 90 comparisons" in gain.run(_trial(tied), SMALL, bench).result["problem"]


def test_an_encoder_that_gives_no_numbers_gets_a_sentence(make_pairs: MakePairs, tmp_path: Path) -> None:
    class Broken(EchoBench):
        def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
            found = super().embed(texts, model=model)
            found.vectors[0] = np.nan
            return found

    result = gain.run(_trial(make_pairs(90)), SMALL, Broken(cache=tmp_path)).result
    assert "comparisons features that are no numbers" in result["problem"] and "judged" not in result


def test_cancel_stops_it(make_pairs: MakePairs, bench: Bench) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        gain.run(_trial(make_pairs(90)), SMALL, replace(bench, check_cancelled=stop))


def test_a_run_without_a_recipe_is_refused_before_it_starts() -> None:
    with pytest.raises(Unworkable, match="Say which recipe"):
        gain.preflight(gain.Params())


def test_a_source_that_was_not_measured_leaves_the_rest_intact(make_pairs: MakePairs, bench: Bench) -> None:
    asked: dict[str, Any] = {"recipe": {"id": 1, "name": "mine", "version": 1}, "runs": {}}
    one = gain.run(_trial(make_pairs(90)), SMALL, bench).result | asked
    none = gain.run(_trial(make_pairs(12)), SMALL, bench).result | asked
    result = gain.combine({"1": one, "2": none})
    assert result["overall"]["n"] == 90 and "problem" in result["sources"]["2"]
    assert result["recipe"] == asked["recipe"] and "recipe" not in result["sources"]["1"]
    assert gain.combine({"2": none})["overall"] is None
