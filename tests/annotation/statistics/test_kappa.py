from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotation.statistics.cohen import Weights, cohen_kappa, cohen_kappas
from annotation.statistics.fleiss import fleiss_kappa
from annotation.statistics.patterns import patterns_of

# Fleiss' own kind of table: 14 raters, 10 subjects, 5 categories.
_TABLE = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def _items(table: list[list[int]]) -> list[list[int]]:
    return [[value for value, times in enumerate(row) for _ in range(times)] for row in table]


def _plain_fleiss(items: list[list[Any]]) -> float:
    """By loops, items alike in the agreement, answers alike in the chance."""
    items = [item for item in items if len(item) >= 2]
    agreements = []
    for item in items:
        pairs = [(x, y) for i, x in enumerate(item) for j, y in enumerate(item) if i != j]
        agreements.append(sum(x == y for x, y in pairs) / len(pairs))
    answers = [answer for item in items for answer in item]
    chance = sum((answers.count(value) / len(answers)) ** 2 for value in sorted(set(answers)))
    observed = sum(agreements) / len(agreements)
    return float((observed - chance) / (1 - chance))


def test_fleiss_is_that_of_the_textbook() -> None:
    assert fleiss_kappa(patterns_of(_items(_TABLE))).value == pytest.approx(0.210, abs=5e-4)


def test_fleiss_equals_the_plain_definition_with_any_number_of_answers() -> None:
    rng = random.Random(5)
    items = [[rng.choice("aabt") for _ in range(rng.randint(1, 6))] for _ in range(60)]
    estimate = fleiss_kappa(patterns_of(items))
    assert estimate.value == pytest.approx(_plain_fleiss(items))
    assert estimate.low is not None and estimate.high is not None
    assert estimate.low < (estimate.value or 0) < estimate.high


def test_fleiss_says_why_there_is_no_figure() -> None:
    assert "same answer" in fleiss_kappa(patterns_of([["a", "a"]] * 20)).reason
    assert "two answers" in fleiss_kappa(patterns_of([["a"]])).reason


def _two_people(seed: int, n: int = 200) -> tuple[list[int], list[int]]:
    rng = random.Random(seed)
    left = [rng.randint(-3, 3) for _ in range(n)]
    right = [max(-3, min(3, choice + rng.choice([-2, -1, 0, 0, 0, 1]))) for choice in left]
    return left, right


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cohen_equals_that_of_scikit_learn(weights: Weights, seed: int) -> None:
    left, right = _two_people(seed)
    theirs = cohen_kappa_score(left, right, labels=range(-3, 4), weights=None if weights == "none" else weights)
    estimate = cohen_kappa(left, right, weights)
    assert estimate.value == pytest.approx(theirs)
    assert estimate.n_items == 200
    assert estimate.low is not None and estimate.high is not None and estimate.low < theirs < estimate.high


def test_cohen_by_hand() -> None:
    """Both say yes 20 times, both no 15, one alone 5 and the other alone 10: 0.7 seen, 0.5 expected."""
    left = [1] * 25 + [0] * 25
    right = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(left, right).value == pytest.approx(0.4)


def test_cohen_says_why_there_is_no_figure() -> None:
    assert "one and the same" in cohen_kappa([1, 1], [1, 1]).reason
    assert "no item" in cohen_kappa([1, np.nan], [np.nan, 1]).reason


def test_pairs_with_few_shared_items_have_no_kappa_of_their_own() -> None:
    left, right = _two_people(4, 30)
    items = np.array([*range(30), *range(30), *range(12)])
    people = np.array([7] * 30 + [9] * 30 + [11] * 12)
    found = cohen_kappas(items, people, np.array([*left, *right, *left[:12]], dtype=float))
    assert [(pair.first, pair.second, pair.kappa.n_items) for pair in found.pairs] == [(7, 9, 30)]
    assert found.mean.value == pytest.approx(cohen_kappa_score(left, right))
    assert "20 items" in cohen_kappas(items, people, np.zeros(72), least=31).mean.reason.replace("31", "20")


def test_the_mean_counts_each_pair_alike_and_order_changes_nothing() -> None:
    rng = random.Random(9)
    rows = [[rng.choice([-1, 1, 1]) if rng.random() < 0.8 else np.nan for _ in range(4)] for _ in range(120)]
    triples = [(item, person, answer) for item, row in enumerate(rows) for person, answer in enumerate(row)]
    columns = list(zip(*triples, strict=True))
    found = cohen_kappas(np.array(columns[0]), np.array(columns[1]), np.array(columns[2], dtype=float))
    assert len(found.pairs) == 6
    assert found.mean.value == pytest.approx(np.mean([pair.kappa.value or 0 for pair in found.pairs]))
    rng.shuffle(triples)
    columns = list(zip(*triples, strict=True))
    again = cohen_kappas(np.array(columns[0]), np.array(columns[1]), np.array(columns[2], dtype=float))
    assert again == found


def test_beyond_a_thousand_items_blocks_tell_nearly_the_same_interval() -> None:
    left, right = _two_people(6, 3000)
    large = cohen_kappa(left, right)
    assert large.value is not None and large.low is not None and large.high is not None
    # The standard error by the plain formula sqrt(p (1 - p) / n) / (1 - chance).
    agreeing = float(np.mean(np.array(left) == np.array(right)))
    error = (agreeing * (1 - agreeing) / 3000) ** 0.5 / (1 - 1 / 7)
    assert large.high - large.low == pytest.approx(2 * 1.96 * error, rel=0.2)
