"""Two models that pick each other's rows, beside one model, one that picks for itself, two averaged, and length alone.

python -m benchmarks peer_review          # ../shared/data beside the checkout, or WINNOW_REAL_DATA

Flips as in planted_noise (numpy default_rng(1000 + seed), exactly int(rate * n), three seeds), here at 0, 20, 30 and
40 %, on the helpful and harmless rows. eta is the planted rate; at 0 %, where there is nothing to leave out, 20 %, to
see what that costs. All arms have the same folds of prompts, features, scales and penalties. AUROC: of finding the
flips, by the held-out margin against the label, and, "by frequency", by how seldom a row is kept. Accuracy: how often
the sign of the held-out margin is the published label. WINNOW_ETA=estimated has the method estimate eta.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.planted_data import Planted
    from workers.engine.bench import Bench

ROOT = Path(__file__).resolve().parents[1]
RATES = (0.0, 0.2, 0.3, 0.4)
ETA_AT_ZERO = 0.2
NAMES = {
    "accuracy": "peers",
    "self_selected_accuracy": "self-selected",
    "averaged_accuracy": "two averaged",
    "single_accuracy": "single",
    "length_accuracy": "length alone",
}


def main() -> None:
    from benchmarks.planted_data import planted_sets
    from workers.engine.bench import Bench

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    bench = Bench(cache=Path(os.environ.get("WINNOW_HOME", ROOT / "var")) / "cache")
    for planted in planted_sets(data)[:2]:
        _table(planted, bench, int(os.environ.get("WINNOW_SEEDS", "3")))


def _table(planted: Planted, bench: Bench, seeds: int) -> None:
    print(f"\n{planted.name}: n = {len(planted.sign):,} in {len(np.unique(planted.group)):,} prompts, {seeds} seeds")
    found: dict[tuple[str, str, float], list[float]] = {}
    for rate in RATES:
        etas = []
        for seed in range(seeds):
            etas.append(_measure(planted, bench, rate, seed, found))
        print(f"    {rate:.0%}: eta {np.mean(etas):.3f}", flush=True)
    heads = [*(f"AUROC, {rate:.0%}" for rate in RATES[1:]), *(f"accuracy, {rate:.0%}" for rate in RATES)]
    print(f"    {'':<28}" + "".join(f"{head:>17}" for head in heads))
    for arm, name in NAMES.items():
        cells = [found["auroc", arm, rate] for rate in RATES[1:]] + [found["accuracy", arm, rate] for rate in RATES]
        said = [_said(cell) for cell in cells]
        print(f"    {name:<28}" + "".join(f"{text:>17}" for text in said), flush=True)
        if ("seldom", arm, RATES[-1]) in found:
            said = [_said(found["seldom", arm, rate]) for rate in RATES[1:]]
            print(f"    {name + ', by frequency':<28}" + "".join(f"{text:>17}" for text in said), flush=True)


def _said(values: list[float]) -> str:
    return f"{np.mean(values):.3f} (sd {np.std(values, ddof=1) if len(values) > 1 else 0.0:.3f})"


def _measure(
    planted: Planted, bench: Bench, rate: float, seed: int, found: dict[tuple[str, str, float], list[float]]
) -> float:
    from benchmarks.planted_noise import auroc
    from workers.methods import peer_review

    is_flipped = planted.flipped(rate, seed)
    sign = np.where(is_flipped, -planted.sign, planted.sign)
    told = -1.0 if os.environ.get("WINNOW_ETA") == "estimated" else rate or ETA_AT_ZERO
    params = peer_review.Params(eta=told, seed=seed)
    review = peer_review.review_by_folds(planted.pairs, sign, planted.group, params, bench)
    for arm, margin in review.margins.items():
        right = np.mean(margin * planted.sign > 0) + 0.5 * np.mean(margin == 0)
        found.setdefault(("accuracy", arm, rate), []).append(float(right))
        if rate:
            found.setdefault(("auroc", arm, rate), []).append(auroc(-margin * sign, is_flipped))
            if arm in review.kept:
                found.setdefault(("seldom", arm, rate), []).append(auroc(-review.kept[arm], is_flipped))
    return float(review.eta["eta"])
