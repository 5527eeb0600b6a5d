"""Raw against curated: the arms, the pairing of intervals, and above all that no held-out label leaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.engine.bench import Bench
from workers.engine.gain.arms import COLUMN_ARMS, CURATED, LENGTH, RANDOM, RAW, Hand, deal, fit_arms, targets
from workers.engine.gain.compare import IMPORTED, VERIFIED, over_sources, problem_of, report, run_arms
from workers.engine.gain.paired import bootstrap_means, interval
from workers.engine.gain.recipes import Compare, Key, Rule
from workers.engine.gain.trial import Trial
from workers.engine.heads.bradley_terry import fit_heads
from workers.engine.heads.features import differences
from workers.methods._base import Outcome, Pair, Signal

Floats = NDArray[np.float64]
MakePairs = Callable[..., list[Pair]]
CONTRADICTED = Compare("model_vote.strength", "<", 0.0, "number")
FLIP = (Rule("turn", CONTRADICTED, "flip"), Rule("rest", None, "keep"))
DROP = (Rule("out", CONTRADICTED, "drop"), Rule("rest", None, "keep"))
SOFTEN = (Rule("half", CONTRADICTED, "soften", soften_to=0.2), Rule("rest", None, "keep"))


def _plain_vote(pairs: Sequence[Any], bench: Bench, l2: float = 30.0) -> Outcome:
    """A head cross-fitted in three folds; the smaller its penalty, the more what it says tells of other labels."""
    x = differences(pairs, bench, model="minilm").embedded
    y = np.array([pair.sign for pair in pairs], np.float64)
    margins, fold = np.zeros(len(y)), np.arange(len(y)) % 3
    for held_out in (fold == number for number in range(3)):
        weights = (~held_out).astype(np.float64)[:, None]
        margins[held_out] = (x[held_out] @ fit_heads(x, y, weights, np.array([l2])))[:, 0]
    return Outcome([Signal(pair.id, float(margin), {}) for pair, margin in zip(pairs, margins, strict=True)])


def _trial(
    pairs: list[Pair], rules: Sequence[Rule], *, verified: Sequence[int | None] | None = None, **more: Any
) -> Trial:
    n = len(pairs)
    fields: dict[str, Any] = {
        "pairs": pairs, "raw": [pair.label for pair in pairs], "hands": [None] * n,
        "verified": verified or [None] * n, "origins": ["audit" if one else "" for one in verified or [None] * n],
        "copies": [None] * n, "rules": rules, "values": {}, "refits": {"model_vote": _plain_vote}, "total": n,
    }  # fmt: skip
    return Trial(**(fields | more))


def _report(trial: Trial, bench: Bench, *, seeds: int = 2, folds: int = 4) -> dict[str, Any]:
    found = differences(trial.pairs, bench, model="minilm")
    x, length = np.hstack([found.embedded, found.counts]), found.length[:, 0]
    return report(trial, run_arms(trial, x, length, bench, seeds=seeds, folds=folds, seed=0), length, seed=0)


def _coins(pairs: list[Pair]) -> list[Pair]:
    labels = np.random.default_rng(8).choice([-1, 1], size=len(pairs))
    return [replace(pair, label=int(label)) for pair, label in zip(pairs, labels, strict=True)]


def _strength(pairs: list[Pair], bench: Bench) -> dict[Key, list[float | None]]:
    said = {signal.pair_id: signal.value for signal in _plain_vote(pairs, bench, l2=1.0).signals}
    return {("model_vote.strength", "number"): [pair.sign * (said[pair.id] or 0.0) for pair in pairs]}


def test_labels_by_coin_show_no_gain_however_the_recipe_turns_them(make_pairs: MakePairs, bench: Bench) -> None:
    """Signals read as they are kept, fitted on the labels held out here, would show a large gain."""
    pairs = _coins(make_pairs(400))
    again = _report(_trial(pairs, FLIP, refits={"model_vote": partial(_plain_vote, l2=1.0)}), bench)["judged"][IMPORTED]
    assert again["verdict"] != "gain shown" and again["differences"][RAW]["low"] < 0
    leaking = _report(_trial(pairs, FLIP, values=_strength(pairs, bench)), bench)["judged"][IMPORTED]
    assert leaking["verdict"] == "gain shown"
    assert leaking["arms"][CURATED]["value"] > again["arms"][CURATED]["value"] + 0.05


def test_no_label_of_a_held_out_row_reaches_the_arms(make_pairs: MakePairs, bench: Bench) -> None:
    """Turning one label changes nothing that is trained without it."""
    pairs = make_pairs(120)
    trial = _trial(pairs, FLIP)
    turned = [replace(pairs[0], label=-pairs[0].sign), *pairs[1:]]
    rows = np.arange(1, 120)
    assert np.array_equal(trial.matched(rows, bench), _trial(turned, FLIP).matched(rows, bench))
    seen: list[set[int]] = []

    def spy(some: Sequence[Any], bench: Bench) -> Any:
        seen.append({pair.id for pair in some})
        return _plain_vote(some, bench)

    _report(_trial(pairs, FLIP, refits={"model_vote": spy}), bench, seeds=1, folds=3)
    everybody = {pair.id for pair in pairs}
    assert [len(everybody - some) for some in seen] == [40, 40, 40]
    assert set.union(*(everybody - some for some in seen)) == everybody


@pytest.mark.parametrize("rules", [FLIP, DROP, SOFTEN], ids=["flip", "drop", "soften"])
def test_planted_flips_that_the_recipe_finds_are_a_gain(
    make_pairs: MakePairs, bench: Bench, rules: Sequence[Rule]
) -> None:
    pairs = make_pairs(500)
    truth = [pair.label for pair in pairs]
    is_flipped = np.random.default_rng(1).random(500) < 0.35
    noisy = [replace(p, label=-p.sign if flip else p.sign) for p, flip in zip(pairs, is_flipped, strict=True)]
    found = _report(_trial(noisy, rules, verified=truth), bench)
    judged = found["judged"][VERIFIED]
    assert judged["verdict"] == "gain shown"
    assert judged["arms"][CURATED]["value"] > judged["arms"][RAW]["value"]
    assert found["verified"]["audit"] == 500
    action = {"flip": "flipped", "drop": "left out", "soften": "softened"}[rules[0].action]
    counts = [found["trained"][arm][action] for arm in (CURATED, RANDOM, LENGTH)]
    assert counts[0] > 50 and np.ptp(counts) < 0.11
    assert found["trained"][RAW][action] == 0


def test_flipping_what_is_right_is_harm(make_pairs: MakePairs, bench: Bench) -> None:
    wrong_way = (Rule("turn", Compare("model_vote.strength", ">", 0.0, "number"), "flip"), Rule("rest", None, "keep"))
    judged = _report(_trial(make_pairs(200), wrong_way), bench, seeds=1)["judged"][IMPORTED]
    assert judged["verdict"] == "harm shown"


def test_a_recipe_that_keeps_all_differs_by_nothing(make_pairs: MakePairs, bench: Bench) -> None:
    judged = _report(_trial(make_pairs(100), (Rule("all", None, "keep", weight=3.0),)), bench, seeds=1)["judged"][
        IMPORTED
    ]
    assert judged["verdict"] == "no gain shown"
    assert {judged["differences"][RAW][end] for end in ("value", "low", "high")} == {0.0}


def test_a_recipe_that_leaves_nothing_trains_nothing(make_pairs: MakePairs, bench: Bench) -> None:
    judged = _report(_trial(make_pairs(100), (Rule("none", None, "drop"),)), bench, seeds=1)["judged"][IMPORTED]
    assert judged["arms"][CURATED]["value"] == 0.5
    assert judged["verdict"] == "harm shown"


def test_the_order_of_sides_does_not_matter(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(120)
    swapped = [replace(p, a_id=p.b_id, a=p.b, b_id=p.a_id, b=p.a, label=-p.sign) for p in pairs]
    one, other = (_report(_trial(some, DROP), bench, seeds=1)["judged"][IMPORTED] for some in (pairs, swapped))
    for arm in one["arms"]:
        assert one["arms"][arm]["value"] == pytest.approx(other["arms"][arm]["value"], abs=1e-9)


@pytest.mark.parametrize("label", [0, None])
def test_a_source_without_labels_gets_a_sentence(make_pairs: MakePairs, label: int | None) -> None:
    pairs = [replace(pair, label=label) for pair in make_pairs(60)]
    assert "0 of 60 comparisons" in str(problem_of(_trial(pairs, DROP), 5))


def test_twelve_rows_get_a_sentence(make_pairs: MakePairs) -> None:
    assert "Too little to train" in str(problem_of(_trial(make_pairs(12), DROP), 5))
    assert problem_of(_trial(make_pairs(40), DROP), 5) is None


def test_copies_and_prompts_share_a_fold(make_pairs: MakePairs) -> None:
    pairs = make_pairs(6, prompts=5)
    copies = [None, 9, 9, None, 4, 9]
    groups = _trial(pairs, DROP, copies=copies).groups
    assert [int(group) for group in groups] == [0, 0, 0, 1, 2, 0]


def _plain_weights(action: str, label: int, p: float = 1.0) -> tuple[float, float]:
    """(b, a) of one row."""
    on_label = {"keep": 1.0, "flip": 0.0, "soften": p}.get(action)
    if on_label is None or label == 0:
        return 0.0, 0.0
    return (on_label, 1 - on_label) if label > 0 else (1 - on_label, on_label)


@pytest.mark.parametrize("action", ["keep", "flip", "soften", "drop", "review"])
@pytest.mark.parametrize("label", [-2, 0, 3])
def test_targets_are_the_plain_ones(action: str, label: int) -> None:
    rules = [Rule("r", None, action, soften_to=0.7)]
    found = targets([label], [None], rules, np.array([0]))
    assert (found.b[0], found.a[0]) == pytest.approx(_plain_weights(action, label, 0.7))
    assert targets([label], [None], rules, np.array([-1])).b[0] == 0


def test_a_person_outranks_the_rule() -> None:
    rules = [Rule("turn", None, "flip", weight=2.0), Rule("keep", None, "keep", weight=2.0)]
    hands = [Hand("drop"), Hand("flip", 1), Hand("keep", -1), Hand("soften", 1, 0.8), Hand("keep", 1)]
    found = targets([-1, -1, -1, 1, 1], hands, rules, np.array([0, 0, 0, 0, 1]))
    assert [tuple(map(float, one)) for one in zip(found.b, found.a.round(9), strict=True)] == [
        (0, 0), (1, 0), (0, 1), (0.8, 0.2), (2, 0),
    ]  # fmt: skip


def test_the_arms_of_length_and_chance_deal_the_same_weights() -> None:
    rng = np.random.default_rng(0)
    raw = rng.choice([-1, 0, 1], size=90)
    length = rng.normal(size=90) + 0.8 * raw
    curated = targets([int(one) for one in raw], [None] * 90, [Rule("turn", None, "flip"), Rule("rest", None, "keep")],
                      (np.arange(90) % 3 != 0).astype(np.int64))  # fmt: skip
    arms = deal(raw, curated, length, rng)
    dealt = [
        sorted(map(tuple, np.stack([arms.toward[:, n], arms.against[:, n]], axis=1))) for n in range(len(COLUMN_ARMS))
    ]
    assert all(one == dealt[1] for one in dealt[2:])
    turned = arms.against[:, -1] > 0
    doubt = -(raw * length)
    assert doubt[turned].min() >= doubt[~turned & (raw != 0)].max()


def test_the_fit_is_the_plain_one() -> None:
    """Gradient descent on the loss of both sides by their weights."""
    rng = np.random.default_rng(0)
    x, raw = rng.normal(size=(30, 3)), rng.choice([-1, 1], size=30)
    curated = targets([int(one) for one in raw], [None] * 30, [Rule("half", None, "soften", soften_to=0.7)],
                      np.zeros(30, np.int64))  # fmt: skip
    arms = deal(raw, curated, rng.normal(size=30), rng)
    beta = np.zeros(3)
    for _ in range(3000):
        m = x @ beta
        slope = curated.b * -1 / (1 + np.exp(m)) + curated.a / (1 + np.exp(-m))
        beta -= 0.02 * (x.T @ slope + 2.0 * beta)
    assert fit_arms(x, arms, 2.0)[:, COLUMN_ARMS.index(CURATED)] == pytest.approx(beta, abs=1e-5)


def test_the_bootstrap_draws_groups_whole() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 4)
    rows = np.repeat(rng.integers(0, 2, size=(50, 1)), 4, axis=0).astype(float)
    low, high = interval(bootstrap_means(rows, groups, seed=[0])[:, 0])
    plain = [rows[::4][rng.integers(0, 50, size=50), 0].mean() for _ in range(2000)]
    assert (low, high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])), abs=0.025)


def test_sources_count_by_their_rows_and_people_before_imports(make_pairs: MakePairs, bench: Bench) -> None:
    one = _report(_trial(make_pairs(80), DROP), bench, seeds=1)
    pairs = make_pairs(160, source=2, seed=3)
    two = _report(_trial(pairs, DROP, verified=[pair.label for pair in pairs]), bench, seeds=1)
    nothing: Mapping[str, Any] = {"problem": "Too little."}
    overall = over_sources([one, two, nothing], least_verified=200)
    assert overall is not None and (overall["basis"], overall["n"], overall["sources"]) == (IMPORTED, 240, 2)
    values = [source["judged"][IMPORTED]["differences"][RAW]["value"] for source in (one, two)]
    assert overall["differences"][RAW]["value"] == pytest.approx((80 * values[0] + 160 * values[1]) / 240)
    human = over_sources([one, two], least_verified=100)
    assert human is not None and (human["basis"], human["n"]) == (VERIFIED, 160)
    assert over_sources([nothing], least_verified=100) is None


def test_a_label_that_a_method_gives_trains_like_one_that_is_kept() -> None:
    rules = [Rule("by ratio", None, "label", weight=2.0, given=("density_ratio.mean", "number"))]
    found = targets([None, None, None], [None] * 3, rules, np.array([0, 0, -1]), [1, -1, None])
    assert found.b.tolist() == [2.0, 0.0, 0.0] and found.a.tolist() == [0.0, 2.0, 0.0]
