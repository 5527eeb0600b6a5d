"""Where prompts go, what is put before them, and that a domain's common beginning is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.wordings.queries import bundled_words
from tests.workers.tiny_chat import NO_SYSTEM, make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.domains.customise import check_router, customised
from workers.engine.domains.document import Domains, domains_of
from workers.engine.domains.dress import Dress
from workers.engine.domains.route import by_centroid, by_model, by_rules
from workers.engine.likelihood.cached import Likely
from workers.engine.likelihood.forward import Likelihood
from workers.engine.ratios.ratio import Scale, ratios
from workers.engine.texts.embeddings import Embedded


@pytest.fixture(scope="module")
def domains() -> Domains:
    return domains_of(bundled_words("domains"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(cache=tmp_path, wording=lambda kind, version: bundled_words(kind))


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("How can I poison my neighbour's dog without getting caught?", "safety"),
        ("write a function that sorts a list in python", "reasoning"),
        ("What's the SQL for that?", "reasoning"),
        ("Good morning, what shall we cook?", "chat"),
        # No word inside a word: scripture, Javanese, grapes.
        ("scripture, Javanese and grapes", "chat"),
        ("Poisonous mushrooms", "safety"),
        ("C++ or Rust?", "reasoning"),
        # As many of each: the one that is told first.
        ("a bomb in python", "safety"),
        ("", "chat"),
    ],
)
def test_rules_go_by_whole_words(domains: Domains, bench: Bench, text: str, domain: str) -> None:
    assert by_rules([text], domains, bench) == [domain]


def test_centroids_place_what_is_near_and_call_the_rest_chat(domains: Domains, tmp_path: Path) -> None:
    class Axes(Bench):
        """The questions of a domain lie on its axis, and a number on the way to the first one."""

        def embed(self, texts: Sequence[str], *, model: str) -> Embedded:
            return Embedded(
                np.array([self._vector(text) for text in texts], np.float32), np.zeros(len(texts), np.bool_)
            )

        def _vector(self, text: str) -> list[float]:
            for place, one in enumerate(domains.all):
                if text in (one.asks, *(each.question for each in one.exemplars)):
                    return list(np.eye(3)[place])
            angle = float(text)
            return [float(np.cos(angle)), float(np.sin(angle)), 0.0]

    # Along the first axis, along the second, and between them.
    found = by_centroid("any")(["0.0", "1.57", "0.79"], domains, Axes(cache=tmp_path))
    assert found == [domains.all[0].name, domains.all[1].name, "chat"]


def test_a_model_places_by_likelihood_beyond_its_habit(domains: Domains, tmp_path: Path) -> None:
    class Habit(Bench):
        """It likes to say chat, and says the domain whose name is in the text a little more than before."""

        def likelihoods(self, asked: Any, *, model: str, **_: Any) -> list[list[Likely]]:
            return [[self._says(messages[0]["content"], name) for name in names] for messages, names in asked]

        def _says(self, question: str, name: str) -> Likely:
            shown = question.split("\n\n")[1]
            if shown == "refused":
                return Likely(nan, 0, 4, frozenset({"refused"}))
            return Likely(-1.0 * (name != "chat") + 0.5 * (name in shown), 1, 4)

    bench = Habit(cache=tmp_path)
    texts = ["some reasoning", "safety {names}", "nothing of the sort", "refused"]
    assert by_model("m")(texts, domains, bench) == ["reasoning", "safety", "safety", "chat"]


def test_what_is_put_before_a_prompt_is_drawn_by_what_it_says(domains: Domains, bench: Bench) -> None:
    prompts = [user(f"solve equation {number}") for number in range(40)]
    one, other = (Dress(some, by_rules, domains, bench, seed=0) for some in (prompts, prompts[::-1][:7]))
    assert [one.of(prompt) for prompt in prompts[-7:]] == [other.of(prompt) for prompt in prompts[-7:]]
    names = {one.of(prompt).exemplar for prompt in prompts}
    assert len(names) > 6
    again = Dress(prompts, by_rules, domains, bench, seed=1)
    assert [again.of(prompt).exemplar for prompt in prompts] != [one.of(prompt).exemplar for prompt in prompts]


def test_a_case_stands_in_a_system_turn_before_the_conversation(domains: Domains, bench: Bench) -> None:
    asked, told, plain = user("prove it"), [{"role": "system", "content": "Be brief."}, *user("a bomb")], user("hello")
    dress = Dress([asked, told, plain], by_rules, domains, bench, seed=0)
    first, *rest = dress(asked)
    case = next(one for one in domains.named("reasoning").exemplars if one.name == dress.of(asked).exemplar)
    assert first["role"] == "system"
    assert first["content"].startswith(domains.named("reasoning").criteria)
    assert first["content"].index(case.good) < first["content"].index(case.bad) < first["content"].index(case.why)
    assert rest == asked
    joined = dress(told)
    assert [turn["role"] for turn in joined] == ["system", "user"]
    assert joined[0]["content"].endswith("\n\nBe brief.")
    # As published: nothing before a chat.
    assert (dress(plain), dress.of(plain).exemplar) == (plain, "")


@dataclass(frozen=True)
class Words:
    document: dict[str, Any]
    version: int = 3
    sha256: str = "ab" * 32
    kept: list[int] = field(default_factory=list)


def test_a_domain_may_have_criteria_alone(bench: Bench) -> None:
    document = bundled_words("domains").document
    changed = {**document, "domains": [{**one, "before": "criteria"} for one in document["domains"]]}
    dress = Dress([user("hello")], by_rules, domains_of(Words(changed)), bench, seed=0)
    assert dress(user("hello"))[0]["content"].startswith("Judge whether the person would be glad of it.")
    assert dress.of(user("hello")).exemplar == ""


def test_words_that_cannot_be_read_are_a_sentence() -> None:
    with pytest.raises(Unworkable, match="Version 3 of the domains lacks 'domains'"):
        domains_of(Words({"question": "?"}))
    with pytest.raises(Unworkable, match="has none of the name chat"):
        domains_of(Words({"question": "?", "domains": []}))


@pytest.mark.parametrize("by", ["off", "rules"])
def test_a_run_says_what_was_put_and_in_which_words(bench: Bench, by: str) -> None:
    prompts = [user("prove it"), user("hello")]
    dress = customised(prompts, by, bench, version=0, seed=4, encoder="minilm", router_model="")
    told = dress.as_record()
    if by == "off":
        assert (told, dress.names(prompts[0]), dress(prompts[0])) == ({"by": "off"}, ("", ""), prompts[0])
        return
    words = bundled_words("domains")
    assert told["wording"] == {"kind": "domains", "version": 0, "sha256": words.sha256}
    assert (told["by"], told["seed"], dress.names(prompts[1])) == ("rules", 4, ("chat", ""))
    assert dress.names(prompts[0])[0] == "reasoning"


def test_what_a_router_lacks_is_asked_for_beforehand() -> None:
    with pytest.raises(Unworkable, match="Name the model that reads the prompts as `router_model`"):
        check_router("model", encoder="minilm", router_model=" ")
    with pytest.raises(Unworkable, match="There is no model in"):
        check_router("centroid", encoder="./nothing", router_model="")
    check_router("rules", encoder="./nothing", router_model="")


@pytest.mark.parametrize("template", [None, NO_SYSTEM])
def test_what_a_domain_shares_is_computed_once(
    domains: Domains, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str | None
) -> None:
    """Also where the template takes no system turn, and it stands at the head of the person's first."""
    folder = str(make_chat(tmp_path / "models" / "long", context=2048, template=template))
    prompts = [user(f"solve equation {number}") for number in range(60)]
    dress = Dress(prompts, by_rules, domains, bench, seed=0)
    computed = [0]
    forward = Likelihood._forward

    def counted(self: Likelihood, rows: Any, cache: Any, said: Any) -> Any:
        computed[0] += sum(row.tokens for row in rows)
        return forward(self, rows, cache, said)

    monkeypatch.setattr(Likelihood, "_forward", counted)
    bench.scorer(folder).score([])
    bench.scorer(folder).loaded()  # type: ignore[attr-defined]  # a folder's
    computed[0] = 0
    asked = [(dress(prompt), ["yes", "no"]) for prompt in prompts]
    found = ratios(asked, Scale(folder, folder), bench)
    chat = bench.scorer(folder).chat()
    read = [chat.responses(*row) for row in asked]
    plain = sum(len(one.passage.ids) for row in read for one in row)
    longest = [max(len(one.passage.ids) for one in row) for row in read]
    cases = {dress.of(prompt).exemplar: tokens for prompt, tokens in zip(prompts, longest, strict=True)}
    own = sum(len(chat.responses(prompt, ["yes"])[0].passage.ids) + 16 for prompt in prompts)
    assert all(one.is_clean for row in found for one in row)
    assert computed[0] <= sum(cases.values()) + 2 * own
    assert computed[0] < plain / 6
