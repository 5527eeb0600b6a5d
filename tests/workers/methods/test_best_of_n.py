"""The best candidate and another: the same whatever the order, and none where there is nothing to choose."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest

from workers.engine.bench import Bench, Unworkable
from workers.engine.generation.pairing import ALONE, EQUAL, FLAGGED, Paired, Scored, paired
from workers.engine.likelihood.cached import Likely
from workers.methods._base import Candidates
from workers.methods.best_of_n import Params, combine, preflight, run

MESSAGES = [{"role": "user", "content": "Why?"}]
RATIO = Params(strong="strong", weak="weak")


class Worth(Bench):
    """What a text is worth to the strong model stands in it: "3 because" is worth 3 nats; "flag" has a flag."""

    def likelihoods(self, asked: Any, *, model: str, **_: Any) -> list[list[Likely]]:
        self.check_cancelled()
        return [[_likely(text, model) for text in texts] for _, texts in asked]

    def scorer(self, model: str) -> Any:
        return type("Named", (), {"name": model})()


def _likely(text: str, model: str) -> Likely:
    flags = frozenset({"truncated"}) if "flag" in text else frozenset[str]()
    return Likely(float(text.split()[0]) if model == "strong" else 0.0, 2, len(text), flags)


@pytest.fixture
def worth(tmp_path: Path) -> Worth:
    return Worth(cache=tmp_path)


def prompt(number: int, *texts: str) -> Candidates:
    return Candidates(number, MESSAGES, [(100 * number + n, text, 1) for n, text in enumerate(texts)])


def plainly(messages: Any, scored: Sequence[Scored], worst: bool) -> tuple[str, set[str]]:
    """The chosen text and those that may be rejected, by hand."""
    sound = {one.text: one.value for one in scored if one.value == one.value and not one.is_flagged}
    best = max(sound.values())
    below = {text for text, value in sound.items() if value < best}
    least = min((sound[text] for text in below), default=0.0)
    return "", below if not worst else {text for text in below if sound[text] == least}


@pytest.mark.parametrize("rejected", ["random", "worst"])
def test_it_takes_the_best_and_one_that_is_less(rejected: str) -> None:
    rng = random.Random(0)
    for trial in range(60):
        scored = [Scored(f"t{n}", rng.choice([0.0, 1.0, 2.0, 3.0, nan]), rng.random() < 0.1) for n in range(6)]
        found = paired(MESSAGES, scored, rejected=rejected, seed=trial)
        sound = [one for one in scored if one.value == one.value and not one.is_flagged]
        if len(sound) < 2:
            assert found == FLAGGED
            continue
        _, below = plainly(MESSAGES, scored, rejected == "worst")
        if not below:
            assert found == EQUAL
            continue
        assert isinstance(found, Paired) and found.rejected in below
        assert found.chosen in {one.text for one in sound if one.value == max(other.value for other in sound)}
        shuffled = [*scored, *scored[:3]]
        rng.shuffle(shuffled)
        assert paired(MESSAGES, shuffled, rejected=rejected, seed=trial) == found


def test_random_others_are_drawn_by_the_seed_and_evenly() -> None:
    scored = [Scored(f"t{n}", float(n)) for n in range(5)]
    drawn = [paired(MESSAGES, scored, rejected="random", seed=seed) for seed in range(400)]
    taken = Counter(one.rejected for one in drawn if isinstance(one, Paired))
    assert set(taken) == {"t0", "t1", "t2", "t3"} and all(60 < count < 140 for count in taken.values())


def test_one_text_and_equal_scores_make_no_pair() -> None:
    assert paired(MESSAGES, [Scored("a", 1.0), Scored("a", 1.0)], rejected="random", seed=0) == ALONE
    assert paired(MESSAGES, [Scored("a", 1.0), Scored("b", 1.0)], rejected="worst", seed=0) == EQUAL
    assert paired(MESSAGES, [Scored("a", nan), Scored("b", 1.0)], rejected="worst", seed=0) == FLAGGED


def test_the_run_pairs_by_ids_and_counts_why_not(worth: Worth) -> None:
    prompts = [
        prompt(1, "1 x", "9 long and longer", "5 y"), prompt(2, "2 x", "2 y"), prompt(3, "8 flag", "1 x"),
        prompt(4, "3 short", "1 and a good deal longer"),
    ]  # fmt: skip
    found = run(prompts, replace_params(rejected="worst"), worth)
    assert [(one.prompt_id, one.one_id, one.other_id) for one in found.couples] == [(1, 101, 100), (4, 400, 401)]
    told = found.result
    assert (told["equal"], told["flagged"], told["alone"], told["longer"], told["shorter"]) == (1, 1, 0, 1, 1)
    assert len(found.scores) == 9 and told["scored_by"] == "density_ratio strong over weak"
    assert run(prompts[::-1], replace_params(rejected="worst"), worth).couples == found.couples
    assert run([], RATIO, worth).couples == []


def replace_params(**given: Any) -> Params:
    return replace(RATIO, **given)


def test_follow_ups_choose_by_what_is_said_next(bench: Bench) -> None:
    class Named(type(bench)):  # type: ignore[misc]  # the fixture's own kind
        def scorer(self, model: str) -> Any:
            return type("Named", (), {"name": model})()

    named = Named(cache=bench.cache, wording=bench.wording)
    found = run([prompt(1, "one answer", "another answer")], Params(scorer="follow_up", model="talker"), named)
    assert len(found.couples) == 1 and found.result["wording"]["kind"] == "follow_ups"
    assert found.result["scored_by"] == "follow_up talker"


def test_pieces_are_summed_up_beside_length_alone() -> None:
    one = {"prompts": 3, "pairs": 2, "candidates": 12, "new": 2, "longer": 2, "source": "s", "scored_by": "d"}
    found = combine([one, one | {"shorter": 1, "known": 1}])
    assert found["pairs"] == 4 and found["chosen_is_longer"]["n"] == 5 and found["source"] == "s"
    assert found["chosen_is_longer"]["share"] == 0.8 and combine([])["chosen_is_longer"]["share"] is None


@pytest.mark.parametrize("given", [{}, {"strong": "a"}, {"scorer": "follow_up", "strong": "a", "weak": "b"}])
def test_it_wants_the_models_of_its_scorer(given: dict[str, Any]) -> None:
    with pytest.raises(Unworkable):
        preflight(Params(**given))


def test_a_cancel_is_heard(worth: Worth) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([prompt(1, "1 x", "2 y")], RATIO, replace(worth, check_cancelled=stop))
