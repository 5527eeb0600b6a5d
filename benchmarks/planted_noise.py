"""Labels flipped on purpose, and who finds them: model_vote beside a plain head, length alone and cleanlab.

python -m benchmarks planted_noise        # ../shared/data beside the checkout, or WINNOW_REAL_DATA

Protocol: numpy default_rng(1000 + seed) flips exactly int(rate * n) labels without replacement, 0, 20 and 40 %, three
seeds. WINNOW_SEEDS=5 asks for more, WINNOW_SETS="helpful;harmless" and WINNOW_ARMS="length alone;model_vote" for some
of the sets and arms. Everybody sees the flipped labels only, and says of each row what it believes from fits on other
folds. AUROC: the chance that a flipped row is suspected more than one that is not. Accuracy: how often the side
believed in is the published one. Both as mean and sd over the seeds, so at 0 % the sd is that of the folds.
Under a table: how far our methods are ahead of the best of the others, as the mean and sd of the differences by seed,
which share flips and folds. Embeddings stay in the cache of WINNOW_HOME, so that a rerun is a matter of minutes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.planted_arms import Arm
    from benchmarks.planted_data import Planted
    from workers.engine.bench import Bench

ROOT = Path(__file__).resolve().parents[1]
RATES = (0.0, 0.2, 0.4)
HEADS = ("AUROC, 20 %", "AUROC, 40 %", "accuracy, 0 %", "20 %", "40 %")
Measured = list[list[float]]


def main() -> None:
    from benchmarks.planted_data import planted_sets
    from workers.engine.bench import Bench

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    bench = Bench(cache=Path(os.environ.get("WINNOW_HOME", ROOT / "var")) / "cache")
    started = time.perf_counter()
    for planted in planted_sets(data):
        if _wanted("WINNOW_SETS", planted.name):
            for line in _table(planted, bench, int(os.environ.get("WINNOW_SEEDS", "3"))):
                print(line, flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s in all, embeddings that were missing included.")


def _table(planted: Planted, bench: Bench, seeds: int) -> Iterator[str]:
    from benchmarks.planted_arms import OURS, arms_for

    yield f"\n{planted.name}: n = {len(planted.sign):,} in {len(np.unique(planted.group)):,} groups, {seeds} seeds"
    yield f"    {'':<26}" + "".join(f"{head:>17}" for head in HEADS) + f"{'s a fit':>9}"
    found: dict[str, Measured] = {}
    for name, believe in arms_for(planted, bench).items():
        if _wanted("WINNOW_ARMS", name):
            started = time.perf_counter()
            found[name] = measured(planted, believe, seeds)
            seconds = (time.perf_counter() - started) / (len(RATES) * seeds)
            yield f"    {name:<26}" + "".join(f"{_said(cell):>17}" for cell in found[name]) + f"{seconds:>9.1f}"
    others = {name: cells for name, cells in found.items() if name not in OURS}
    for name in OURS:
        if name in found and others:
            yield f"    {name:<26}" + "".join(f"{cell:>17}" for cell in ahead(found[name], others.values()))


def _wanted(variable: str, name: str) -> bool:
    """All are, or those that the variable lists, with semicolons between."""
    names = [given for given in os.environ.get(variable, "").split(";") if given]
    return not names or name in names


def measured(planted: Planted, believe: Arm, seeds: int) -> Measured:
    """One value per seed for each of HEADS."""
    aurocs: dict[float, list[float]] = {rate: [] for rate in RATES}
    accuracies: dict[float, list[float]] = {rate: [] for rate in RATES}
    for rate in RATES:
        for seed in range(seeds):
            is_flipped = planted.flipped(rate, seed)
            belief, suspicion = believe(np.where(is_flipped, -planted.sign, planted.sign), seed)
            accuracies[rate].append(float(np.mean(belief * planted.sign > 0) + 0.5 * np.mean(belief == 0)))
            if rate:
                aurocs[rate].append(auroc(suspicion, is_flipped))
    return [aurocs[rate] for rate in RATES[1:]] + [accuracies[rate] for rate in RATES]


def ahead(ours: Measured, others: Iterable[Measured]) -> list[str]:
    """By cell, ours less the best of the others by its mean: mean and sd of the differences by seed."""
    cells = []
    for cell, rivals in zip(ours, zip(*others, strict=True), strict=True):
        cells.append(_said(list(np.subtract(cell, max(rivals, key=np.mean))), sign="+"))
    return cells


def _said(values: list[float], *, sign: str = "") -> str:
    spread = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):{sign}.3f} (sd {spread:.3f})"


def auroc(score: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> float:
    """The chance that a positive ranks above a negative, ties one half."""
    from scipy.stats import rankdata

    positives = int(is_positive.sum())
    ranks = rankdata(score)[is_positive].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(score) - positives)))


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
