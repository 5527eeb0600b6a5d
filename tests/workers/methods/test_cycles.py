"""Labels in a circle, on graphs that can be drawn on a napkin, and planted in orders that are known."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from workers.engine.bench import Bench
from workers.methods import cycles
from workers.methods._base import Outcome, Pair, Signal

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "ukpconvarg1" / "pairs.jsonl.gz"
# Of a gold label: the better argument, the other.
SIDES = {"a1": ("arg1", "arg2"), "a2": ("arg2", "arg1")}


def _label(number: int, better: int, worse: int, strength: int = 1, prompt: int = 1) -> Pair:
    a, b = sorted((better, worse))
    label = -strength if better == a else strength
    return Pair(number, 1, prompt, [], a, f"text {a}", b, f"text {b}", label)


def _run(pairs: list[Pair], tmp_path: Path, *, weighted: bool = True) -> Outcome:
    return cycles.run(pairs, cycles.Params(weighted=weighted), Bench(cache=tmp_path))


def _by_id(outcome: Outcome) -> dict[int, Signal]:
    return {signal.pair_id: signal for signal in outcome.signals}


def test_of_a_circle_of_three_the_weakest_label_is_the_one_to_look_at(tmp_path: Path) -> None:
    said = _by_id(_run([_label(1, 10, 11, 3), _label(2, 11, 12, 2), _label(3, 12, 10, 1)], tmp_path))
    assert [said[n].fields["in_cycle"] for n in (1, 2, 3)] == [True] * 3
    assert [said[n].fields["feedback"] for n in (1, 2, 3)] == [False, False, True]
    assert (said[1].value, said[3].value) == (0.5, 1.0)
    assert said[3].fields == {
        "in_cycle": True, "feedback": True, "circles": 1, "triads": 1, "responses": 3, "exact": True,
    }  # fmt: skip


def test_labels_in_one_order_are_in_no_circle(tmp_path: Path) -> None:
    outcome = _run([_label(1, 10, 11), _label(2, 11, 12), _label(3, 10, 12)], tmp_path)
    assert {signal.value for signal in outcome.signals} == {0.0}
    assert (outcome.result["prompts_with_circles"], outcome.result["feedback"]) == (0, 0)
    assert outcome.result["circular_triads"] == {"share": 0.0, "interval": None, "n": 1}


def test_a_tie_and_a_missing_label_make_no_arc(tmp_path: Path) -> None:
    circle = [_label(1, 10, 11), _label(2, 11, 12)]
    for label in (0, None):
        outcome = _run([*circle, replace(_label(3, 12, 10), label=label)], tmp_path)
        assert _by_id(outcome)[3].value is None
        assert outcome.result["in_cycle"] == 0


def test_prompts_are_apart(tmp_path: Path) -> None:
    outcome = _run([_label(1, 10, 11), _label(2, 11, 12), _label(3, 12, 10, prompt=2)], tmp_path)
    assert outcome.result["in_cycle"] == 0


def test_one_wrong_label_among_many_is_named(tmp_path: Path) -> None:
    pairs = [_label(number, i, j) for number, (i, j) in enumerate(combinations(range(8), 2))]
    wrong = next(pair for pair in pairs if (pair.a_id, pair.b_id) == (1, 5))
    pairs = [replace(pair, label=1) if pair.id == wrong.id else pair for pair in pairs]
    outcome = _run(pairs, tmp_path)
    assert [s.pair_id for s in outcome.signals if s.fields["feedback"]] == [wrong.id]
    assert max(outcome.signals, key=lambda signal: signal.value or 0.0).pair_id == wrong.id
    assert outcome.result["most"][0]["comparisons"] == [wrong.id]


def test_without_weights_two_labels_outvote_a_strong_one(tmp_path: Path) -> None:
    # 12 > 10 is strong, and 10 > 11 > 12 and 10 > 13 > 12 speak against it.
    pairs = [_label(1, 12, 10, 3), _label(2, 10, 11), _label(3, 11, 12), _label(4, 10, 13), _label(5, 13, 12)]
    strong = _by_id(_run(pairs, tmp_path))
    plain = _by_id(_run(pairs, tmp_path, weighted=False))
    assert not strong[1].fields["feedback"]
    assert [n for n in plain if plain[n].fields["feedback"]] == [1]


def test_numbers_of_responses_and_order_of_rows_decide_nothing_but_ties(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = []
    for number, both in enumerate(combinations(range(7), 2)):
        better, worse = rng.permutation(both).tolist()
        pairs.append(_label(number, better, worse, strength=1 + number))
    renamed = [replace(pair, a_id=100 - pair.a_id, b_id=100 - pair.b_id) for pair in pairs]
    assert _run(pairs, tmp_path).signals == _run(renamed[::-1], tmp_path).signals


@pytest.mark.parametrize("labels", [[1] * 12, [0] * 12, [None] * 12])
def test_one_pair_per_prompt_says_that_there_is_nothing_to_say(labels: list[int | None], tmp_path: Path) -> None:
    pairs = [replace(_label(n, 2 * n, 2 * n + 1, prompt=n), label=label) for n, label in enumerate(labels)]
    outcome = _run(pairs, tmp_path)
    assert len(outcome.signals) == 12
    assert "there can be no circle" in outcome.result["problem"]


def test_above_sixteen_responses_it_says_whether_the_set_is_smallest(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pairs = [_label(n, *(rng.permutation([i, j]).tolist())) for n, (i, j) in enumerate(combinations(range(20), 2))]
    (prompt,) = _run(pairs, tmp_path).result["most"]
    assert prompt["at_least"] < prompt["weight"] == prompt["feedback"]
    assert not prompt["exact"]


@pytest.mark.parametrize("seed", range(3))
def test_planted_flips_in_a_known_order_are_found(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1000 + seed)
    pairs = [_label(n, i, j) for n, (i, j) in enumerate(combinations(range(24), 2))]
    flipped = np.zeros(len(pairs), np.bool_)
    flipped[rng.choice(len(pairs), size=int(0.1 * len(pairs)), replace=False)] = True
    pairs = [replace(p, label=-(p.label or 0)) if wrong else p for p, wrong in zip(pairs, flipped, strict=True)]
    signals = _run(pairs, tmp_path).signals
    named = np.array([signal.fields["feedback"] for signal in signals])
    # Neighbours in the order can change places without closing a circle.
    assert flipped[named].mean() > 0.7
    values = np.array([signal.value for signal in signals])
    above = np.sign(values[flipped][:, None] - values[~flipped][None, :])
    assert (above.mean() + 1) / 2 > 0.85


@pytest.mark.skipif(not DATA.exists(), reason="the real data (shared/data) is not on this machine")
def test_on_real_arguments_flips_are_found_far_above_chance(tmp_path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    with gzip.open(DATA, "rt") as lines:
        rows = [row for row in map(json.loads, lines) if row["goldLabel"] in SIDES]
    numbers = {name: n for n, name in enumerate(sorted({row[k]["id"] for row in rows for k in ("arg1", "arg2")}))}
    topics = {name: n for n, name in enumerate(sorted({row["file"] for row in rows}))}
    pairs = [
        _label(n, numbers[better], numbers[worse], prompt=topics[row["file"]])
        for n, row in enumerate(rows)
        if topics[row["file"]] < 8
        for better, worse in [[row[side]["id"] for side in SIDES[row["goldLabel"]]]]
    ]  # fmt: skip
    flipped = np.zeros(len(pairs), np.bool_)
    flipped[np.random.default_rng(1000).choice(len(pairs), size=int(0.2 * len(pairs)), replace=False)] = True
    pairs = [replace(p, label=-(p.label or 0)) if wrong else p for p, wrong in zip(pairs, flipped, strict=True)]
    values = [signal.value for signal in _run(pairs, tmp_path).signals]
    assert roc_auc_score(flipped, values) > 0.78
