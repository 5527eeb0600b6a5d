"""Benchmark prompts among the prompts: which one, and how much of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.engine.bench import Bench, Unworkable
from workers.engine.texts.embeddings import Embedded
from workers.engine.texts.ngrams import read_benchmarks, words_of
from workers.methods import contamination
from workers.methods._base import Outcome, Pair, Signal

QUESTION = (
    "A baker sells forty loaves on Monday and half as many on Tuesday, so how many loaves does the baker sell "
    "altogether on these two days of the week?"
)
OTHER = "What is the best way to keep bread fresh for a week when the kitchen is warm and the air is damp?"


class LetterBench(Bench):
    """Texts are near when their words are."""

    def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
        vectors = np.zeros((len(texts), 4096), np.float32)
        for row, text in enumerate(texts):
            for word in words_of(text):
                vectors[row, sum(word.encode()) * 31 % 4096] += 1
        norms = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return Embedded(vectors / norms, np.zeros(len(texts), np.bool_))


def _pair(number: int, prompt: str, source: int = 1) -> Pair:
    return Pair(number, source, number, [{"role": "user", "content": prompt}], 2 * number, "a", 2 * number + 1, "b", 1)


def _file(tmp_path: Path, *prompts: str) -> str:
    path = tmp_path / "benchmark.jsonl"
    path.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
    return str(path)


def _run(pairs: list[Pair], tmp_path: Path, **params: Any) -> Outcome:
    bench = LetterBench(cache=tmp_path, sources={1: "mine", 2: "exam"})
    return contamination.run(pairs, replace(contamination.Params(threshold=1.0), **params), bench)


def _said(outcome: Outcome) -> dict[int, Signal]:
    return {signal.pair_id: signal for signal in outcome.signals}


def _overlap_by_hand(prompt: str, benchmark: str, n: int = 13) -> float:
    said, asked = words_of(prompt), words_of(benchmark)
    runs = {" ".join(asked[at : at + n]) for at in range(len(asked) - n + 1)}
    return sum(f" {run} " in f" {' '.join(said)} " for run in runs) / len(runs)


def test_the_overlap_is_the_share_of_runs_that_counting_finds(tmp_path: Path) -> None:
    half = " ".join(QUESTION.split()[:18])
    pairs = [_pair(1, QUESTION.upper() + " Think!"), _pair(2, f"Please: {half}?"), _pair(3, OTHER)]
    said = _said(_run(pairs, tmp_path, file=_file(tmp_path, "Something else entirely, of no use to us.", QUESTION)))
    for pair in pairs:
        assert said[pair.id].fields["overlap"] == pytest.approx(_overlap_by_hand(pair.last_turn, QUESTION))
    assert [said[n].fields["contaminated"] for n in (1, 2, 3)] == [True, True, False]
    assert (said[1].fields["benchmark"], said[1].value) == ("line 2", 1.0)
    assert said[3].fields["benchmark"] is None


def test_an_earlier_turn_counts_and_what_the_assistant_said_does_not(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": OTHER}]
    pair = replace(_pair(1, ""), messages=[*turns, {"role": "user", "content": "Are you sure?"}])
    (signal,) = _run([pair], tmp_path, file=_file(tmp_path, OTHER, QUESTION)).signals
    assert (signal.fields["benchmark"], signal.fields["overlap"]) == ("line 2", 1.0)


def test_a_source_can_be_the_benchmark_and_is_not_judged_itself(tmp_path: Path) -> None:
    pairs = [_pair(1, QUESTION), _pair(2, OTHER), _pair(7, QUESTION, source=2)]
    outcome = _run(pairs, tmp_path, source="exam")
    said = _said(outcome)
    assert said[1].fields["benchmark"] == "prompt 7"
    assert (said[7].value, said[7].fields["contaminated"]) == (None, False)
    assert outcome.result["by_source"] == [{"source": "mine", "share": outcome.result["contaminated"]}]
    assert (outcome.result["contaminated"]["share"], outcome.result["contaminated"]["n"]) == (0.5, 2)


def test_meaning_finds_what_words_do_not(tmp_path: Path) -> None:
    shuffled = " ".join(sorted(QUESTION.split()))
    (signal,) = _run([_pair(1, shuffled)], tmp_path, file=_file(tmp_path, OTHER, QUESTION), threshold=0.9).signals
    assert (signal.fields["overlap"], signal.fields["nearest"]) == (0.0, "line 2")
    assert signal.fields["contaminated"] and signal.value == pytest.approx(signal.fields["cosine"])


def test_short_prompts_are_one_run_or_none(tmp_path: Path) -> None:
    file = _file(tmp_path, "Who wrote the play about the prince?", "Why me?")
    outcome = _run(
        [_pair(1, "So, who wrote the play about the prince then?"), _pair(2, "Why me?")], tmp_path, file=file
    )
    assert [signal.value for signal in outcome.signals] == [1.0, 0.0]
    assert outcome.result["compared_by_meaning_only"] == 1


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.jsonl", None, "There is no file"),
        ("list.csv", "a", "not a list of prompts"),
        ("bad.jsonl", '{"prompt": "fine"}\n{oops', "Line 2 of"),
        ("bare.jsonl", '{"answer": "yes"}', "has no prompt"),
        ("none.jsonl", "\n", "is empty"),
        ("deep.jsonl", "[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(
    name: str, content: str | None, sentence: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(Unworkable, match=sentence):
        contamination.preflight(contamination.Params(file=str(tmp_path / name)))


def test_prompts_are_read_in_every_shape(tmp_path: Path) -> None:
    turn = {"role": "user", "content": "two"}
    rows = [{"question": "one"}, {"messages": [turn]}, "three", {"prompt": [turn | {"content": "four"}]}]
    path = tmp_path / "mixed.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [benchmark.text for benchmark in read_benchmarks(str(path))] == ["one", "two", "three", "four"]
    plain = tmp_path / "plain.txt"
    plain.write_text("one\n\ntwo\n")
    assert [(b.name, b.text) for b in read_benchmarks(str(plain))] == [("line 1", "one"), ("line 3", "two")]


def test_without_a_benchmark_and_with_an_unknown_source_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unworkable, match="Say what the benchmark is"):
        contamination.preflight(contamination.Params())
    with pytest.raises(Unworkable, match="its sources: exam, mine"):
        _run([_pair(1, QUESTION)], tmp_path, source="test set")


def test_an_unknown_source_is_told_before_anything_is_embedded(tmp_path: Path) -> None:
    bench = Bench(cache=tmp_path, sources={1: "mine", 2: "exam"})
    with pytest.raises(Unworkable, match="its sources: exam, mine"):
        contamination.prepare([_pair(1, QUESTION)], contamination.Params(source="test set"), bench)
    assert not any(tmp_path.iterdir())
