"""Candidates come out the same whatever they are written beside, stop where the turn ends, and tell what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.generation import local
from workers.engine.generation.choose import choose
from workers.engine.generation.written import Sampling, Written, seed_of
from workers.engine.models.causal import FolderScorer

ASKED = [
    [{"role": "user", "content": text}]
    for text in ("What is rain?", "Name a colour.", "Tell me of a long walk by the sea in the evening.", "Why?")
]
HOT = Sampling(n=3, seed=7, temperature=1.3, top_p=0.95, top_k=60, max_tokens=12)


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], FolderScorer]:
    made: dict[str, FolderScorer] = {}
    folder = tmp_path_factory.mktemp("writers")

    def of(family: str) -> FolderScorer:
        if family not in made:
            made[family] = FolderScorer(make_chat(folder / family, family=family, seed=3))
        return made[family]

    return of


def plainly(scorer: FolderScorer, messages: Any, number: int, sampling: Sampling) -> list[int]:
    """One candidate, one token at a time, everything computed anew, by lists and loops."""
    import torch

    ids = list(scorer.chat().opened(messages, 10_000).ids)
    chances = np.random.default_rng(seed_of(sampling.seed, messages, number)).random(sampling.max_tokens)
    said: list[int] = []
    for chance in chances:
        with torch.inference_mode():
            logits = scorer.loaded().model(torch.tensor([ids + said])).logits[0, -1].double() / sampling.temperature
        shares = torch.softmax(torch.sort(logits, descending=True, stable=True).values[: sampling.top_k], 0).tolist()
        order = torch.sort(logits, descending=True, stable=True).indices.tolist()
        kept = [share for nth, share in enumerate(shares) if sum(shares[:nth]) < sampling.top_p]
        place = next(nth for nth in range(len(kept)) if sum(kept[: nth + 1]) > chance * sum(kept))
        if order[place] in (scorer.chat().ending, scorer.tokenizer.eos_token_id):
            break
        said.append(order[place])
    return said


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3"])
def test_it_writes_what_the_plain_loop_writes(writer: Callable[[str], FolderScorer], family: str) -> None:
    scorer = writer(family)
    found = scorer.write(ASKED, HOT)
    for messages, texts in zip(ASKED, found, strict=True):
        for number, written in enumerate(texts):
            ids = plainly(scorer, messages, number, HOT)
            assert written.text == scorer.tokenizer.decode(ids, skip_special_tokens=True)
            assert written.tokens == len(ids) and written.ended == (len(ids) < HOT.max_tokens)


def test_neither_batch_nor_order_nor_number_changes_a_candidate(
    writer: Callable[[str], FolderScorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = writer("llama")
    found = scorer.write(ASKED, HOT)
    assert scorer.write(ASKED[::-1], HOT) == found[::-1]
    more = scorer.write(ASKED[:1], Sampling(5, 7, 1.3, 0.95, 60, 12))[0]
    assert more[:3] == found[0] and len({one.text for one in more}) == 5
    monkeypatch.setattr(local, "MOST_ROWS", {"cpu": 2})
    assert scorer.write(ASKED, HOT) == found
    assert scorer.write(ASKED, Sampling(3, 8, 1.3, 0.95, 60, 12)) != found


def test_without_temperature_it_is_what_transformers_writes_greedily(writer: Callable[[str], FolderScorer]) -> None:
    import torch

    scorer = writer("llama")
    ids = scorer.chat().opened(ASKED[2], 1000).ids
    (one, other) = scorer.write([ASKED[2]], Sampling(2, temperature=0.0, max_tokens=12))[0]
    with torch.inference_mode():
        told = scorer.loaded().model.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=12, do_sample=False
        )
    assert one == other and one.text == scorer.tokenizer.decode(told[0, len(ids) :], skip_special_tokens=True)


def test_the_end_of_the_turn_ends_it_and_stands_in_no_text(tmp_path: Path) -> None:
    dialogue = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    scorer = FolderScorer(make_chat(tmp_path / "m", dialogues=[dialogue], steps=60, rate=1e-2))
    (found,) = scorer.write([dialogue[:1]], Sampling(4, temperature=0.2, max_tokens=20))
    assert [(one.text, one.ended) for one in found] == [("yes", True)] * 4
    cut = scorer.write([dialogue[:1]], Sampling(1, temperature=0.0, max_tokens=1))[0][0]
    assert not cut.ended and cut.tokens == 1


def test_a_prompt_gives_way_to_what_is_written_and_says_so(writer: Callable[[str], FolderScorer]) -> None:
    long = [{"role": "user", "content": "words and more words, " * 200}]
    found = writer("llama").write([long, ASKED[0]], Sampling(2, max_tokens=200))
    assert all(one.flags == {"truncated"} and one.tokens <= 128 for one in found[0])
    assert all(not one.flags for one in found[1])


def test_system_words_that_no_turn_takes_stand_in_the_first_and_are_told(tmp_path: Path) -> None:
    scorer = FolderScorer(make_chat(tmp_path / "m", template=NO_SYSTEM))
    nobody = [{"role": "system", "content": "Be brief."}, *ASKED[0]]
    twice = [*ASKED[0], {"role": "user", "content": "And?"}]
    found = scorer.write([nobody, twice], Sampling(2, max_tokens=4))
    assert all("system_merged" in one.flags for one in found[0]) and len(found[1]) == 2


def test_templates_that_refuse_some_rows_leave_the_others(tmp_path: Path) -> None:
    template = "{% if messages|length > 2 %}{{ raise_exception('too long') }}{% endif %}" + NO_SYSTEM
    scorer = FolderScorer(make_chat(tmp_path / "m", template=template))
    talk = [*ASKED[0], {"role": "assistant", "content": "Water."}, *ASKED[1]]
    found = scorer.write([talk, ASKED[0]], Sampling(2, max_tokens=4))
    assert found[0] == [Written("", 0, False, frozenset({"refused"}))] * 2 and not found[1][0].flags
    assert scorer.write([talk], Sampling(1))[0][0].flags == {"refused"} and scorer.write([], HOT) == []


def test_where_memory_runs_out_the_batch_is_halved(
    writer: Callable[[str], FolderScorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, begun, tried = writer("llama"), local._begun, []
    found = scorer.write(ASKED, HOT)

    def narrow(model: Any, some: Any) -> Any:
        tried.append(len(some))
        if len(some) > 4:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")
        return begun(model, some)

    monkeypatch.setattr(local, "_begun", narrow)
    assert scorer.write(ASKED, HOT) == found and tried == [12, 6, 3, 3, 6, 3, 3]
    monkeypatch.setattr(local, "_begun", lambda model, some: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(Unworkable, match="not enough memory"):
        scorer.write(ASKED[:1], HOT)


def test_numbers_that_are_none_end_a_text_and_flag_it(
    writer: Callable[[str], FolderScorer], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    begun = local._begun

    def broken(model: Any, some: Any) -> Any:
        logits, cache, seen = begun(model, some)
        logits = logits.clone()
        logits[0] = torch.nan
        return logits, cache, seen

    monkeypatch.setattr(local, "_begun", broken)
    found = writer("llama").write(ASKED[:1], HOT)[0]
    assert sorted(len(one.flags) for one in found) == [0, 0, 1]
    assert next(one for one in found if one.flags) == Written("", 0, False, frozenset({"nonfinite"}))


def test_a_wish_to_stop_is_heard_between_two_tokens(writer: Callable[[str], FolderScorer], tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > 5:
            raise Stopped

    bench = Bench(cache=tmp_path, check_cancelled=check)
    with pytest.raises(Stopped):
        bench.write(ASKED, model=str(writer("llama").folder), n=2, max_tokens=50, temperature=1.5)
    assert asked == 6


@pytest.mark.parametrize("seed", range(3))
def test_tokens_are_drawn_as_often_as_they_are_probable(seed: int) -> None:
    import torch

    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(1, 9)) * 2, dtype=torch.float32).expand(20_000, 9)
    drawn = choose(logits, torch.from_numpy(rng.random(20_000)), Sampling(1, temperature=0.7, top_p=0.9, top_k=6))
    shares = torch.softmax(logits[0].double() / 0.7, 0)
    order = shares.argsort(descending=True)[:6]
    top = shares[order] / shares[order].sum()
    kept = order[(top.cumsum(0) - top) < 0.9]
    wanted = torch.zeros(9, dtype=torch.float64)
    wanted[kept] = shares[kept] / shares[kept].sum()
    assert torch.allclose(torch.bincount(drawn, minlength=9) / 20_000, wanted.float(), atol=0.015)
