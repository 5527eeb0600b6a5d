"""Is a recipe better than leaving the labels alone? Arms trained on the same folds, judged on the same held-out rows.

The trap: a signal of a training row that is kept in the database was fitted on the labels of all other rows, held-out
ones among them, so a recipe that acts on it carries held-out labels into the training set. Therefore the methods that
were fitted on labels are fitted again inside every outer fold, on training rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workers.engine.gain.arms import ARMS, COLUMN_ARMS, CURATED, LENGTH, RANDOM, RAW, choose_l2, deal, fit_arms, targets
from workers.engine.gain.paired import bootstrap_means, interval
from workers.engine.gain.trial import ORIGINS, Trial
from workers.engine.heads.bradley_terry import Floats, Ints, grouped_folds

if TYPE_CHECKING:
    from workers.engine.bench import Bench

LEAST_LABELS = 40
# On fewer verified rows of a source an interval says nothing.
LEAST_VERIFIED = 20
IMPORTED, VERIFIED = "imported", "verified"
LONGER = "longer"
JUDGED = (*ARMS, LONGER)
AGAINST = (RAW, RANDOM, LENGTH)


@dataclass(frozen=True)
class Runs:
    """margins [seeds, n, arms]: toward b, from the fold that left the row out."""

    margins: Floats
    l2: list[float]
    # Training rows under each action, by arm: the mean over folds and seeds.
    trained: Mapping[str, Mapping[str, float]]


def problem_of(trial: Trial, folds: int) -> str | None:
    """Why a source cannot tell, as a sentence."""
    raw = _signs(trial.raw)
    n_groups = len(np.unique(trial.groups[raw != 0]))
    if (raw != 0).sum() >= LEAST_LABELS and n_groups >= 2 * folds:
        return None
    return (
        f"Too little to train and to test on: {int((raw != 0).sum())} of {len(trial)} comparisons have a label that is"
        f" no tie, in {n_groups} groups of prompts; {LEAST_LABELS} labels in {2 * folds} groups are needed."
    )


def run_arms(trial: Trial, x: Floats, length: Floats, bench: Bench, *, seeds: int, folds: int, seed: int) -> Runs:
    """x [n, d]: what the learner sees; length [n]: log characters of b less those of a."""
    raw, groups = _signs(trial.raw), trial.groups
    margins = np.zeros((seeds, len(trial), len(COLUMN_ARMS)))
    chosen: list[float] = []
    trained = {arm: dict[str, float]() for arm in ARMS}
    silent = replace(bench, progress=lambda *_, **__: None)
    for number in range(seeds):
        rng = np.random.default_rng([seed + number, 0])
        fold_of = grouped_folds(groups, folds, rng)
        for fold in range(folds):
            bench.check_cancelled()
            bench.progress(number * folds + fold, seeds * folds, "training raw and curated")
            rows, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            curated = _targets(trial, rows, trial.matched(rows, silent))
            arms = deal(raw[rows], curated, length[rows], rng)
            chosen.append(choose_l2(x[rows], raw[rows], groups[rows], rng))
            margins[number, held_out] = x[held_out] @ fit_arms(x[rows], arms, chosen[-1])
            _add(trained, arms.counts(), 1.0 / (seeds * folds))
    bench.progress(seeds * folds, seeds * folds, "comparing")
    return Runs(margins, chosen, trained)


def _signs(labels: Sequence[int | None]) -> Ints:
    """0 for a tie or no label."""
    return np.array([np.sign(label or 0) for label in labels], np.int64)


def _targets(trial: Trial, rows: Ints, matched: Ints) -> Any:
    labels, hands = [trial.pairs[row].label for row in rows], [trial.hands[row] for row in rows]
    given = [_given(trial, int(row), int(number)) for row, number in zip(rows, matched, strict=True)]
    return targets(labels, hands, trial.rules, matched, given)


def _given(trial: Trial, row: int, number: int) -> int | None:
    """The label that a method gives the row, where its rule does."""
    key = trial.rules[number].given if number >= 0 else None
    value = trial.values[key][row] if key else None
    return None if value is None else int(np.sign(value))


def _add(total: dict[str, dict[str, float]], more: Mapping[str, Mapping[str, float]], share: float) -> None:
    for arm, counts in more.items():
        for name, count in counts.items():
            total[arm][name] = total[arm].get(name, 0.0) + share * count


def report(trial: Trial, runs: Runs, length: Floats, *, seed: int) -> dict[str, Any]:
    """What a source says, with the draws of its bootstrap, by what the held-out rows are judged by."""
    # Sources are drawn independently of each other.
    seeds = [seed, int(trial.pairs[0].source)]
    found: dict[str, Any] = {
        "n": len(trial),
        "total": trial.total,
        "labelled": int((_signs(trial.raw) != 0).sum()),
        "groups": len(np.unique(trial.groups)),
        "l2": sorted(set(runs.l2)),
        "trained": {arm: {name: round(n, 1) for name, n in counts.items()} for arm, counts in runs.trained.items()},
        "verified": {origin: sum(one == origin for one in trial.origins) for origin in (*ORIGINS, "simulated")},
        "notes": list(trial.notes),
        "judged": {},
    }
    for basis, labels in ((IMPORTED, _signs(trial.raw)), (VERIFIED, _signs(trial.verified))):
        judged = labels != 0
        if basis == IMPORTED or judged.sum() >= LEAST_VERIFIED:
            right = right_of(runs.margins[:, judged], labels[judged], length[judged])
            found["judged"][basis] = judge(right, trial.groups[judged], seed=seeds)
    return found


def right_of(margins: Floats, labels: Ints, length: Floats) -> Floats:
    """[seeds, n, JUDGED]: 1 where the side believed in is the better one, a half without belief."""
    toward = margins * labels[None, :, None]
    right = (toward > 0) + 0.5 * (toward == 0)
    by_arm = [right[:, :, [arm == one for one in COLUMN_ARMS]].mean(axis=2) for arm in ARMS]
    longer = length * labels
    by_arm.append(np.broadcast_to((longer > 0) + 0.5 * (longer == 0), right.shape[:2]))
    return np.stack(by_arm, axis=2)


def judge(right: Floats, groups: Ints, *, seed: Sequence[int]) -> dict[str, Any]:
    """right [seeds, n, JUDGED] -> accuracies, differences, and the draws that their intervals come from."""
    draws = bootstrap_means(right.mean(axis=0), groups, seed=seed)
    per_seed = right.mean(axis=1)
    return {"n": right.shape[1], "groups": len(np.unique(groups)), "draws": np.round(draws, 6).tolist()} | said(
        per_seed.mean(axis=0), per_seed, draws
    )


def said(means: Floats, per_seed: Floats, draws: Floats) -> dict[str, Any]:
    """means [JUDGED], per_seed [seeds, JUDGED], draws [draws, JUDGED]."""
    at = {arm: number for number, arm in enumerate(JUDGED)}
    differences = {
        other: _figure(*(part[..., at[CURATED]] - part[..., at[other]] for part in (means, per_seed, draws)))
        for other in AGAINST
    }
    found = {
        "arms": {arm: _figure(means[at[arm]], per_seed[:, at[arm]], draws[:, at[arm]]) for arm in JUDGED},
        "differences": differences,
    }
    return found | verdict(differences)


def _figure(value: Any, per_seed: Floats, draws: Floats) -> dict[str, Any]:
    low, high = interval(draws)
    return {"value": float(value), "low": low, "high": high, "seeds": [float(one) for one in per_seed]}


def verdict(differences: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A gain has to beat raw and also the same actions at random rows."""
    raw, at_random, by_length = (differences[other] for other in AGAINST)
    word = "no gain shown"
    if raw["high"] < 0:
        word = "harm shown"
    elif raw["low"] > 0 and at_random["low"] > 0:
        word = "gain shown"
    return {
        "verdict": word,
        "beats_raw_only": word == "no gain shown" and raw["low"] > 0,
        # Curating by length alone, which reads nothing, would have done as well.
        "length_does_as_well": word == "gain shown" and by_length["low"] <= 0,
    }


def over_sources(sources: Sequence[Mapping[str, Any]], *, least_verified: int) -> dict[str, Any] | None:
    """The mean over sources by their held-out rows: human labels if there are enough of them, else imported ones."""
    for basis, least in ((VERIFIED, least_verified), (IMPORTED, 1)):
        judged = [source["judged"][basis] for source in sources if basis in source.get("judged", {})]
        n = sum(one["n"] for one in judged)
        if n >= least:
            return {"basis": basis, "n": n, "groups": sum(one["groups"] for one in judged), "sources": len(judged)} | (
                _pooled(judged)
            )
    return None


def _pooled(judged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    share = np.array([one["n"] for one in judged], np.float64)
    share /= share.sum()

    def mean(parts: list[NDArray[np.float64]]) -> Floats:
        return np.asarray(np.tensordot(share, np.stack(parts), axes=1))

    arms = [[one["arms"][arm] for arm in JUDGED] for one in judged]
    return said(
        mean([np.array([figure["value"] for figure in one]) for one in arms]),
        mean([np.array([figure["seeds"] for figure in one]).T for one in arms]),
        mean([np.array(one["draws"]) for one in judged]),
    )
