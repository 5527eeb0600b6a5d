"""A model behind a real server answers what the same model answers here; and what happens where the server does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.model_server import Served, ServedByProcess, Switches, served, servers_of
from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.cached import likelihoods
from workers.engine.likelihood.passages import Passage
from workers.engine.models.causal import FolderScorer
from workers.engine.models.client import Patience, ServerTrouble
from workers.engine.models.names import Served as Name
from workers.engine.models.open import Where, check_usable, open_scorer, told_of
from workers.engine.models.prompt_logprobs import FORMS
from workers.engine.models.server import ServerScorer, forget_servers, open_server

QUICK = Patience(connect=2.0, answer=5.0, pauses=(0.02, 0.02))
ASKED = [
    ([{"role": "user", "content": "How do I bake bread?"}], ["With flour and water.", "I cannot say.", ""]),
    ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is it late?"}], ["It is noon.", "No"]),
    ([{"role": "user", "content": "word " * 200}], ["much too long for it to be read whole " * 9, "short"]),
]
SAID = [
    ([{"role": "user", "content": "How do I bake bread?"}], "With flour.", ["Thank you, that helps.", "That is wrong."])
]


class Stopped(Exception):
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chat(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Served]:
    with served(folder) as server:
        yield server


@pytest.fixture
def server(running: Served) -> Iterator[Served]:
    """The same server with all switches as they were."""
    forget_servers()
    running.switches.__init__()  # type: ignore[misc]  # back to its defaults
    running.asked.clear()
    yield running
    forget_servers()


def opened(server: Served, folder: Path, **more: Any) -> ServerScorer:
    more.setdefault("cache", folder.parent / "cache")
    return open_server(Name(server.url, ""), server.servers, folder.parent, patience=QUICK, **more)


@pytest.mark.parametrize("form", FORMS)
def test_it_agrees_with_the_model_here_token_by_token(form: str, server: Served, folder: Path) -> None:
    server.switches.forms = (form.removeprefix("plain ").replace(", max_tokens", ""),)
    server.switches.is_strict = form.startswith("plain")
    here, there = FolderScorer(folder), opened(server, folder)
    assert there.facts.form == form and there.context == here.context - 1
    own = [here.chat().responses(*ASKED[0])]
    assert there.chat().responses(*ASKED[0]) == own[0]
    passages = [read.passage for reads in own for read in reads] + [Passage((5, 9, 17, 30), 1), Passage((5, 9), 2)]
    for one, other in zip(here.score(passages), there.score(passages), strict=True):
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-4)


@pytest.mark.parametrize("template", ["", NO_SYSTEM])
@pytest.mark.parametrize("lists", [False, True])
def test_conversations_are_the_same_ids_cut_at_the_same_places(
    template: str, lists: bool, server: Served, folder: Path, tmp_path: Path
) -> None:
    server.switches.trusts_templates, server.switches.lists_special = True, lists
    here, there = FolderScorer(folder), opened(server, folder)
    here.context = there.context
    for with_eot in (True, False):
        one = here.chat(with_eot=with_eot, template=template or None)
        other = there.chat(with_eot=with_eot, template=template or None)
        assert [one.responses(*each) for each in ASKED] == [other.responses(*each) for each in ASKED]
        assert [one.remarks(*each) for each in SAID] == [other.remarks(*each) for each in SAID]


def test_a_server_that_breaks_on_a_word_is_asked_in_another_form(server: Served, folder: Path) -> None:
    server.switches.breaks = True
    assert opened(server, folder).facts.form == "echo, max_tokens 0"


def test_what_was_read_is_not_asked_for_again(server: Served, folder: Path) -> None:
    one = opened(server, folder).chat().responses(*ASKED[0])
    before = len(server.asked)
    assert opened(server, folder).chat().responses(*ASKED[0]) == one
    assert len(server.asked) == before


def test_a_worker_that_begins_anew_finds_the_ids_on_disk(server: Served, folder: Path, tmp_path: Path) -> None:
    rows = [([{"role": "user", "content": f"Question {n}"}], ["one", "other"]) for n in range(5)]
    found = likelihoods(opened(server, folder, cache=tmp_path), rows, cache=tmp_path)
    forget_servers()
    server.asked.clear()
    assert likelihoods(opened(server, folder, cache=tmp_path), rows, cache=tmp_path) == found
    assert not [body for body in server.to("/tokenize") if "Question" in str(body)]
    # The fixed conversation is all that is scored.
    assert len(server.to("/v1/completions")) == 1


def test_what_ends_a_turn_is_told_from_text_by_its_looks(server: Served, folder: Path) -> None:
    own, there = FolderScorer(folder).chat().tokens, opened(server, folder).chat().tokens
    assert [there.is_special(token) for token in range(40)] == [own.is_special(token) for token in range(40)]
    assert there.bos == own.bos and there.adds_bos == own.adds_bos
    assert there.said(own.rendered([{"role": "user", "content": "<div>"}], opens=True)).count("<|end|>") == 1


def test_likelihoods_through_the_bench_are_those_of_the_folder(server: Served, folder: Path, tmp_path: Path) -> None:
    bench = Bench(cache=tmp_path, models=folder.parent, servers=server.servers)
    for one, other in zip(
        bench.likelihoods(ASKED[:2], model=str(folder)) + bench.remarks(SAID, model="toy"),
        bench.likelihoods(ASKED[:2], model=server.url) + bench.remarks(SAID, model=f"{server.url}#toy"),
        strict=True,
    ):
        assert [each.flags for each in one] == [each.flags for each in other]
        np.testing.assert_allclose([each.total for each in one], [each.total for each in other], atol=1e-3)
    where = Where(folder.parent, tmp_path, server.servers)
    told = told_of(server.url, where)
    assert told["name"] == "toy" and told["server"] == server.url and len(told["reading"]) == 16


def test_texts_that_begin_alike_are_asked_about_together_and_none_twice(server: Served, folder: Path) -> None:
    there = opened(server, folder)
    there.hands = 1
    before = len(server.to("/v1/completions"))
    ids = [(5, 9, 17), (40, 41), (5, 9, 20), (5, 9, 17)]
    done: list[int] = []
    found = there.score([Passage(each, 1) for each in ids], on_passage=done.append)
    assert [body["prompt"] for body in server.to("/v1/completions")[before:]] == [[5, 9, 17], [5, 9, 20], [40, 41]]
    np.testing.assert_array_equal(found[0].logprobs, found[3].logprobs)
    assert [one.count for one in found] == [2, 1, 2, 2] and done == [1, 2, 3]


def test_a_server_that_only_writes_is_refused_with_what_to_start_instead(server: Served, folder: Path) -> None:
    server.switches.forms = ()
    with pytest.raises(Unworkable, match=r"can write but not score.*vllm serve"):
        opened(server, folder)
    with pytest.raises(Unworkable, match="can write but not score"):
        check_usable(server.url, Where(folder.parent, folder.parent / "cache", server.servers))


def test_without_tokenize_a_folder_can_hold_the_tokenizer(server: Served, folder: Path, tmp_path: Path) -> None:
    server.switches.tokenizes = False
    with pytest.raises(Unworkable, match=r"no /tokenize.*WINNOW_HOME/models"):
        opened(server, folder)
    listed = servers_of(server.url, tokenizer="toy")
    there = open_server(Name(server.url, ""), listed, folder.parent, cache=tmp_path, patience=QUICK)
    assert there.chat().responses(*ASKED[0]) == FolderScorer(folder).chat().responses(*ASKED[0])
    for name in ("../toy", "nothing"):
        with pytest.raises(Unworkable, match="no folder"):
            open_server(Name(server.url, ""), servers_of(server.url, tokenizer=name), folder.parent, cache=tmp_path)


def test_of_several_models_one_must_be_named(server: Served, folder: Path) -> None:
    server.switches.names = ("toy", "other")
    with pytest.raises(Unworkable, match=r"has 2 models; write http\S+#MODEL with one of: toy, other"):
        opened(server, folder)
    with pytest.raises(Unworkable, match="has no model 'third'; it has toy, other"):
        open_scorer(f"{server.url}#third", Where(folder.parent, folder.parent / "cache", server.servers))
    where = Where(folder.parent, folder.parent / "cache", server.servers)
    assert open_scorer(f"{server.url}/#other", where).name == "other"


def test_a_template_of_ones_own_needs_a_server_that_trusts_it(server: Served, folder: Path) -> None:
    with pytest.raises(Unworkable, match="trust-request-chat-template"):
        opened(server, folder).chat(template=NO_SYSTEM)


def test_a_conversation_that_the_template_refuses_is_a_flagged_row(
    server: Served, folder: Path, tmp_path: Path
) -> None:
    server.switches.trusts_templates = True
    strict = "{% if messages | length > 2 %}{{ raise_exception('too many') }}{% endif %}" + NO_SYSTEM
    asked = [ASKED[0], ([*ASKED[0][0], *ASKED[0][0], *ASKED[0][0]], ["one"])]
    found = likelihoods(opened(server, folder), asked, cache=tmp_path, template=strict)
    assert found[0][0].is_clean and found[1][0].flags == {"refused"}


def test_another_checkpoint_under_the_same_name_is_another_version(server: Served, folder: Path) -> None:
    first = opened(server, folder).version
    forget_servers()
    assert opened(server, folder).version == first
    forget_servers()
    weights = server.model.model.lm_head.weight.data
    for factor, is_another in ((1.001, False), (40.0, True)):
        weights *= factor
        try:
            assert (opened(server, folder).version != first) is is_another
        finally:
            weights /= factor
            forget_servers()
    assert opened(server, folder).version == first


def test_minus_infinity_and_nan_come_as_what_they_are(server: Served, folder: Path, tmp_path: Path) -> None:
    there = opened(server, folder)
    for garbage in ("nan", "null", "least"):
        server.switches.garbage = garbage
        found = likelihoods(there, ASKED[:1], cache=tmp_path / garbage)
        assert [one.flags for one in found[0]] == [{"nonfinite"}] * 3


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        ("html", "no JSON"), ("words", "no numbers"), ("above zero", "above zero"), ("few", "tells of"),
        ("other ids", "no log-probabilities of the given"), ("huge", "larger than"), ("packed", "packed"),
    ],
)  # fmt: skip
def test_garbage_in_mid_run_is_trouble_and_never_a_number(
    garbage: str, words: str, server: Served, folder: Path
) -> None:
    there = opened(server, folder)
    there.client.most_bytes = 1_000_000
    server.switches.garbage = garbage
    with pytest.raises(ServerTrouble, match=words):
        there.score([Passage((5, 9, 17), 1)])


@pytest.mark.parametrize("form", ["echo 0", "echo 1"])
def test_an_echo_of_other_tokens_is_trouble(form: str, server: Served, folder: Path) -> None:
    server.switches.forms = (form,)
    there = opened(server, folder)
    server.switches.garbage = "other ids"
    with pytest.raises(ServerTrouble, match="other tokens"):
        there.score([Passage((5, 9, 17), 1)])


def test_a_busy_server_is_waited_for(server: Served, folder: Path) -> None:
    there = opened(server, folder)
    server.switches.status, server.switches.refusals = 429, 2
    assert there.score([Passage((5, 9, 17), 1)])[0].is_finite


def test_a_slow_server_does_not_keep_a_run_from_being_cancelled(server: Served, folder: Path) -> None:
    there = opened(server, folder)
    server.switches.slow = 3.0
    began = time.monotonic()

    def check() -> None:
        if time.monotonic() - began > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        there.score([Passage((5, number), 1) for number in range(40)], check=check)
    assert time.monotonic() - began < 1.5
    assert not [one for one in threading.enumerate() if one.name.startswith("model server")] or _ends()


def _ends() -> bool:
    """Threads that wait for an answer hear of it soon after."""
    until = time.monotonic() + 2
    while [one for one in threading.enumerate() if one.name.startswith("model server")]:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_many_requests_are_under_way_at_once(server: Served, folder: Path) -> None:
    there = opened(server, folder)
    server.switches.slow = 0.2
    began = time.monotonic()
    there.score([Passage((5, number), 1) for number in range(32)])
    assert time.monotonic() - began < 32 * 0.2 / 4


def test_an_unlisted_server_is_not_asked_anything(server: Served, folder: Path, tmp_path: Path) -> None:
    bench = Bench(cache=tmp_path, models=folder.parent)
    with pytest.raises(Unworkable, match="not on this project's list"):
        bench.likelihoods(ASKED[:1], model=server.url)
    assert server.asked == []


def test_a_run_goes_on_after_the_server_was_killed_and_asks_only_for_what_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.engine.likelihood.cached.PORTION", 20)
    asked = [([{"role": "user", "content": f"Question {n}"}], [f"answer {n}", f"other {n}"]) for n in range(6)]
    forget_servers()
    done: list[int] = []

    def ask(server: ServedByProcess, cache: str = "kept") -> list[Any]:
        there = open_server(Name(server.url, ""), server.servers, folder.parent, cache=tmp_path, patience=QUICK)
        return likelihoods(there, asked, cache=tmp_path / cache, on_portion=lambda at, _: done.append(at))

    with ServedByProcess(folder, Switches(dies_after=7)) as server:
        with pytest.raises(ServerTrouble) as trouble:
            ask(server)
        assert not isinstance(trouble.value, Unworkable)
        assert server.process is not None and server.process.wait(5) == -9
        kept = done[-1]
        assert 0 < kept < 12
        server.switches.dies_after = None
        done.clear()
        server.start()
        found = ask(server)
        # What was kept is not asked for again: the portions of the second time make up the rest.
        assert done[-1] == 12 - kept
        assert found == ask(server, "fresh") and done[-1] == 12
