"""MinHash beside comparing all with all: nothing near is missed but a few, and nothing far is claimed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from workers.engine.texts.minhash import BINS, EMPTY, SHINGLE, Overlap, candidates, filled, near_texts, normal, sketch


def _plain(one: str, other: str) -> float:
    sets = []
    for text in (normal(one), normal(other)):
        padded = text.ljust(SHINGLE, b"\0") if text else b""
        sets.append({padded[at : at + SHINGLE] for at in range(len(padded) - SHINGLE + 1)} if padded else set())
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1]) if sets[0] | sets[1] else 1.0


def _texts(n: int, seed: int) -> list[str]:
    """Half are others with a word changed here and there."""
    rng = np.random.default_rng(seed)
    words = [f"w{number}x" for number in range(300)]
    texts = [" ".join(rng.choice(words, size=int(rng.integers(20, 120)))) for _ in range(n // 2)]
    for number in range(n - n // 2):
        changed = texts[number].split()
        for _ in range(1 + number % 4):
            changed[int(rng.integers(len(changed)))] = "other"
        texts.append(" ".join(changed))
    return texts


def test_overlap_agrees_with_sets() -> None:
    texts = [*_texts(40, 0), "", "short", "Short ", "shorter than", "ÄÖÜ ß and 你好 again", "a" * 500]
    overlap = Overlap(texts)
    for i, j in combinations(range(len(texts)), 2):
        assert overlap(i, j) == pytest.approx(_plain(texts[i], texts[j]))


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95])
def test_what_comparing_all_with_all_finds_is_found(threshold: float) -> None:
    texts = _texts(300, 1)
    overlap = Overlap(texts)
    near = {(i, j) for i, j in combinations(range(len(texts)), 2) if overlap(i, j) >= threshold}
    found = {(i, j) for i, j, _ in near_texts(texts, threshold)}
    assert found <= near
    assert len(found) >= 0.98 * len(near) > 5


def test_bins_agree_as_often_as_texts_overlap() -> None:
    texts = _texts(200, 2)
    table = filled(sketch(texts))
    overlap = Overlap(texts)
    errors = [np.mean(table[n] == table[n + 100]) - overlap(n, n + 100) for n in range(100)]
    # Standard error of a mean of 100 such shares is about .004.
    assert abs(float(np.mean(errors))) < 0.015


def test_the_sketch_of_a_union_is_the_minimum() -> None:
    one, other = "the first of two texts about bread", "another, of which the words are not the same"
    together = sketch([one + "\0" * 20 + other])
    assert (np.minimum(*sketch([one, other])) >= together[0]).all()


def test_short_and_empty_texts_stand_alone() -> None:
    bins = sketch(["", "yes", "no", "YES"])
    assert (bins[0] == EMPTY).all()
    assert ((filled(bins)[1:] != EMPTY).sum(axis=1) == BINS).all()
    assert list(near_texts(["", "yes", "no", "YES"], 0.9)) == [(1, 3, 1.0)]


def test_a_thousand_alike_make_few_candidates() -> None:
    texts = [f"the same long text about bread and water and salt, number {n}" for n in range(1000)]
    found = list(candidates(sketch(texts), 0.8))
    assert len(found) < 60_000
    assert {i for pair in found for i in pair} == set(range(1000))


def test_nothing_in_nothing_out() -> None:
    assert list(near_texts([], 0.9)) == []
