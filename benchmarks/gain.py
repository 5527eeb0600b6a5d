"""Is a recipe better than raw? Flips planted in published preferences, and what the gain report then says.

python -m benchmarks gain        # ../shared/data beside the checkout, or WINNOW_REAL_DATA

Protocol: numpy default_rng(1000 + seed) flips exactly int(rate * n) labels of helpful-base and harmless-base, 0, 20 and
40 %, three seeds (WINNOW_SEEDS=5 asks for more); 5 folds by prompt, other folds for every seed. The learner and the
recipes see planted labels only; held-out rows are judged by the published ones. Three recipes act on the band
`incorrect` of model_vote, which is fitted again in every fold: one flips, one drops, one softens to a half. Differences
are means over the seeds with 95 % intervals of 2,000 paired bootstrap draws of prompts. Last, labels thrown by a coin,
where every gain is a leak: as it is done here, and with the signals that a run over all rows would have kept.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.planted_data import Ints, Planted
    from workers.engine.bench import Bench
    from workers.engine.gain.recipes import Key, Rule

ROOT = Path(__file__).resolve().parents[1]
RATES = (0.0, 0.2, 0.4)
ACTIONS = ("flip", "drop", "soften")
SETS = ("helpful", "harmless")
FOLDS = 5
PROCESSES = 2


def main() -> None:
    from benchmarks.planted_data import planted_sets
    from workers.engine.bench import Bench

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    bench = Bench(cache=Path(os.environ.get("WINNOW_HOME", ROOT / "var")) / "cache")
    sets = [_Set(planted, bench) for planted in planted_sets(data) if planted.name in SETS]
    seeds = int(os.environ.get("WINNOW_SEEDS", "3"))
    started = time.perf_counter()
    for line in _table(sets, seeds):
        print(line, flush=True)
    for line in sets[0].coins():
        print(line, flush=True)
    print(f"{time.perf_counter() - started:.0f} s with {PROCESSES} processes, embeddings apart.")


class _Set:
    """A source with its features, and model_vote fitted once for the same rows and labels."""

    def __init__(self, planted: Planted, bench: Bench) -> None:
        from workers.engine.heads.features import differences

        self.planted, self.bench = planted, bench
        found = differences(planted.pairs, bench, model="minilm")
        self.length = found.length[:, 0]
        self.x = np.hstack([found.embedded, found.counts])
        self.fitted: dict[tuple[tuple[int, int], ...], Any] = {}

    def right(self, sign: Ints, truth: Ints, rules: Sequence[Rule], *, seed: int, kept: bool = False) -> Any:
        """[1, n, judged arms]; `kept` reads the signals of a run over all rows, as nobody should."""
        from workers.engine.gain.compare import right_of, run_arms

        trial = self._trial(sign, rules, kept)
        runs = run_arms(trial, self.x, self.length, self.bench, seeds=1, folds=FOLDS, seed=seed)
        return right_of(runs.margins, truth, self.length)

    def _trial(self, sign: Ints, rules: Sequence[Rule], kept: bool) -> Any:
        from workers.engine.gain.trial import Trial

        pairs = [replace(pair, label=int(one)) for pair, one in zip(self.planted.pairs, sign, strict=True)]
        n, nobody = len(pairs), [None] * len(pairs)
        values: dict[Key, Sequence[Any]] = {}
        if kept:
            said = {signal.pair_id: signal.value for signal in self.refit(pairs, self.bench).signals}
            values = {("model_vote.strength", "number"): [pair.sign * said[pair.id] for pair in pairs]}
        return Trial(
            pairs=pairs, raw=[int(one) for one in sign], hands=nobody, verified=nobody, origins=[""] * n, copies=nobody,
            rules=rules, values=values, refits={"model_vote": self.refit}, total=n,
        )  # fmt: skip

    def refit(self, pairs: Sequence[Any], bench: Bench) -> Any:
        from workers.methods import model_vote

        key = tuple((pair.id, pair.sign) for pair in pairs)
        if key not in self.fitted:
            self.fitted[key] = model_vote.run(list(pairs), model_vote.Params(), bench)
        return self.fitted[key]

    def coins(self) -> Iterator[str]:
        """Held-out accuracy on labels that nothing can predict."""
        from workers.engine.gain.compare import judge
        from workers.engine.gain.recipes import Compare, Rule

        sign = np.random.default_rng(1000).choice([-1, 1], size=len(self.planted.sign)).astype(np.int64)
        against = Compare("model_vote.strength", "<", 0.0, "number")
        rules = [Rule("turn", against, "flip"), Rule("rest", None, "keep")]
        yield f"\nlabels by a coin, {self.planted.name}, flip what the votes contradict, one seed"
        for name, kept in (("fitted again in every fold", False), ("signals as a run kept them", True)):
            judged = judge(self.right(sign, sign, rules, seed=0, kept=kept), self.planted.group, seed=[0])
            yield f"    {name:<28}{_row(judged)}"


def _rules(action: str) -> list[Rule]:
    from workers.engine.gain.recipes import Compare, Rule

    doubted = Compare("model_vote.band", "==", "incorrect", "text")
    return [Rule("doubted", doubted, action, soften_to=0.5 if action == "soften" else None), Rule("rest", None, "keep")]


def _table(sets: Sequence[_Set], seeds: int) -> Iterator[str]:
    from workers.engine.gain.compare import judge, over_sources

    sizes = ", ".join(f"{one.planted.name} n = {len(one.planted.sign):,}" for one in sets)
    yield f"{sizes}; {seeds} seeds; accuracy on published labels, differences with 95 % intervals"
    yield f"    {'':<28}{_HEAD}"
    for rate in RATES:
        right = _right(sets, rate, seeds)
        for action in ACTIONS:
            per_set = []
            for number, one in enumerate(sets):
                found = judge(right[number, action], one.planted.group, seed=[0, number])
                per_set.append({"judged": {"imported": found}})
                yield f"    {f'{rate:.0%} {action}, {one.planted.name}':<28}{_row(found)}"
            yield f"    {f'{rate:.0%} {action}, both':<28}{_row(over_sources(per_set, least_verified=10**9))}"


# Held by the parent, so that the processes that it forks need not be sent them.
_SETS: list[_Set] = []


def _right(sets: Sequence[_Set], rate: float, seeds: int) -> dict[tuple[int, str], Any]:
    """By number of the set and action: [seeds, n, judged arms]."""
    _SETS[:] = sets
    asked = [(number, rate, seed) for seed in range(seeds) for number in range(len(sets))]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
        found = list(pool.map(_one_planting, asked))
    return {
        (number, action): np.concatenate(
            [one[action] for (n, _, _), one in zip(asked, found, strict=True) if n == number]
        )
        for number in range(len(sets))
        for action in ACTIONS
    }


def _one_planting(asked: tuple[int, float, int]) -> dict[str, Any]:
    number, rate, seed = asked
    one = _SETS[number]
    truth = one.planted.sign
    sign = np.where(one.planted.flipped(rate, seed), -truth, truth)
    one.fitted.clear()
    return {action: one.right(sign, truth, _rules(action), seed=seed) for action in ACTIONS}


ARM_NAMES = ("raw", "curated", "random", "length", "longer")
AGAINST = ("raw", "random", "length")
_HEAD = "".join(f"{name:>9}" for name in ARM_NAMES) + "".join(f"{f'- {name}':>25}" for name in AGAINST) + "  verdict"


def _row(judged: Any) -> str:
    cells = [f"{judged['arms'][arm]['value']:>9.3f}" for arm in ARM_NAMES]
    for other in AGAINST:
        one = judged["differences"][other]
        interval = f"({one['low']:+.3f} to {one['high']:+.3f})"
        cells.append(f"{one['value']:>+8.3f} {interval:>16}")
    beside = ", length does as well" if judged["length_does_as_well"] else ""
    return "".join(cells) + f"  {judged['verdict']}{beside}"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
