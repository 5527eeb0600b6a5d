"""Density ratio on published preferences, with toys trained here: beside the strong toy alone, length alone and chance.

python -m benchmarks density_ratio        # ../shared/data beside the checkout, or WINNOW_REAL_DATA

A weak toy learns, from nothing, the training conversations of helpful, harmless and LLMBar with both responses, once; a
strong one is the weak one trained further on a set's training pairs, once, either on which response was preferred (DPO;
three gaps: a ninth, a third and all of the training pairs) or on the preferred responses as texts. Everything is
measured on held-out rows, through the product's kernel, on the rows that no model had to cut. Accuracy as mean and sd
over three seeds of weights and order; intervals (95 %) are of the mean over the seeds and draw whole prompts.
WINNOW_SEEDS=1 for fewer, WINNOW_ONE_WEAK=1 for one weak toy under all seeds, WINNOW_SETS="helpful;LLMBar" for some of
the sets, WINNOW_PLOT=FILE.svg for the picture of the gaps.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.toy_sets import Divided, Nursery
    from workers.engine.bench import Bench
    from workers.engine.heads.bradley_terry import Floats, Ints

ROOT = Path(__file__).resolve().parents[1]
FORMS = {"sum": "nats", "mean": "nats per token"}

# The form that a quarter of the training rows favoured, held-out rows unseen (docs/likelihood-labels.md).
FAVOURED = {"helpful": "mean", "harmless": "sum"}


@dataclass
class Held:
    """Hits [rows] of each arm by seed, on the same held-out rows; the mean gap of the models, in nats a response."""

    sign: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    prompts: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    cut: int = 0
    hits: dict[str, list[Floats]] = field(default_factory=dict)
    gaps: dict[str, list[float]] = field(default_factory=dict)

    def add(self, arm: str, margin: Floats) -> None:
        from workers.engine.probes.agreement import hits

        self.hits.setdefault(arm, []).append(hits(margin, self.sign))

    def mean(self, arm: str) -> Floats:
        return np.asarray(np.mean(self.hits[arm], axis=0))


def main() -> None:
    from benchmarks.toy_sets import Nursery, divided_sets
    from workers.engine.bench import Bench

    data = Path(os.environ.get("WINNOW_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"Nothing to do: there is no {data}; set WINNOW_REAL_DATA to a folder of the same layout.")
        return
    home = Path(os.environ.get("WINNOW_HOME", ROOT / "var"))
    nursery = Nursery(divided_sets(data), home)
    bench = Bench(cache=home / "cache", models=nursery.models)
    started, found = time.perf_counter(), {}
    seeds = range(int(os.environ.get("WINNOW_SEEDS", "3")))
    for one in nursery.sets.values():
        if _wanted(one.name):
            found[one.name] = measured(one, nursery, bench, list(seeds))
            for line in table(one, found[one.name]):
                print(line, flush=True)
    for line in together(found):
        print(line, flush=True)
    zero = _against_itself(nursery, bench)
    print(f"\nThe strong toy against itself: {'exactly 0' if zero else 'NOT 0'} in every held-out row.")
    print(f"{time.perf_counter() - started:.0f} s, of which {nursery.seconds:.0f} s training toys that were not there.")
    if plot := os.environ.get("WINNOW_PLOT"):
        from benchmarks.gap_plot import drawn

        Path(plot).write_text(drawn(found))


def _wanted(name: str) -> bool:
    names = [given for given in os.environ.get("WINNOW_SETS", "").split(";") if given]
    return not names or name in names


def measured(one: Divided, nursery: Nursery, bench: Bench, seeds: list[int]) -> Held:
    from benchmarks.toy_sets import ARMS

    held = Held()
    for seed in seeds:
        weak = nursery.weak(seed).name
        for objective, share in ARMS:
            strong = nursery.strong(one.name, objective, share, seed).name
            _add(held, one, strong, weak, (objective, share), bench)
    return held


def _add(held: Held, one: Divided, strong: str, weak: str, said: tuple[str, float], bench: Bench) -> None:
    from workers.engine.ratios.measured import measure
    from workers.engine.ratios.ratio import Scale

    objective, share = said
    found = measure(one.held_out, Scale(strong, weak), bench, lambda messages: messages)
    rows = found.is_clean & np.isfinite(found.mean)
    held.sign, held.prompts, held.cut = found.sign[rows], found.prompts[rows], int((~rows).sum())
    for form, unit in FORMS.items():
        # Both models have one tokenizer, so that a mean per token is the same count for both.
        in_unit = replace(found, unit=unit)
        held.add(f"{objective}, {share:.2f}, {form}", in_unit.mean[rows])
        if share == 1.0:
            held.add(f"strong alone ({objective}), {form}", in_unit.of_strong[rows])
    apart = [abs(ratio.value("nats")) for sides, kept in zip(found.sides, rows, strict=True) if kept for ratio in sides]
    held.gaps.setdefault(f"{objective}, {share:.2f}", []).append(float(np.mean(apart)))
    if "length" not in held.hits:
        held.add("length", learned_sign(one) * found.length[rows])


def learned_sign(one: Divided) -> int:
    """Whether the longer or the shorter response is preferred more often in the training rows."""
    toward = [np.sign(len(pair.b) - len(pair.a)) * pair.sign for pair in one.learning]
    return 1 if sum(toward) >= 0 else -1


def table(one: Divided, held: Held) -> Iterator[str]:
    from benchmarks.toy_sets import ARMS, OBJECTIVES

    n, prompts = len(held.sign), len(np.unique(held.prompts))
    yield (
        f"\n{one.name}: {len(one.learning):,} training pairs, {len(one.held_out):,} held out, of which {held.cut} were"
        f" cut; n = {n:,} in {prompts:,} prompts"
    )
    which = "longer" if learned_sign(one) > 0 else "shorter"
    yield f"    {f'length alone (the {which})':<44}{_share(held, 'length')}"
    for objective in OBJECTIVES:
        for form in FORMS:
            alone = f"strong alone ({objective}), {form}"
            yield f"    {alone:<44}{_share(held, alone)}"
    for form in FORMS:
        for objective, share in ARMS:
            arm = f"{objective}, {share:.2f}, {form}"
            gap = np.mean(held.gaps[f"{objective}, {share:.2f}"])
            line = f"    {f'ratio, {arm}':<44}{_share(held, arm)}   gap {gap:6.2f} nats"
            if share == 1.0:
                alone = f"strong alone ({objective}), {form}"
                line += f"   ahead of strong alone {ahead(held, arm, alone)}"
                line += f", of length {ahead(held, arm, 'length')}"
            yield line


def _share(held: Held, arm: str) -> str:
    from workers.engine.people.clustered import clustered_share

    by_seed = [float(hits.mean()) for hits in held.hits[arm]]
    low, high = clustered_share(held.mean(arm), held.prompts)["interval"]
    spread = f"(sd {np.std(by_seed, ddof=1):.3f})" if len(by_seed) > 1 else ""
    return f"{np.mean(by_seed):.3f} {spread:<11} {low:.3f} to {high:.3f}"


def ahead(held: Held, arm: str, other: str) -> str:
    """The paired difference of the means over seeds, with its interval by prompt."""
    from workers.engine.gain.paired import bootstrap_means, interval

    apart = held.mean(arm) - held.mean(other)
    low, high = interval(bootstrap_means(apart[:, None], held.prompts, seed=[0, len(apart)])[:, 0])
    return f"{apart.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def together(found: Mapping[str, Held]) -> Iterator[str]:
    """Over the sets of one origin, each in the form that its training rows favoured: more rows, one question."""
    from benchmarks.toy_sets import SHARES
    from workers.engine.gain.paired import bootstrap_means, interval

    if not FAVOURED.keys() <= found.keys():
        return
    prompts = np.concatenate([found[name].prompts for name in FAVOURED])
    by_gap = {
        share: np.concatenate(
            [found[name].mean(f"preferences, {share:.2f}, {form}") for name, form in FAVOURED.items()]
        )
        for share in SHARES
    }
    ratio = by_gap[1.0]
    others = {"one half": np.full(len(ratio), 0.5)}
    for arm in (*(f"strong alone (preferences), {form}" for form in FORMS), "length"):
        others[arm] = np.concatenate([found[name].mean(arm) for name in FAVOURED])
    others["itself with a ninth of the pairs"] = by_gap[SHARES[0]]
    forms = ", ".join(f"{name} by {form}" for name, form in FAVOURED.items())
    gaps = ", ".join(f"{hits.mean():.3f}" for hits in by_gap.values())
    yield f"\n{' and '.join(FAVOURED)} together ({forms}): n = {len(ratio):,}, by gap {gaps}"
    for name, other in others.items():
        apart = ratio - other
        low, high = interval(bootstrap_means(apart[:, None], prompts, seed=[0, len(apart)])[:, 0])
        yield f"    ahead of {name:<34}{apart.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def _against_itself(nursery: Nursery, bench: Bench) -> bool:
    from workers.engine.ratios.measured import measure
    from workers.engine.ratios.ratio import Scale

    one = next(iter(nursery.sets.values()))
    strong = nursery.strong(one.name, "preferences", 1.0, 0).name
    found = measure(one.held_out, Scale(strong, strong), bench, lambda messages: messages)
    return bool((found.mean[np.isfinite(found.mean)] == 0).all())


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    main()
