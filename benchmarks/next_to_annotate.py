"""What answers of people bring, by the order in which they are asked: chance, uncertainty, length, or worth.

python -m benchmarks next_to_annotate     # ../shared/data beside the checkout, or WINNOW_REAL_DATA

Helpful rows, a fifth of the prompts held out. Of the others 20 % are flipped as in planted_noise (numpy
default_rng(1000 + seed), exactly int(rate * n)). Each order asks 100 rows at a time of people who answer with the
published label, and is then found anew with what they said; a row is asked once. Told per 100 answers: planted flips
found, so far, and how often a head fitted on the corrected labels gives the published label of the held-out rows.
Three seeds; WINNOW_SEEDS, WINNOW_ROUNDS (6) and WINNOW_ORDERS="chance;worth" ask for other numbers and some orders.
`WINNOW_PLANT=together` flips whole neighbourhoods of prompts instead, as an annotator who mistook a topic would.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

if TYPE_CHECKING:
    from benchmarks.planted_data import Flags, Ints, Planted
    from workers.engine.bench import Bench
    from workers.engine.heads.bradley_terry import Floats
    from workers.engine.heads.features import Differences
    from workers.methods._base import Ballot, Pair

ROOT = Path(__file__).resolve().parents[1]
RATE, ASKED = 0.2, 100
# Weights of (uncertainty, disagreement, retrieval), random share, diversity.
WORTH: dict[str, tuple[tuple[float, float, float], float, float]] = {
    "uncertainty alone": ((1, 0, 0), 0.0, 0.0),
    "disagreement alone": ((0, 1, 0), 0.0, 0.0),
    "worth without retrieval": ((1, 2, 0), 0.1, 0.5),
    "worth": ((1, 2, 1), 0.1, 0.5),
}
_KEPT: dict[tuple[int, ...], Differences] = {}
ORDERS = ("chance", "length alone", *WORTH)


def main() -> None:
    from benchmarks.planted_data import planted_sets
    from workers.engine.bench import Bench

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    bench = Bench(cache=Path(os.environ.get("WINNOW_HOME", ROOT / "var")) / "cache")
    rounds, seeds = int(os.environ.get("WINNOW_ROUNDS", "6")), int(os.environ.get("WINNOW_SEEDS", "3"))
    helpful = planted_sets(data)[0]
    mock.patch("workers.engine.heads.opinions.differences", _features).start()
    wanted = [name for name in os.environ.get("WINNOW_ORDERS", "").split(";") if name] or list(ORDERS)
    shown = [r for r in sorted({1, 2, 3, rounds}) if r <= rounds]
    print(f"helpful: n = {len(helpful.sign):,}, {seeds} seeds; planted flips found after so many answers (mean, sd)")
    print(f"    {'':<24}" + "".join(f"{100 * r:>14}" for r in shown) + f"{'accuracy, first':>18}{'and last':>14}")
    for order in wanted:
        found = [_loop(helpful, order, seed, rounds, bench) for seed in range(seeds)]
        flips = [np.array([one[0][r - 1] for one in found]) for r in shown]
        right = [np.array([one[1][place] for one in found]) for place in (0, -1)]
        cells = [f"{np.mean(cell):.0f} ({_sd(cell):.0f})" for cell in flips]
        ends = [f"{np.mean(cell):.3f} ({_sd(cell):.3f})" for cell in right]
        print(f"    {order:<24}" + "".join(f"{cell:>14}" for cell in cells) + f"{ends[0]:>18}{ends[1]:>14}", flush=True)


def _features(pairs: Sequence[Pair], bench: Bench, *, model: str) -> Differences:
    """The texts are the same in every round; only labels and answers change."""
    from workers.engine.heads.features import differences

    key = tuple(pair.id for pair in pairs)
    if key not in _KEPT:
        _KEPT[key] = differences(pairs, bench, model=model)
    return _KEPT[key]


def _sd(values: Floats) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _loop(planted: Planted, order: str, seed: int, rounds: int, bench: Bench) -> tuple[list[int], list[float]]:
    """(flips found after each round, accuracy before the first and after the last)."""
    rng = np.random.default_rng(seed)
    held_out = np.isin(planted.group, rng.permutation(np.unique(planted.group))[: len(np.unique(planted.group)) // 5])
    pool = np.flatnonzero(~held_out)
    truth = planted.sign[pool]
    flipped = _flipped(planted, pool, seed, bench)
    label = np.where(flipped, -truth, truth)
    pairs = [replace(planted.pairs[int(row)], label=int(one)) for row, one in zip(pool, label, strict=True)]
    asked = np.zeros(len(pool), np.bool_)
    found: list[int] = []
    accuracy = [_accuracy(planted, pool, label, held_out, bench)]
    for number in range(rounds):
        rows = _next(order, pairs, truth, asked, seed * 1000 + number, bench)
        asked[rows] = True
        found.append(int(flipped[asked].sum()))
    accuracy.append(_accuracy(planted, pool, np.where(asked, truth, label), held_out, bench))
    return found, accuracy


def _flipped(planted: Planted, pool: Ints, seed: int, bench: Bench) -> Flags:
    rng, n = np.random.default_rng(1000 + seed), int(RATE * len(pool))
    flipped = np.zeros(len(pool), np.bool_)
    if os.environ.get("WINNOW_PLANT") != "together":
        flipped[rng.choice(len(pool), n, replace=False)] = True
        return flipped
    from workers.engine.people.worth import content_vectors

    vectors = content_vectors([planted.pairs[int(row)] for row in pool], bench, "minilm")
    while flipped.sum() < n:
        near = np.argsort(-(vectors @ vectors[rng.integers(len(pool))]), kind="stable")[:40]
        flipped[near[: n - int(flipped.sum())]] = True
    return flipped


def _next(order: str, pairs: Sequence[Pair], truth: Ints, asked: Flags, seed: int, bench: Bench) -> Ints:
    """The rows of the pool to ask next."""
    from workers.methods import next_to_annotate

    left = np.flatnonzero(~asked)
    if order == "chance":
        return np.random.default_rng(seed).permutation(left)[:ASKED]
    if order == "length alone":
        # Where the label goes most against length.
        apart = np.array([np.log1p(len(pair.b)) - np.log1p(len(pair.a)) for pair in pairs])
        signs = np.array([pair.sign for pair in pairs])
        lean = np.sign(np.sum(apart * signs))
        return left[np.argsort((lean * apart * signs)[left], kind="stable")[:ASKED]]
    weights, random_share, diversity = WORTH[order]
    ids = np.array([pair.id for pair in pairs])
    told = replace(
        bench,
        votes=lambda: _ballot(ids[asked], truth[asked]) if asked.any() else None,
        open_tasks=lambda campaign: ids[~asked],
    )
    params = next_to_annotate.Params(
        campaign=1, uncertainty=weights[0], disagreement=weights[1], retrieval=weights[2],
        random_share=random_share, diversity=diversity, seed=seed,
    )  # fmt: skip
    row_of = {int(number): row for row, number in enumerate(ids)}
    return np.array([row_of[number] for number in next_to_annotate.run(pairs, params, told).order[:ASKED]])


def _ballot(comparison: Ints, choice: Ints) -> Ballot:
    from workers.methods._base import Ballot

    nothing = np.zeros(len(comparison), np.int64)
    return Ballot(comparison, nothing, nothing, nothing, choice, nothing.astype(np.bool_), nothing)


def _accuracy(planted: Planted, pool: Ints, label: Ints, held_out: Flags, bench: Bench) -> float:
    """Of a head on the pool's labels, scales by evidence: how often it gives the published label of the held-out."""
    from workers.engine.heads.bradley_terry import fit_heads
    from workers.engine.heads.evidence import block_scales

    x, blocks, _ = _features(planted.pairs, bench, model="minilm").in_blocks()
    scales = block_scales(x[pool], label.astype(float), blocks)
    head = fit_heads(x[pool] * scales.column, label.astype(float), np.ones((len(pool), 1)), np.array([scales.l2]))
    margin = (x[held_out] * scales.column @ head)[:, 0] * planted.sign[held_out]
    return float(np.mean(margin > 0) + 0.5 * np.mean(margin == 0))
