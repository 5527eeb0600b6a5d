"""Candidates of a tiny real model: what is kept, what is counted, and what a run says of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.workers.tiny_chat import make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.generation.lengths import lengths_of
from workers.engine.generation.written import Written
from workers.methods import sample_responses
from workers.methods._base import Prompt
from workers.methods.sample_responses import Params, combine, preflight, run

PROMPTS = [Prompt(n, [{"role": "user", "content": f"Question {n}?"}]) for n in range(1, 4)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chat(tmp_path_factory.mktemp("writers") / "writer", seed=1)


def params(folder: Path, **given: Any) -> Params:
    return Params(**{"model": str(folder), "n": 3, "max_tokens": 12, "temperature": 1.2, **given})


def test_every_prompt_has_its_candidates_with_their_author(folder: Path, bench: Bench) -> None:
    found = run(PROMPTS, params(folder), bench)
    kept = [one.prompt_id for one in found.candidates]
    assert kept == sorted(kept) and set(kept) == {1, 2, 3} and len(kept) + found.result["empty"] == 9
    assert {one.generator.partition("@")[0] for one in found.candidates} == {"writer"}
    assert found.result["written"] == 9 and sum(found.result["lengths"].values()) == 9
    assert run(PROMPTS[::-1], params(folder), bench).candidates == found.candidates
    of_second = [one for one in found.candidates if one.prompt_id == 2]
    assert run(PROMPTS[1:2], params(folder), bench).candidates == of_second
    assert run(PROMPTS, params(folder, seed=1), bench).candidates != found.candidates
    assert run([], params(folder), bench).candidates == []


class Told(Bench):
    """A model that says what is put into its mouth."""

    def write(self, asked: Any, *, model: str, n: int, **_: Any) -> list[list[Written]]:
        flags = frozenset({model}) if model in {"refused", "nonfinite", "truncated"} else frozenset[str]()
        return [[Written(model if not flags else "half a", 2, not flags, flags)] * n for _ in asked]

    def author(self, model: str) -> str:
        return "told@1"


@pytest.mark.parametrize(
    ("said", "counted", "kept"),
    [
        (" \n", {"empty": 2}, 0),
        ("nul \x00", {"unstorable": 2}, 0),
        ("half \ud800", {"unstorable": 2}, 0),
        ("refused", {"refused": 2}, 0),
        ("nonfinite", {"nonfinite": 2}, 0),
        ("truncated", {"truncated": 2, "unended": 2}, 2),
        ("fine", {}, 2),
    ],
)
def test_what_is_no_answer_is_counted_and_not_kept(
    tmp_path: Path, said: str, counted: dict[str, int], kept: int
) -> None:
    found = run(PROMPTS[:1], Params(model=said, n=2), Told(cache=tmp_path))
    assert {name: found.result[name] for name in sample_responses.TOLD if found.result[name]} == counted
    assert len(found.candidates) == kept


def test_pieces_are_summed_up_with_n_and_intervals() -> None:
    counts = {"prompts": 2, "written": 8, "new": 5, "repeated": 2, "empty": 1}
    one: dict[str, Any] = counts | {"lengths": {"3": 4, "9": 3}, "author": "m@1"}
    found = combine([one, one | {"unended": 4, "lengths": {"40": 7}}])
    assert (found["written"], found["new"], found["repeated"], found["author"]) == (16, 10, 4, "m@1")
    assert found["shares"]["unended"]["n"] == 16 and found["shares"]["unended"]["share"] == 0.25
    low, high = found["shares"]["repeated"]["interval"]
    assert low < 4 / 14 < high and found["shares"]["repeated"]["n"] == 14
    assert found["lengths"]["p50"] == 9 and found["lengths"]["longest"] == 40 and found["lengths"]["n"] == 14
    assert sum(bar["n"] for bar in found["lengths"]["histogram"]) == 14 and len(found["lengths"]["histogram"]) <= 21
    assert combine([]) | {"written": 0} == combine([]) and lengths_of([]) == {"n": 0}


def test_it_wants_a_model_and_hears_a_cancel(folder: Path, bench: Bench) -> None:
    with pytest.raises(Unworkable):
        preflight(Params())
    with pytest.raises(KeyboardInterrupt):
        run(PROMPTS, params(folder), replace(bench, check_cancelled=_stop))


def _stop() -> None:
    raise KeyboardInterrupt
