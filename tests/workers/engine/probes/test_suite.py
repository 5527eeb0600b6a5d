"""Scorers of whom one knows what is wrong with them, and whether the probes find it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.engine.bench import Bench
from workers.engine.probes.keys import CRITERIA, KEYS, REFUSAL, Messages
from workers.engine.probes.suite import of_run, probe
from workers.engine.texts.embeddings import Embedded
from workers.methods._base import Pair

TOPICS = ("bread", "rain", "trains", "chess", "bees", "paint", "salt", "tents")
# (messages, response) -> score
Says = Callable[[Messages, str], float]


class TopicBench(Bench):
    """A text about a topic lies near the others about it; the number in a response is where its meaning lies."""

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        vectors = np.zeros((len(texts), 2 * len(TOPICS)), np.float32)
        for row, text in enumerate(texts):
            topic = next((place for place, name in enumerate(TOPICS) if name in text), 0)
            vectors[row, topic] = 1.0
            vectors[row, len(TOPICS) :] = 0.5 * np.random.default_rng(_seed(text)).normal(size=len(TOPICS))
            if "asks" not in text:
                vectors[row, topic] = 0.0
        return Embedded(vectors, np.zeros(len(texts), np.bool_))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return TopicBench(cache=tmp_path)


def pairs(n: int = 200, *, longer_wins: float = 0.5) -> list[Pair]:
    """The better response says the number that its prompt asks for; b is the longer one."""
    rng = np.random.default_rng(7)
    found = []
    for row in range(n):
        question = f"asks about {TOPICS[row % len(TOPICS)]} number {row}"
        right, wrong = f"it is number {row} indeed", f"it is number {row + 1000} indeed"
        is_b = rng.random() < longer_wins
        a, b = (wrong, right + " friend") if is_b else (right, wrong + " friend")
        messages, label = [{"role": "user", "content": question}], 1 if is_b else -1
        found.append(Pair(row + 1, 1, row, messages, 2 * row, a, 2 * row + 1, b, label))
    return found


def _number(messages: Messages) -> str:
    return str(messages[-1]["content"]).split()[-1]


def perfect(messages: Messages, text: str) -> float:
    words = text.split()
    return 2.0 * (words[3:4] == [_number(messages)]) - 0.01 * len(words) - 3.0 * (len(words) < 4)


def short(messages: Messages, text: str) -> float:
    return -float(len(text))


def long(messages: Messages, text: str) -> float:
    return float(len(text))


def blind(messages: Messages, text: str) -> float:
    return float(np.random.default_rng(_seed(text)).normal()) - 9.0 * (len(text.split()) < 4)


def chance(messages: Messages, text: str) -> float:
    return float(np.random.default_rng(_seed(str(messages) + text)).normal()) - 9.0 * (len(text.split()) < 4)


def probed(bench: Bench, says: Says, rows: Sequence[Pair], **named: Any) -> dict[str, Any]:
    def score(asked: Sequence[tuple[Messages, Sequence[str]]]) -> list[list[float]]:
        return [[says(messages, text) for text in texts] for messages, texts in asked]

    return probe(score, rows, bench, seed=0, **named)


def named(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found["probes"]}


def test_a_perfect_scorer_passes_all(bench: Bench) -> None:
    found = probed(bench, perfect, pairs())
    assert (found["passed"], found["reasons"]) == (True, [])
    told = named(found)
    assert list(told) == [
        "keys", "empty", "echo", "padding", "refusal", "criteria", "contrast", "agreement", "beyond_length", "ece",
    ]  # fmt: skip
    assert {name: one["passed"] for name, one in told.items()} == dict.fromkeys(told, True) | {"ece": None}
    assert (told["keys"]["value"], told["keys"]["n"], told["keys"]["bar"]) == (0.0, 200, 0.01)
    assert told["keys"]["low"] == pytest.approx(0.0)
    assert told["keys"]["high"] < 0.03
    assert (told["contrast"]["value"], told["contrast"]["details"]["share_both_ways"]) == (1.0, 1.0)
    assert told["agreement"]["low"] > 0.95
    assert all(one["words"].endswith(".") for one in told.values())


def test_a_scorer_that_likes_short_texts_falls_for_keys(bench: Bench) -> None:
    found = probed(bench, short, pairs())
    told = named(found)
    assert not found["passed"]
    assert told["keys"]["value"] == told["empty"]["value"] == 1.0
    assert "in 200 of 200 prompts; 1 % is the most" in found["reasons"][0]
    each = {one["key"]: one for one in told["keys"]["details"]["each"]}
    assert list(each) == list(KEYS)
    assert each["."]["won"] == 200
    assert told["padding"]["passed"]


def test_a_scorer_that_likes_long_texts_falls_for_repetition(bench: Bench) -> None:
    told = named(probed(bench, long, pairs()))
    each = {one["key"]: one["won"] for one in told["keys"]["details"]["each"]}
    assert (each["."], each["Let's solve this problem step by step."], told["empty"]["value"]) == (0, 200, 0.0)
    assert (told["padding"]["passed"], told["criteria"]["passed"]) == (False, False)


def test_a_scorer_that_does_not_read_the_prompt_gets_exactly_one_half(bench: Bench) -> None:
    told = named(probed(bench, blind, pairs()))
    assert told["contrast"]["value"] == 0.5
    assert told["contrast"]["details"]["both_ways"] == 0
    assert told["contrast"]["passed"] is False
    assert "which does not read the prompt" in told["contrast"]["words"]


def test_a_scorer_by_chance_fails_agreement_with_the_reason(bench: Bench) -> None:
    found = probed(bench, chance, pairs())
    told = named(found)
    assert told["agreement"]["passed"] is False
    assert told["agreement"]["low"] < 0.5 < told["agreement"]["high"]
    assert any("not shown to do better than a coin" in reason for reason in found["reasons"])


def test_agreement_that_is_length_in_disguise_is_told_and_less_than_length_blocks(bench: Bench) -> None:
    rows = pairs(longer_wins=0.9)
    assert named(probed(bench, long, rows))["beyond_length"]["passed"] is None
    worse = named(probed(bench, lambda m, t: long(m, t) * (1 if _seed(t) % 4 else -1), rows))["beyond_length"]
    assert worse["passed"] is False
    assert "gives it less often than that" in worse["words"]


@pytest.mark.parametrize("says", [perfect, blind])
def test_the_order_of_rows_changes_nothing(bench: Bench, says: Says) -> None:
    rows = pairs(120)
    assert probed(bench, says, rows) == probed(bench, says, rows[::-1])


def test_twelve_rows_cannot_say_and_do_not_pass(bench: Bench) -> None:
    found = probed(bench, perfect, pairs(12))
    assert not found["passed"]
    assert {one["passed"] for one in found["probes"]} == {None}
    # Only keys must be known.
    assert len(found["reasons"]) == 1
    assert "cannot be said from 12 prompts; 50 are needed" in found["reasons"][0]


def test_a_key_that_wins_fails_with_few_prompts_too(bench: Bench) -> None:
    assert named(probed(bench, short, pairs(12)))["keys"]["passed"] is False


def test_without_labels_agreement_is_told_and_does_not_block(bench: Bench) -> None:
    found = probed(bench, perfect, [replace(pair, label=None) for pair in pairs()])
    told = named(found)
    assert [told[name]["passed"] for name in ("agreement", "beyond_length", "ece")] == [None] * 3
    assert "0 labels that are no tie" in told["agreement"]["words"]
    assert found["passed"]


def test_a_scorer_without_numbers_cannot_be_probed(bench: Bench) -> None:
    found = probed(bench, lambda messages, text: nan, pairs())
    assert not found["passed"]
    assert "no prompt here has two responses that it gives a score" in found["reasons"][0]
    assert {one["passed"] for one in found["probes"]} == {None}


def test_a_text_without_a_score_cannot_win_and_is_counted(bench: Bench) -> None:
    keys = named(probed(bench, lambda m, t: nan if t in KEYS else perfect(m, t), pairs()))["keys"]
    assert (keys["passed"], keys["details"]["unscored"]) == (True, 2000)
    assert "2,000 of 2,000 were given no score" in keys["words"]


def test_a_refusal_is_asked_only_where_nobody_refuses(bench: Bench) -> None:
    rows = [replace(pair, a=REFUSAL + f" {pair.id}") if pair.id <= 90 else pair for pair in pairs()]
    told = named(probed(bench, lambda m, t: 9.0 if t == REFUSAL else perfect(m, t), rows))["refusal"]
    assert (told["n"], told["value"], told["passed"]) == (110, 1.0, False)


def test_what_a_true_response_says_is_no_trick(bench: Bench) -> None:
    rows = [replace(pair, a=str(pair.messages[0]["content"])) for pair in pairs(60)]
    told = named(probed(bench, perfect, rows))["echo"]
    assert (told["n"], told["passed"]) == (0, None)


def test_criteria_are_the_callers(bench: Bench) -> None:
    heard: list[str] = []

    def says(messages: Messages, text: str) -> float:
        heard.append(text)
        return perfect(messages, text)

    probed(bench, says, pairs(60), criteria="Be kind.")
    assert "Be kind. Be kind. Be kind." in heard
    assert not any(CRITERIA in text for text in heard)


def test_a_run_passes_only_if_all_its_sources_do(bench: Bench) -> None:
    good, bad = probed(bench, perfect, pairs()), probed(bench, short, pairs())
    run = of_run({"1": {"name": "one", "probes": good}, "2": {"name": "two", "probes": bad}})
    assert not run["passed"]
    assert {reason.split(":")[0] for reason in run["reasons"]} == {"two"}
    assert run["sources"]["1"]["passed"]
    assert of_run({"1": {"name": "one", "probes": good}})["passed"]
    assert not of_run({})["passed"]
    assert of_run({"1": {"n": 0}})["reasons"]
