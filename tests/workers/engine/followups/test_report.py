"""What a report of follow-up scores says, on numbers that are made up so that the answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tests.workers.engine.followups.made import NAMES, measured
from workers.engine.followups.report import factors, report
from workers.engine.followups.said import Measured, Said
from workers.methods._base import Pair


def pairs_of(found: Measured) -> list[Pair]:
    return cast(list[Pair], found.pairs)


def swapped(found: Measured) -> Measured:
    pairs = [replace(p, a_id=p.b_id, a=p.b, b_id=p.a_id, b=p.a, label=-(p.label or 0)) for p in pairs_of(found)]
    return Measured(pairs, [(b, a) for a, b in found.sides])


def test_it_agrees_with_labels_beyond_length_each_figure_with_n_and_interval() -> None:
    told = report(measured(), NAMES, seed=0)
    assert told["accuracy"]["share"] > 0.85 > 0.65 > told["length_accuracy"]["share"]
    assert told["ahead_of_length"]["interval"][0] > 0 and told["n"] == told["labelled"] == 120
    for figure in (told["accuracy"], told["length_accuracy"], *told["aspects"]):
        low, high = figure["interval"]
        assert low < figure["share"] < high and (figure["n"], figure["groups"]) == (120, 60)
    assert [one["aspect"] for one in told["aspects"]] == NAMES
    assert max(one["share"] for one in told["aspects"]) <= told["accuracy"]["share"] + 0.05


def test_it_says_the_same_from_the_other_side() -> None:
    straight, other = (report(found, NAMES, seed=0) for found in (measured(), swapped(measured())))
    assert straight["accuracy"] == other["accuracy"] and straight["length_accuracy"] == other["length_accuracy"]
    assert np.allclose(straight["factors"]["correlations"], other["factors"]["correlations"])
    assert straight["length"]["rho"] == pytest.approx(other["length"]["rho"])


def plain_correlations(differences: Any) -> Any:
    product = differences.T @ differences
    return product / np.sqrt(np.outer(np.diag(product), np.diag(product)))


def test_the_matrix_is_that_of_the_plain_formula_and_its_intervals_hold_it() -> None:
    found = measured()
    told = factors(found.aspects, found.prompts, NAMES, seed=0)
    exact = np.array(told["correlations"])
    assert np.allclose(exact, plain_correlations(found.aspects)) and told["n"] == 120
    assert (np.array(told["low"]) <= exact + 1e-9).all() and (exact <= np.array(told["high"]) + 1e-9).all()
    low, high = told["mean"]["interval"]
    assert low < told["mean"]["value"] < high


@pytest.mark.parametrize(
    ("noise", "words"), [(0.05, "measure one thing"), (0.6, "mostly go together"), (8.0, "tell different things")]
)
def test_how_far_the_aspects_are_one_is_said_in_words(noise: float, words: str) -> None:
    found = measured(400, noise=noise)
    assert words in factors(found.aspects, found.prompts, NAMES, seed=0)["words"]


def test_too_few_rows_one_aspect_and_an_aspect_of_nothing_are_said() -> None:
    few = measured(6)
    assert "6 comparisons are usable, and 10 are needed" in factors(few.aspects, few.prompts, NAMES, seed=0)["words"]
    found = measured()
    assert "One aspect alone" in factors(found.aspects[:, :1], found.prompts, NAMES[:1], seed=0)["words"]
    still = found.aspects * [1, 0, 1]
    told = factors(still, found.prompts, NAMES, seed=0)
    assert told["correlations"] is None and "0 in all" in told["words"]


def test_without_labels_with_ties_and_with_flags_only_there_is_a_reason_and_no_figure() -> None:
    found = measured(12)
    for label in (None, 0):
        unlabelled = Measured([replace(pair, label=label) for pair in pairs_of(found)], found.sides)
        told = report(unlabelled, NAMES, seed=0)
        assert told["accuracy"] is None and "None of the 12 comparisons has a label" in told["accuracy_problem"]
        assert told["factors"]["n"] == 12
    told = report(measured(12, flags=("truncated",)), NAMES, seed=0)
    assert told["accuracy"] is None and "All 12 labelled comparisons are flagged" in told["accuracy_problem"]
    assert (told["flagged_rows"], told["flagged"]) == (12, {"truncated": 12})
    assert told["factors"]["n"] == told["echo"]["n"] == told["above_zero"]["n"] == 0


def test_a_row_without_a_number_counts_in_no_figure() -> None:
    found = measured(40)
    broken = Said(np.full(len(NAMES), np.nan), ("nonfinite",), 0.0, 0.0)
    sides = [(broken, b) if row < 4 else (a, b) for row, (a, b) in enumerate(found.sides)]
    told = report(Measured(found.pairs, sides), NAMES, seed=0)
    assert told["accuracy"]["n"] == told["factors"]["n"] == 36 and told["flagged"] == {"nonfinite": 4}


def test_scores_that_are_length_are_warned_of() -> None:
    found = measured()
    sides = [
        (replace(a, aspects=np.full(3, float(len(pair.a)))), replace(b, aspects=np.full(3, float(len(pair.b)))))
        for pair, (a, b) in zip(found.pairs, found.sides, strict=True)
    ]
    told = report(Measured(found.pairs, sides), NAMES, seed=0)
    assert (
        told["length"]["rho"] > 0.99 and told["length"]["warns"] and "the longer a response" in told["length"]["words"]
    )
    assert not report(found, NAMES, seed=0)["length"]["warns"]


def test_a_tilt_of_echo_and_a_polite_model_are_told() -> None:
    found = measured()

    def follows(one: Said) -> Said:
        return replace(one, aspects=np.full(3, 5 + one.echo_tilt / 10))

    sides = [(follows(a), follows(b)) for a, b in found.sides]
    told = report(Measured(found.pairs, sides), NAMES, seed=0)
    assert told["echo"]["tilt"]["rho"] > 0.99 and 0.05 < told["echo"]["share"] < 0.15
    assert told["above_zero"]["share"] == 1.0 and told["above_zero"]["n"] == 240


def test_where_one_side_refuses_it_tells_who_wins() -> None:
    found = measured(40)
    refusal = "I'm sorry, but I can't help with that."
    pairs = [replace(pair, b=refusal, label=-1) if row % 2 else pair for row, pair in enumerate(pairs_of(found))]
    sides = [
        (replace(a, aspects=np.zeros(3)), replace(b, aspects=np.ones(3))) if row % 2 else (a, b)
        for row, (a, b) in enumerate(found.sides)
    ]
    told = report(Measured(pairs, sides), NAMES, seed=0)["refusals"]
    assert (told["responses"], told["scored_higher"]["share"], told["scored_higher"]["n"]) == (20, 1.0, 20)
    assert told["preferred"]["share"] == 0.0
