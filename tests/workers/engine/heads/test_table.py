"""What heads may look at: plain numbers of manner, axes without labels, and what swapping or shuffling does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from workers.engine.bench import Bench
from workers.engine.heads.table import Table, comparison_table
from workers.engine.texts.manner import common_words, manner
from workers.methods._base import Pair

MakePairs = Callable[..., list[Pair]]


def test_manner_is_what_one_counts_by_hand() -> None:
    found = manner("Sorry, I can't say. Maybe you know?", "What do you say?")
    assert found[:3] == pytest.approx([8 / 2, 25 / 8, 1.0])
    assert found[4] == pytest.approx(np.log1p(2))
    assert found[5] == pytest.approx(np.log1p(1))
    # "you" and "say" are shared: of eight words of the response, of five words and marks of the turn.
    assert found[11:13] == pytest.approx([2 / 8, 2 / 5])
    assert found[13:16] == pytest.approx([np.log(2), np.log(2), np.log(2)])
    assert found[18:22] == [1.0, 1.0, 1.0, 1.0]
    assert found[22:] == [0.0, 0.0, 0.0]
    assert len(manner("", "")) == len(found) == 25
    assert np.isfinite(manner("", "")).all()


def test_common_words_are_shares_and_ties_go_by_name() -> None:
    found = common_words(["b a a a", "b c"])
    assert found**2 == pytest.approx(np.array([[0.25, 0.75, 0.0], [0.5, 0.0, 0.5]]))


def _gram(table: Table) -> np.ndarray:
    """Axes may turn or change sign; inner products of rows may not."""
    return np.stack([table.x[:, block].astype(float) @ table.x[:, block].T.astype(float) for block in table.blocks])


def test_blocks_have_their_columns_and_a_mean_square_norm_of_one(make_pairs: MakePairs, bench: Bench) -> None:
    table = comparison_table(make_pairs(80), bench, models=["minilm"])
    assert table.names == ["length", "counts", "manner", "words", "meaning", "meaning by turn", "nearness"]
    assert table.blocks[-1].stop == table.x.shape[1]
    norms = [float(np.sum(table.x[:, block] ** 2)) / 80 for block in table.blocks]
    assert [norm for norm in norms if norm] == pytest.approx([1.0] * sum(norm > 0 for norm in norms), rel=1e-4)
    assert norms[4] > 0


def test_swapping_turns_signs_and_the_order_of_the_pairs_does_not_matter(make_pairs: MakePairs, bench: Bench) -> None:
    pairs = make_pairs(60)
    table = comparison_table(pairs, bench, models=["minilm"])
    swapped = [replace(p, a_id=p.b_id, a=p.b, b_id=p.a_id, b=p.a) if p.id % 3 else p for p in pairs]
    turn = np.array([-1.0 if p.id % 3 else 1.0 for p in pairs])
    assert _gram(comparison_table(swapped, bench, models=["minilm"])) == pytest.approx(
        _gram(table) * turn[:, None] * turn, abs=1e-4
    )
    order = np.random.default_rng(0).permutation(60)
    shuffled = comparison_table([pairs[i] for i in order], bench, models=["minilm"])
    assert _gram(shuffled) == pytest.approx(_gram(table)[:, order][:, :, order], abs=1e-4)


def test_several_encoders_share_the_trust_of_one(make_pairs: MakePairs, bench: Bench) -> None:
    one = comparison_table(make_pairs(40), bench, models=["minilm"])
    two = comparison_table(make_pairs(40), bench, models=["minilm", "other"])
    assert two.names[4:] == [f"{name} ({model})" for model in ("minilm", "other") for name in one.names[4:]]
    assert two.trust.sum() == pytest.approx(one.trust.sum())
