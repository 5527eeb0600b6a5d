"""A strong model over a weak one: planted goodness is found, length is told of, and flagged rows stand apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.wordings.queries import bundled_words
from tests.workers.conftest import EchoBench
from tests.workers.tiny_chat import make_chat
from workers.engine.bench import Bench, Unworkable
from workers.engine.likelihood.cached import Likely
from workers.methods import density_ratio
from workers.methods._base import Outcome, Pair

MakePairs = Callable[..., list[Pair]]
STEPS = ("wash the rice", "heat the pan", "cut the bread", "stir the soup", "add some salt", "pour the water")
ASKED = [{"role": "user", "content": "what next?"}]
MODELS = density_ratio.Params(strong="strong", weak="weak")


def _good(rng: np.random.Generator) -> str:
    some = rng.choice(STEPS, size=int(rng.integers(2, 6)), replace=False)
    return "first " + ", then ".join(some) + "."


def _bad(rng: np.random.Generator) -> str:
    """The words of another one in no order: as long or not, as it happens."""
    return " ".join(rng.permutation(_good(rng).split()))


def test_what_a_model_was_tuned_for_is_found_beyond_likelihood_length_and_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folders = {}
    for name, text in (("weak", _bad), ("strong", _good)):
        dialogues = [[*ASKED, {"role": "assistant", "content": text(rng)}] for _ in range(100)]
        folders[name] = str(make_chat(tmp_path / name, dialogues=dialogues, steps=25))
    pairs = []
    for row in range(60):
        sides = [_good(rng), _bad(rng)][:: 1 if row % 2 else -1]
        pairs.append(Pair(row, 1, row, ASKED, 2 * row, sides[0], 2 * row + 1, sides[1], -1 if row % 2 else 1))
    params = density_ratio.Params(strong=folders["strong"], weak=folders["weak"])
    told = density_ratio.run(pairs, params, Bench(cache=tmp_path)).result
    assert told["accuracy"]["interval"][0] > 0.85
    assert told["ahead_of_strong"]["interval"][0] > 0.05
    assert told["ahead_of_length"]["interval"][0] > 0.2
    assert not told["length"]["warns"]


class Told(EchoBench):
    """A bench whose models say what a test lets them say: (model, text) -> Likely."""

    def likelihoods(self, asked: Any, *, model: str, **_: Any) -> list[list[Likely]]:
        self.check_cancelled()
        return [[SAID[0](model, text) for text in texts] for _, texts in asked]


SAID: list[Callable[[str, str], Likely]] = []


def told(pairs: Sequence[Pair], says: Callable[[str, str], Likely], path: Path, **params: Any) -> Outcome:
    SAID[:] = [says]
    return density_ratio.run(pairs, replace(MODELS, **params), Told(cache=path))


def _by_number(model: str, text: str) -> Likely:
    """The strong model sees the number in the text, and nothing in any other; both lose two nats a word."""
    words = text.split()
    seen = float(words[1]) if words[:1] == ["good"] and len(words) == 3 else -9.0
    return Likely(-2.0 * len(words) + (seen if model == "strong" else 0.0), len(words), len(text.encode()))


def test_a_signal_holds_both_sums_and_their_difference(make_pairs: MakePairs, tmp_path: Path) -> None:
    [pair] = make_pairs(1)
    [signal] = told([pair], _by_number, tmp_path).signals
    a, b = (float(text.split()[1]) for text in (pair.a, pair.b))
    assert signal.value == signal.fields["mean"] == pytest.approx(b - a)
    assert (signal.fields["score_a"], signal.fields["strong_a"], signal.fields["weak_a"]) == pytest.approx(
        (a, a - 6, -6)
    )
    assert (signal.fields["tokens_b"], signal.fields["flags_b"], signal.fields["flagged"]) == (3, [], False)


def test_scores_of_responses_are_kept_once_each(make_pairs: MakePairs, tmp_path: Path) -> None:
    [pair] = make_pairs(1)
    twice = [pair, replace(pair, id=2, b_id=9, b=pair.a + " more")]
    outcome = told(twice, _by_number, tmp_path)
    assert sorted({(score.response_id, score.name) for score in outcome.scores}) == [
        (response, name) for response in (pair.a_id, pair.b_id, 9) for name in ("ratio", "strong", "weak")
    ]
    assert len(outcome.scores) == 9


def test_what_is_told_beside_the_labels(make_pairs: MakePairs, tmp_path: Path) -> None:
    pairs = make_pairs(100, prompts=50)
    result = told(pairs, _by_number, tmp_path).result
    assert (result["n"], result["labelled"], result["unit"], result["flagged_rows"]) == (100, 100, "nats", 0)
    assert {"share": 1.0, "n": 100, "groups": 50}.items() <= result["accuracy"].items()
    assert result["strong_accuracy"]["share"] == 1.0
    # All texts are equally long, and a row that nothing decides counts one half.
    assert result["length_accuracy"]["share"] == 0.5
    low, high = result["ahead_of_length"]["interval"]
    assert low == high == result["ahead_of_length"]["value"] == 0.5
    assert "all responses are equally long" in result["length"]["words"]


def test_the_order_of_rows_and_repeated_texts_change_nothing(make_pairs: MakePairs, tmp_path: Path) -> None:
    pairs = make_pairs(60, prompts=12)
    repeated = [replace(pair, b=pairs[0].b) if pair.prompt_id == 0 else pair for pair in pairs]
    one, other = (told(rows, _by_number, tmp_path) for rows in (repeated, repeated[::-1]))
    assert (one.signals, one.result, one.scores) == (other.signals, other.result, other.scores)
    same = {signal.fields["score_b"] for signal in one.signals if signal.pair_id in {1, 13, 25, 37, 49}}
    assert len(same) == 1


def _cut(model: str, text: str) -> Likely:
    """Response b is cut for the weak model, and of one row no number comes."""
    said = _by_number(model, text)
    if text.endswith("#007a"):
        return replace(said, total=nan, flags=frozenset({"nonfinite"}))
    return replace(said, flags=frozenset({"truncated"})) if model == "weak" and text.endswith("b") else said


def test_flagged_rows_are_told_and_count_in_no_figure(make_pairs: MakePairs, tmp_path: Path) -> None:
    pairs = make_pairs(20)
    turned = [replace(pair, b=pair.b + "x", label=-(pair.label or 0)) for pair in pairs[:15]]
    outcome = told([*turned, *pairs[15:]], _cut, tmp_path)
    at = {signal.pair_id: signal for signal in outcome.signals}
    assert (at[20].fields["flags_b"], at[20].fields["flagged"]) == (["truncated"], True)
    assert at[20].value is not None
    assert (at[8].value, at[8].fields["flags_a"], at[8].fields["score_a"]) == (None, ["nonfinite"], None)
    assert outcome.result["flagged"] == {"nonfinite": 1, "truncated": 5}
    assert outcome.result["flagged_rows"] == 6
    # Without them only turned labels are left.
    assert (outcome.result["accuracy"]["share"], outcome.result["accuracy"]["n"]) == (0.0, 14)


def test_scores_that_go_with_length_are_warned_of(make_pairs: MakePairs, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def words() -> str:
        return "word " * int(rng.integers(1, 40))

    pairs = [replace(pair, a=f"a{pair.id} {words()}", b=f"b{pair.id} {words()}") for pair in make_pairs(80)]

    def per_word(model: str, text: str) -> Likely:
        words = len(text.split())
        noise = 3 * (hash_of(text) - 0.5)
        return Likely((-2.0 if model == "weak" else -1.9) * words + (noise if model == "strong" else 0), words, 9)

    result = told(pairs, per_word, tmp_path).result
    assert result["length"]["rho"] > 0.5
    assert result["length"]["interval"][0] < result["length"]["rho"] < result["length"]["interval"][1]
    assert result["length"]["warns"]
    assert "the longer a response, the higher its score" in result["length"]["words"]
    from scipy.stats import spearmanr

    texts = [text for pair in pairs for text in (pair.a, pair.b)]
    ratio = [per_word("strong", text).total - per_word("weak", text).total for text in texts]
    lengths = [len(text.split()) for text in texts]
    assert result["length"]["rho"] == pytest.approx(spearmanr(ratio, lengths).statistic)
    assert len(result["picture"]["points"]) == result["picture"]["of"] == 80


def test_the_probes_of_all_sources_are_the_runs(make_pairs: MakePairs, tmp_path: Path) -> None:
    fine = told(make_pairs(80), _by_number, tmp_path).result
    assert fine["probes"]["passed"], fine["probes"]["reasons"]
    few = told(make_pairs(12), _by_number, tmp_path).result
    run = density_ratio.combine({"3": {"name": "one", **fine}, "4": {"name": "two", **few}})
    assert run["probes"]["reasons"] == [f"two: {few['probes']['reasons'][0]}"]
    assert run["sources"]["3"]["n"] == 80


def test_a_response_that_would_be_flagged_cannot_win_a_probe(make_pairs: MakePairs, tmp_path: Path) -> None:
    def says(model: str, text: str) -> Likely:
        if text.startswith("good") and "\n" not in text:
            return _by_number(model, text)
        return Likely(9.0 if model == "strong" else 0.0, 1, 1, frozenset({"boundary_merge"}))

    keys = told(make_pairs(60), says, tmp_path).result["probes"]["probes"][0]
    assert (keys["value"], keys["details"]["unscored"]) == (0.0, 600)


def hash_of(text: str) -> float:
    return (sum(map(ord, text)) * 7919 % 1000) / 1000


@pytest.mark.parametrize("label", [0, None])
def test_without_labels_it_says_why_there_is_no_accuracy(
    make_pairs: MakePairs, tmp_path: Path, label: int | None
) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(12)]
    outcome = told(pairs, _by_number, tmp_path)
    assert outcome.result["accuracy"] is None
    assert "None of the 12 comparisons has a label that is no tie" in outcome.result["accuracy_problem"]
    assert all(signal.value is not None for signal in outcome.signals)


def test_models_that_give_no_numbers_get_sentences(make_pairs: MakePairs, tmp_path: Path) -> None:
    outcome = told(make_pairs(12), lambda model, text: Likely(nan, 0, 9, frozenset({"refused"})), tmp_path)
    assert {signal.value for signal in outcome.signals} == {None}
    assert "All 12 labelled comparisons are flagged" in outcome.result["accuracy_problem"]
    assert "0 responses have a score" in outcome.result["length"]["words"]


@pytest.mark.parametrize(("strong", "missing"), [("", "strong"), (" ", "strong"), ("a", "weak")])
def test_a_model_that_was_not_named_is_asked_for(strong: str, missing: str) -> None:
    with pytest.raises(Unworkable, match=f"as `{missing}`: a folder on the worker's machine"):
        density_ratio.preflight(density_ratio.Params(strong=strong))


def test_customised_rows_name_their_domain_and_the_report_tells_them_apart(
    make_pairs: MakePairs, tmp_path: Path
) -> None:
    asks = ("solve this equation", "how to poison somebody", "hello there")
    pairs = [
        replace(pair, messages=[{"role": "user", "content": f"{asks[pair.id % 3]} {pair.id}"}])
        for pair in make_pairs(90)
    ]
    SAID[:] = [_by_number]
    bench = Told(cache=tmp_path, wording=lambda kind, version: bundled_words(kind))
    outcome = density_ratio.run(pairs, replace(MODELS, customise="rules"), bench)
    names = {signal.pair_id % 3: (signal.fields["domain"], signal.fields["exemplar"]) for signal in outcome.signals}
    assert [names[place][0] for place in range(3)] == ["reasoning", "safety", "chat"]
    assert names[2][1] == "" != names[0][1]
    told = {row["domain"]: row for row in outcome.result["domains"]}
    assert {name: row["rows"] for name, row in told.items()} == {"reasoning": 30, "safety": 30, "chat": 30}
    assert told["safety"]["accuracy"]["share"] == 1.0
    assert outcome.result["customise"]["wording"]["sha256"] == bundled_words("domains").sha256
