"""Responses that are no answer: one plain example per flag, and as many that look like it and are none."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from workers.engine.bench import Bench
from workers.engine.texts import checks
from workers.methods import degenerate
from workers.methods._base import Outcome, Pair

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "hh-rlhf" / "helpful-base.test.jsonl.gz"
QUESTION = "Could you explain to me how bread rises in the oven, and why it sometimes does not rise at all?"
ANSWER = (
    "Yeast eats sugar and breathes out gas, which the dough holds in small bubbles. In the oven these grow until the "
    "crust sets. Old yeast, cold water or too much salt keep it flat."
)
GERMAN = "Hefe frisst Zucker und atmet ein Gas aus, das der Teig in kleinen Blasen festhält, bis die Kruste fest wird."


def _flags(text: str, prompt: str = QUESTION) -> tuple[str, ...]:
    return degenerate.look_at(text, prompt, degenerate.Params()).flags


def _pair(number: int, a: str, b: str, label: int | None = 1, prompt: str = QUESTION) -> Pair:
    return Pair(number, 1, number, [{"role": "user", "content": prompt}], 2 * number, a, 2 * number + 1, b, label)


def _run(pairs: list[Pair], tmp_path: Path) -> Outcome:
    return degenerate.run(pairs, degenerate.Params(), Bench(cache=tmp_path))


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("", "empty"),
        (" \n\t\u200b", "empty"),
        (":", "key"),
        (" .", "key"),
        ("Thought process:", "key"),
        ("Let’s solve this problem step by step.", "key"),
        ("Solution", "key"),
        ("Solution:", "key"),
        ("解", "key"),
        ("かいせつ", "key"),
        ("Respuesta", "key"),
        (QUESTION, "echo"),
        (f"Human: {QUESTION.upper()}", "echo"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("As an AI language model, I cannot have opinions on bread.", "refusal"),
        ("I’m unable to assist with this request.", "refusal"),
        (ANSWER[:-20] + " and keep it in the", "truncated"),
        (ANSWER.rstrip(".") + " and the crust gets hard too,", "truncated"),
        ("Use this:\n```python\nfor loaf in loaves:\n    bake(loaf)", "truncated"),
        ("the loaf is good and " * 30, "repetitive"),
        ("a" * 400, "repetitive"),
        (GERMAN, "wrong_language"),
        ("Дрожжи едят сахар и выделяют газ, который тесто удерживает в маленьких пузырьках.", "wrong_language"),
    ],
)
def test_each_flag_is_raised_by_what_it_means(text: str, flag: str) -> None:
    assert flag in _flags(text)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "42",
        "Yes",
        "👍",
        "Bread:\n\n1. Mix the flour with the water and the salt until no dry flour is left in it\n2. Wait\n3. Bake",
        "I'm sorry to hear that your bread stays flat. Try fresh yeast.",
        "You asked how bread rises. " + ANSWER,
        ANSWER + "\n\n```sh\nbake --hot\n```",
        ANSWER + " See https://example.org/bread/rising",
        "no no no",
    ],
)
def test_plain_answers_raise_none(text: str) -> None:
    assert _flags(text) == ()


def test_a_prompt_that_asks_for_another_language_gets_it() -> None:
    assert _flags(GERMAN, "Please translate this into German for me: yeast eats sugar and breathes out a gas.") == ()
    assert _flags(GERMAN, "Wie geht das Brot im Ofen auf, und warum bleibt es manchmal so flach wie ein Teller?") == ()


def test_repetition_agrees_with_counting_by_hand() -> None:
    words = ["one", "two", "three"] * 20
    grams = [tuple(words[start : start + 4]) for start in range(57)]
    again = sum(grams[at] in grams[:at] for at in range(57))
    assert checks.repeated(" ".join(words)) == pytest.approx(again / 57)


def test_scores_count_flags_and_positive_means_that_b_is_sounder(tmp_path: Path) -> None:
    (signal,) = _run([_pair(1, "", ANSWER)], tmp_path).signals
    assert (signal.fields["score_a"], signal.fields["score_b"], signal.value) == (-1.0, 0.0, 1.0)
    assert (signal.fields["flags_a"], signal.fields["flags_b"]) == (["empty"], [])
    assert signal.fields["compression_a"] is None


def test_the_run_says_how_often_labels_prefer_what_is_flagged(tmp_path: Path) -> None:
    refusal = "I cannot help with that."
    pairs = [_pair(n, refusal, ANSWER, label=-1 if n < 3 else 1) for n in range(10)]
    pairs += [_pair(20, refusal, refusal), _pair(21, refusal, ANSWER, label=None), _pair(22, ANSWER, refusal, label=0)]
    halves = [_run(pairs[:5], tmp_path).result, _run(pairs[5:], tmp_path).result]
    (row,) = [row for row in degenerate.combine(halves)["flags"] if row["flag"] == "refusal"]
    assert row["sides"] == 14
    assert (row["preferred"]["n"], row["preferred"]["share"]) == (10, 0.3)
    low, high = row["preferred"]["interval"]
    assert low < 0.3 < high
    assert degenerate.combine(halves) == degenerate.combine([_run(pairs, tmp_path).result])


def test_no_piece_makes_an_empty_result(tmp_path: Path) -> None:
    assert degenerate.combine([])["flagged"] == {"share": None, "interval": None, "n": 0}


def test_a_very_long_text_and_odd_characters_are_read(tmp_path: Path) -> None:
    texts = ["word " * 200_000, "\ud800 lone", "\x00" * 50, "̈" * 500, "[" * 5000, "`" * 4001]
    outcome = _run([_pair(n, text, ANSWER) for n, text in enumerate(texts)], tmp_path)
    assert all(math.isfinite(signal.value or 0.0) for signal in outcome.signals)


@pytest.mark.skipif(not DATA.exists(), reason="the real data (shared/data) is not on this machine")
def test_on_real_answers_the_flags_are_rare_and_planted_ones_are_found() -> None:
    with gzip.open(DATA, "rt") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines][:400]
    read = []
    for row in rows:
        head, _, answer = row["chosen"].rpartition("\n\nAssistant:")
        read.append((head.rpartition("\n\nHuman:")[2].strip(), answer.strip()))
    flagged = [flag for prompt, answer in read for flag in _flags(answer, prompt)]
    assert flagged.count("wrong_language") + flagged.count("repetitive") + flagged.count("key") <= 4
    assert flagged.count("truncated") < 0.1 * len(read)
    cut = [(prompt, answer[:120].rsplit(" ", 2)[0]) for prompt, answer in read if len(answer) > 300]
    found = sum("truncated" in _flags(text + " of the", prompt) for prompt, text in cut)
    assert found > 0.95 * sum(len(text.split()) >= 20 for _, text in cut)
