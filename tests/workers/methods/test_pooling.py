"""Sources that ask for opposite things are told from two halves of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from accounts.models import Project
from ledger.models import State
from tests.workers.conftest import run_here
from workers.engine.bench import Bench
from workers.engine.heads.pooled import Labelled, difference, held_out_margins, right
from workers.engine.heads.rows import Floats, Ints
from workers.methods import pooling
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]


def _turned(pairs: list[Pair]) -> list[Pair]:
    return [replace(pair, label=-(pair.label or 0)) for pair in pairs]


@pytest.fixture
def two(make_pairs: MakePairs) -> Callable[..., list[Pair]]:
    """Two sources of 120 comparisons; the ids and prompts of the second follow those of the first."""

    def two(*, turned: bool, n: int = 120) -> list[Pair]:
        first = make_pairs(120, source=1)
        second = [
            replace(pair, prompt_id=pair.prompt_id + 1000, a_id=pair.a_id + 1000, b_id=pair.b_id + 1000)
            for pair in make_pairs(n, source=2, first_id=1001, seed=9)
        ]
        return first + (_turned(second) if turned else second)

    return two


def test_opposite_preferences_harm_each_other(two: Callable[..., list[Pair]], bench: Bench) -> None:
    result = pooling.run(two(turned=True), pooling.Params(), bench).result
    assert [source["verdict"] for source in result["sources"]] == ["pooling harms"] * 2
    for source in result["sources"]:
        assert source["own"]["share"] > source["pooled"]["share"] + 0.1
        assert source["difference"]["interval"][1] < 0
        assert (source["difference"]["n"], source["difference"]["groups"]) == (120, 120)
        assert source["length"]["n"] == 120
    assert result["verdict"] == "Pooling harms source 1, source 2: fit these sources apart."


def test_two_halves_of_one_source_do_not(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = [replace(pair, source=1 + pair.id % 2) for pair in make_pairs(240)]
    result = pooling.run(pairs, pooling.Params(), bench).result
    assert "pooling harms" not in [source["verdict"] for source in result["sources"]]
    assert all(source["difference"]["value"] > -0.03 for source in result["sources"])


def test_a_few_labels_are_helped_by_many_of_the_same_kind(make_pairs: MakePairs, bench: Bench) -> None:
    """Of the labels a third are wrong, so that few of them teach little."""
    rng = np.random.default_rng(0)
    pairs = [replace(pair, source=1 if pair.id <= 60 else 2) for pair in make_pairs(900)]
    pairs = [_turned([pair])[0] if rng.random() < 0.33 else pair for pair in pairs]
    small = pooling.run(pairs, pooling.Params(), bench).result["sources"][0]
    assert small["difference"]["value"] > 0.05
    assert small["verdict"] != "pooling harms"


def test_a_small_source_is_named_and_left_out_of_both_fits(two: Callable[..., list[Pair]], bench: Bench) -> None:
    pairs = two(turned=False)
    few = [replace(pair, id=pair.id + 5000, source=3, prompt_id=pair.prompt_id + 5000) for pair in pairs[:12]]
    result = pooling.run(pairs + few, pooling.Params(), replace(bench, sources={3: "tiny"})).result
    assert result["left_out"] == [
        {"source": 3, "name": "tiny", "why": "12 labels that are no tie, on 12 prompts; 20 on 10 are needed."}
    ]
    assert result["sources"] == pooling.run(pairs, pooling.Params(), bench).result["sources"]


@pytest.mark.parametrize("label", [0, None])
def test_without_labels_there_is_a_sentence(two: Callable[..., list[Pair]], bench: Bench, label: int | None) -> None:
    pairs = [replace(pair, label=label) for pair in two(turned=False)]
    result = pooling.run(pairs, pooling.Params(), bench).result
    assert result["problem"] == "Nothing to pool: no source has enough labels, and two are needed."
    one = [pair for pair in two(turned=False) if pair.source == 1]
    assert "only one source has" in pooling.run(one, pooling.Params(), bench).result["problem"]


def test_the_order_of_rows_and_sides_changes_nothing(two: Callable[..., list[Pair]], bench: Bench) -> None:
    pairs = two(turned=True, n=60)
    swapped = [replace(p, a_id=p.b_id, a=p.b, b_id=p.a_id, b=p.a, label=-(p.label or 0)) for p in pairs]
    found = pooling.run(pairs, pooling.Params(), bench).result
    assert pooling.run(pairs[::-1], pooling.Params(), bench).result == found
    assert pooling.run(swapped, pooling.Params(), bench).result == found


def test_cancel_stops_it(two: Callable[..., list[Pair]], bench: Bench) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        pooling.run(two(turned=False), pooling.Params(), replace(bench, check_cancelled=stop))


def test_a_prompt_of_two_sources_is_held_out_of_both() -> None:
    """Every row of the second source repeats one of the first with a feature that only its prompt has."""
    y = np.random.default_rng(0).choice([-1.0, 1.0], size=40)
    x = np.vstack([np.eye(40) * y[:, None]] * 2)
    prompt, source = np.tile(np.arange(40), 2), np.repeat([1, 2], 40)
    rows = Labelled(x, [slice(0, 40)], np.ones(1), x[:, :1], np.tile(y, 2), prompt, source)
    margins = held_out_margins(rows, folds=4, seed=0)
    assert np.abs(margins.pooled).max() < 1e-9


def plain_interval(own: Floats, pooled: Floats, prompt: Ints) -> tuple[float, float]:
    rng = np.random.default_rng(5)
    names, drawn = np.unique(prompt), []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(prompt == name) for name in rng.choice(names, size=len(names))])
        drawn.append(pooled[rows].mean() - own[rows].mean())
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def test_the_interval_draws_whole_prompts_as_a_plain_bootstrap_does() -> None:
    rng = np.random.default_rng(2)
    prompt = np.repeat(np.arange(30), 4)
    own, pooled = ((rng.random((30, 1)) < 0.6).repeat(4, axis=1).ravel().astype(float) for _ in range(2))
    found = difference(own, pooled, prompt, seed=[0])
    assert found["interval"] == pytest.approx(plain_interval(own, pooled, prompt), abs=0.02)
    assert found["value"] == pytest.approx(pooled.mean() - own.mean())
    same = difference(own, own, prompt, seed=[0])
    assert (same["verdict"], same["interval"]) == ("no difference shown", [0.0, 0.0])
    assert difference(own * 0, own * 0 + 1, prompt, seed=[0])["verdict"] == "pooling helps"


def test_no_margin_is_half_right() -> None:
    assert right(np.array([1.0, -1.0, 0.0]), np.array([1.0, 1.0, -1.0])).tolist() == [1.0, 0.0, 0.5]


@pytest.mark.usefixtures("own_cache")
def test_a_run_names_its_sources(project: Project, fill_corpus: Callable[..., int]) -> None:
    fill_corpus(40, source="one")
    fill_corpus(5, source="two")
    run = run_here(project, "pooling")
    assert (run.error, run.state) == ("", State.DONE)
    assert run.result["left_out"][0]["name"] == "two"
    assert run.result["problem"].startswith("Nothing to pool: only one source has")
    assert run.result["model"]["sha256"].startswith("53aa5117")
