"""Duplicates: what is compared is the conversation with both responses, whichever of them is a."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workers.engine.bench import Bench
from workers.engine.texts.embeddings import Embedded
from workers.methods import near_duplicates
from workers.methods._base import Pair, Signal


def _pair(number: int, question: str, a: str, b: str) -> Pair:
    return Pair(number, 1, number, [{"role": "user", "content": question}], number * 2, a, number * 2 + 1, b, 1)


class LetterBench(Bench):
    """Texts are near when their words are: one number per word."""

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        words = sorted({word for text in texts for word in text.split()})
        vectors = np.array([[text.split().count(word) for word in words] for text in texts], np.float32)
        norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Embedded(vectors / norms, np.zeros(len(texts), np.bool_))


def _run(pairs: list[Pair], tmp_path: Path, threshold: float = 0.9) -> dict[int, Signal]:
    bench = LetterBench(cache=tmp_path)
    outcome = near_duplicates.run(pairs, near_duplicates.Params(threshold=threshold), bench)
    return {signal.pair_id: signal for signal in outcome.signals}


ONE = "the boiling point of water falls as the air gets thinner on a mountain"
TWO = "nobody can say because it depends on who you ask and on which day"


def test_the_same_texts_are_exact_whichever_side_they_are_on(tmp_path: Path) -> None:
    said = _run([_pair(4, "why", ONE, TWO), _pair(9, "why", TWO, ONE)], tmp_path)
    exact = {"exact": True, "similarity": 1.0, "near_exact": True, "overlap": 1.0}
    assert said[4].fields == {"group": 4, "is_duplicate": False, **exact}
    assert said[9].fields == {"group": 4, "is_duplicate": True, **exact}


def test_nearly_the_same_texts_are_near_duplicates_on_either_side(tmp_path: Path) -> None:
    said = _run([_pair(1, "why", ONE, TWO), _pair(2, "why", TWO + " now", ONE)], tmp_path)
    assert said[2].fields["is_duplicate"]
    assert not said[2].fields["exact"]
    assert 0.9 <= said[2].fields["similarity"] < 1
    assert said[1].value == said[2].value


def test_sharing_a_prompt_and_one_response_makes_no_duplicate(tmp_path: Path) -> None:
    said = _run([_pair(1, "why", ONE, TWO), _pair(2, "why", ONE, "quite another answer")], tmp_path)
    assert not any(signal.fields["is_duplicate"] for signal in said.values())
    assert said[2].value == 0.0


def test_another_question_makes_no_duplicate(tmp_path: Path) -> None:
    said = _run([_pair(1, "why does it boil", ONE, TWO), _pair(2, "who wrote this", ONE, TWO)], tmp_path)
    assert not said[2].fields["is_duplicate"]


def test_a_much_longer_text_is_no_duplicate_however_alike(tmp_path: Path) -> None:
    said = _run([_pair(1, "why", ONE, TWO), _pair(2, "why", f"{ONE} {ONE}", TWO)], tmp_path)
    assert not said[2].fields["is_duplicate"]


def test_threshold_one_needs_no_model(tmp_path: Path) -> None:
    pairs = [_pair(1, "why", ONE, TWO), _pair(2, "why", ONE, TWO), _pair(3, "why", ONE, TWO + " now")]
    outcome = near_duplicates.run(pairs, near_duplicates.Params(threshold=1.0), Bench(cache=tmp_path))
    assert [signal.fields["exact"] for signal in outcome.signals] == [True, True, False]
    assert outcome.result == {
        "n": 3, "groups": 1, "duplicates": 1, "exact_duplicates": 1, "near_exact_duplicates": 1, "largest_group": 2,
    }  # fmt: skip


def test_no_link_is_missed_that_comparing_all_with_all_finds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(30)]
    texts = [" ".join(rng.choice(words, size=12)) for _ in range(25)]
    pairs = []
    for number in range(80):
        a, b = (texts[int(rng.integers(25))] for _ in range(2))
        extra = " w1" if rng.random() < 0.5 else ""
        pairs.append(_pair(number, "why", a + extra, b))
    said = _run(pairs, tmp_path, threshold=0.9)
    bench = LetterBench(cache=tmp_path)
    all_texts = sorted({text for pair in pairs for text in (pair.a, pair.b)})
    vectors = dict(zip(all_texts, bench.embed(all_texts, model="").vectors, strict=True))
    for one in pairs:
        near = [other.id for other in pairs if other.id != one.id and _plain(one, other, vectors) >= 0.9 + 1e-5]
        assert all(said[one.id].fields["group"] == said[other].fields["group"] for other in near)


def _plain(one: Pair, other: Pair, v: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]]) -> float:
    def match(left: str, right: str) -> float:
        ratio = (min(len(left), len(right)) + 1) / (max(len(left), len(right)) + 1)
        return float(v[left] @ v[right]) if ratio >= near_duplicates.MIN_LENGTH_RATIO else -1.0

    straight = min(match(one.a, other.a), match(one.b, other.b))
    return max(straight, min(match(one.a, other.b), match(one.b, other.a)))


def test_a_thousand_copies_are_one_group_at_once(tmp_path: Path) -> None:
    copies = [replace(_pair(1, "why", ONE, TWO), id=number) for number in range(1000)]
    said = _run(copies, tmp_path)
    assert {signal.fields["group"] for signal in said.values()} == {0}


@pytest.mark.parametrize("threshold", [0.9, 1.0])
def test_lone_rows_are_their_own_group(tmp_path: Path, threshold: float) -> None:
    said = _run([_pair(5, "why", ONE, TWO)], tmp_path, threshold)
    nothing = {"exact": False, "similarity": 0.0, "near_exact": False, "overlap": 0.0}
    assert said[5].fields == {"group": 5, "is_duplicate": False, **nothing}


LONG = " ".join(f"word{number} is said here" for number in range(40))


def _by_text(pairs: list[Pair], tmp_path: Path, jaccard: float = 0.85) -> dict[int, Signal]:
    outcome = near_duplicates.run(
        pairs, near_duplicates.Params(look_for="text", jaccard=jaccard), Bench(cache=tmp_path)
    )
    return {signal.pair_id: signal for signal in outcome.signals}


def test_near_exact_text_is_found_without_a_model_on_either_side(tmp_path: Path) -> None:
    said = _by_text(
        [_pair(1, "why", LONG, TWO), _pair(2, "Why", TWO, LONG + " Well."), _pair(3, "why", ONE, TWO)], tmp_path
    )
    assert [said[n].fields["near_exact"] for n in (1, 2, 3)] == [True, True, False]
    assert (said[2].fields["group"], said[2].fields["exact"]) == (1, False)
    assert 0.85 <= said[2].fields["overlap"] < 1


def test_near_exact_asks_for_the_prompt_and_both_responses(tmp_path: Path) -> None:
    pairs = [_pair(1, "why", LONG, TWO), _pair(2, "why", LONG, ONE), _pair(3, "where to", LONG, TWO)]
    assert not any(signal.fields["near_exact"] for signal in _by_text(pairs, tmp_path).values())


def test_half_a_corpus_of_nearly_the_same_is_one_group(tmp_path: Path) -> None:
    alike = [_pair(n, "why", f"{LONG} number {n}", TWO) for n in range(300)]
    other = [_pair(n, "why", f"{n} " * 30 + ONE, str(n * n) * 20) for n in range(300, 600)]
    said = _by_text(alike + other, tmp_path)
    assert {said[n].fields["group"] for n in range(300)} == {0}
    assert not any(said[n].fields["near_exact"] for n in range(300, 600))


@pytest.mark.parametrize(("look_for", "finds"), [("exact", False), ("text", True), ("meaning", True), ("all", True)])
def test_what_to_look_for_is_what_is_looked_for(look_for: str, finds: bool, tmp_path: Path) -> None:
    pairs = [_pair(1, "why", LONG, TWO), _pair(2, "why", LONG + " now", TWO)]
    outcome = near_duplicates.run(pairs, near_duplicates.Params(look_for=look_for), LetterBench(cache=tmp_path))
    assert outcome.signals[1].fields["is_duplicate"] == finds
    assert outcome.signals[1].fields["near_exact"] == (look_for in {"text", "all"})
