"""Candidates from a model behind a real server: each by its own seed, counted, and what the server refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workers.model_server import Served, served
from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.generation.written import Written
from workers.engine.models.client import ServerTrouble
from workers.engine.models.open import Where, check_usable, told_of
from workers.engine.models.server import forget_servers

ASKED = [[{"role": "user", "content": text}] for text in ("How do I bake bread?", "Is it late?")]
WITH_SYSTEM = [{"role": "system", "content": "Be brief."}, *ASKED[0]]


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(make_chat(tmp_path_factory.mktemp("models") / "toy", template=NO_SYSTEM)) as server:
        yield server


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    forget_servers()
    running.switches.__init__()  # type: ignore[misc]  # back to its defaults
    running.asked.clear()
    yield running
    forget_servers()


def written(server: Served, asked: Any, tmp_path: Path, **more: Any) -> list[list[Written]]:
    check = {"check_cancelled": more.pop("check")} if "check" in more else {}
    bench = Bench(cache=tmp_path, servers=server.servers, **check)
    return bench.write(asked, model=server.url, **{"n": 3, "seed": 1, "max_tokens": 6, **more})


def test_each_candidate_has_a_seed_of_its_own_whatever_is_written_beside(server: Served, tmp_path: Path) -> None:
    found = written(server, ASKED, tmp_path)
    assert [len(texts) for texts in found] == [3, 3]
    assert len({one.text for texts in found for one in texts}) == 6
    assert written(server, ASKED[::-1], tmp_path) == found[::-1]
    assert written(server, ASKED[1:], tmp_path, n=2) == [found[1][:2]]
    assert written(server, ASKED, tmp_path, seed=2) != found


def test_what_it_wrote_is_counted_without_the_token_that_ends_it(server: Served, tmp_path: Path) -> None:
    for one in [one for texts in written(server, ASKED, tmp_path, n=6, max_tokens=40) for one in texts]:
        assert one.ended == (one.tokens < 40) and one.flags == frozenset()
    asked = server.to("/v1/chat/completions")[-1]
    assert asked["max_tokens"] == 40 and 0 <= asked["seed"] < 2**31 and "top_k" not in asked


def test_greedy_writes_the_same_each_time(server: Served, tmp_path: Path) -> None:
    one, other, third = written(server, ASKED[:1], tmp_path, temperature=0.0)[0]
    assert one == other == third


def test_a_server_that_cannot_score_can_write(server: Served, tmp_path: Path) -> None:
    server.switches.forms, server.switches.tokenizes = (), False
    where = Where(tmp_path, tmp_path, server.servers)
    check_usable(server.url, where, to_write=True)
    assert len(written(server, ASKED, tmp_path)) == 2
    assert told_of(server.url, where) == {"name": "toy", "server": server.url, "sha256": "", "reading": ""}
    assert Bench(cache=tmp_path, servers=server.servers).author(server.url).startswith("toy@")


def test_a_system_turn_that_is_refused_goes_into_the_first_turn(server: Served, tmp_path: Path) -> None:
    plain, merged = written(server, [ASKED[0], WITH_SYSTEM], tmp_path)
    assert {one.flags for one in merged} == {frozenset({"system_merged"})}
    assert {one.flags for one in plain} == {frozenset()}
    assert server.to("/v1/chat/completions")[-1]["messages"][-1]["content"] != "Be brief."


def test_a_conversation_that_does_not_fit_is_flagged_and_the_others_are_written(server: Served, tmp_path: Path) -> None:
    long, short = written(server, [[{"role": "user", "content": "word " * 500}], ASKED[0]], tmp_path)
    assert long == [Written("", 0, False, frozenset({"refused"}))] * 3
    assert all(one.flags == frozenset() for one in short)


def test_what_is_refused_of_any_text_is_no_fault_of_the_texts(server: Served, tmp_path: Path) -> None:
    with pytest.raises(Unworkable, match=r"refuses what is asked of it.*too long for this model"):
        written(server, ASKED, tmp_path, max_tokens=500)


def test_a_server_that_does_not_write_is_refused_before_a_run(server: Served, tmp_path: Path) -> None:
    server.switches.chats = False
    with pytest.raises(Unworkable, match="does not write"):
        check_usable(server.url, Where(tmp_path, tmp_path, server.servers), to_write=True)


def test_garbage_and_silence_are_trouble(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.engine.models.client.PAUSES", (0.01,))
    written(server, ASKED[:1], tmp_path)
    server.switches.garbage, server.switches.spoils = "html", "/v1/chat/completions"
    with pytest.raises(ServerTrouble, match="no JSON"):
        written(server, ASKED[:1], tmp_path)


def test_a_cancel_is_heard_while_it_writes(server: Served, tmp_path: Path) -> None:
    written(server, ASKED[:1], tmp_path)
    server.switches.slow = 3.0
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        written(server, ASKED, tmp_path, check=check)
    assert time.monotonic() - began < 1.5
