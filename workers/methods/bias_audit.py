"""Asks how far labels follow length, format and position instead of what a response says.

Idea
    People and models like answers that are longer, that have lists, or that came first. A reward model learns that
    quicker than anything else. For every source apart this says how often the label goes with each such trait, how far
    all of them together predict labels that they did not see, and of each annotator how their votes lean.

Formula
    traits = difference b - a of log(1 + characters), log(1 + list items), log(1 + marks of markdown), log(1 + pieces of
    code); share = share of labels that prefer the response with more of it, among labels where the two differ
    joint: P(b better) = sigmoid(beta . traits / their RMS), no intercept; beta = log-odds per usual difference, of
    traits in which the sides of 20 labels or more differ
    mean = held-out margin of that model, over folds that keep a prompt together, in units of its RMS
    votes: share for the longer, for the one with more format, and for the one shown first
    Intervals (95 %) take the comparisons of a prompt as one cluster: Wilson at the effective number; sandwich for beta

Paper
    Singhal et al. 2023, A Long Way to Go: Investigating Length Correlations in RLHF. Shi et al. 2024 on position bias
    of judges. Benjamini and Hochberg 1995 for people who stand out.

Needs
    Responses and labels; 20 labels that are no tie in 10 prompts for a model of them. Votes where there are any, of
    every campaign of the project, with the order shown. Nothing is pooled across sources.

Signal
    value = mean, positive = length and format speak for response b; length_mean = the same of length alone. Null where
    the model's held-out accuracy is not above one half (its whole interval): then its opinion means nothing.
    Toward the label it is the part of a label that needs no reading. The rest stands on the page of the run.

Limits
    Following length is no proof of a bias: better answers may be longer. Compare sources, look at what disagrees with
    reading, or ask annotators about pairs of like length. The order in which imported pairs were shown is not known, so
    position is told of votes only; `stored order` is a control that must be near one half, since responses are stored
    by hash. People with fewer than 10 votes are counted, not shown. Who stands out is found at a false discovery rate
    of 5 %, per trait.

Cost
    Seconds for ten thousand comparisons; no model is loaded.

Do not use
    To rank annotators, or to drop every label that goes with length: it would drop what is right for the wrong reason.

Relations
    model_vote reports its accuracy beside that of length; degenerate looks at single responses; the page of a campaign
    has each person's bias with the others' held fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.methods._base import Bench, Outcome, Pair, Signal, param

LABEL = "Bias audit: length, format, position"
NEEDS = ("responses", "labels")
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS = {
    "mean": "held-out margin of length and format, positive = for response b",
    "length_mean": "held-out margin of length alone, positive = for response b",
}
MIN_LABELS = 20
MIN_VOTES = 10
SHOWN_PEOPLE = 50


@dataclass(frozen=True)
class Params:
    folds: int = param(5, ge=2, le=20, help="How many folds; the model speaks of the fold it was not fitted on.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of the folds; the same seed gives the same margins.")


def preflight(params: Params) -> None:
    """Any parameters will do."""


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.texts import surface

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    traits = surface.differences([(pair.a, pair.b) for pair in pairs])
    sign = np.array([pair.sign for pair in pairs], dtype=np.int64)
    prompts = np.array([pair.prompt_id for pair in pairs], dtype=np.int64)
    bench.progress(1, 3, "counting")
    result = {"n": len(pairs), "labelled": int((sign != 0).sum()), "traits": _traits(traits, sign, prompts)}
    result |= _votes(pairs, traits, prompts, bench)
    bench.progress(2, 3, "fitting")
    margins, about = _held_out(traits, sign, pairs, params, bench)
    signals = [
        Signal(pair.id, mean, {"mean": mean, "length_mean": length})
        for pair, (mean, length) in zip(pairs, margins, strict=True)
    ]
    return Outcome(signals=signals, result=result | about)


def _traits(traits: Any, sign: Any, prompts: Any) -> list[dict[str, Any]]:
    """Per trait, how often the label goes with more of it; and the control."""
    import numpy as np

    from workers.engine.people.clustered import clustered_share
    from workers.engine.texts import surface

    found = []
    for column, name in enumerate(surface.NAMES):
        differs = (sign != 0) & (traits[:, column] != 0)
        hits = np.sign(traits[differs, column]) == sign[differs]
        found.append({"trait": name, "share": clustered_share(hits, prompts[differs])})
    labelled = sign != 0
    found.append({"trait": "stored order", "share": clustered_share(sign[labelled] < 0, prompts[labelled])})
    return found


def _held_out(
    traits: Any, sign: Any, pairs: Sequence[Pair], params: Params, bench: Bench
) -> tuple[list[tuple[float | None, float | None]], dict[str, Any]]:
    """Margins (all traits, length alone) where they mean something, and what the model is worth."""
    import numpy as np

    from workers.engine.heads.crossfit import cross_fit
    from workers.engine.heads.groups import prompt_groups
    from workers.engine.people.clustered import clustered_share, clustered_slopes
    from workers.engine.texts import surface

    by, groups = prompt_groups(pairs)
    labelled = sign != 0
    n_groups = len(np.unique(groups[labelled]))
    if labelled.sum() < MIN_LABELS or n_groups < 2 * params.folds:
        problem = (
            f"Too little for a model of length and format: {int(labelled.sum())} labels that are no tie, in {n_groups} "
            f"groups; {MIN_LABELS} in {2 * params.folds} are needed. The comparisons of this source got no margin."
        )
        return [(None, None)] * len(pairs), {"problem": problem}
    rms = np.sqrt(np.mean(traits**2, axis=0))
    x = traits / np.where(rms > 0, rms, 1.0)
    told: list[list[float | None]] = []
    about: dict[str, Any] = {"groups_by": by}
    for name, columns in (("accuracy", x), ("length_accuracy", x[:, :1])):
        fit = cross_fit(
            columns, None, sign, groups, heads=1, folds=params.folds, seed=params.seed, l2_choices=(1.0,),
            is_bootstrapped=False, check=bench.check_cancelled,
        )  # fmt: skip
        margin = np.nan_to_num(fit.margins[:, 0])
        decided = labelled & (margin != 0)
        right = clustered_share(np.sign(margin[decided]) == sign[decided], groups[decided])
        means_something = right["interval"] is not None and right["interval"][0] > 0.5
        about[name] = right | {"is_above_chance": means_something}
        told.append([float(value) if means_something else None for value in margin])
    # A trait that hardly any two sides differ in has a slope, but none to believe.
    used = (traits[labelled] != 0).sum(axis=0) >= MIN_LABELS
    slopes = iter(clustered_slopes(x[labelled][:, used], sign[labelled], groups[labelled]) if used.any() else [])
    names = [name for name, is_used in zip(surface.NAMES, used, strict=True) if is_used]
    about["joint"] = [{"trait": name} | next(slopes) for name in names]
    return list(zip(told[0], told[1], strict=True)), about


def _votes(pairs: Sequence[Pair], traits: Any, prompts: Any, bench: Bench) -> dict[str, Any]:
    """How the votes on these comparisons lean, together and per person."""
    import numpy as np

    from workers.engine.people.leanings import lean_of_people

    votes = bench.votes()
    if votes is None or not len(pairs):
        return {"votes": 0, "people": []}
    ids = np.array([pair.id for pair in pairs], dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, votes.comparison), len(ids) - 1)
    counts = (ids[place] == votes.comparison) & (votes.choice != 0) & ~votes.is_both_bad
    row, choice = place[counts], np.sign(votes.choice[counts])
    toward = {
        "longer": np.sign(traits[row, 0]) * choice,
        "more format": np.sign(traits[row, 1:].sum(axis=1)) * choice,
        "shown first": -votes.first[counts] * choice,
    }
    return lean_of_people(toward, votes.annotator[counts], prompts[row], least=MIN_VOTES, shown=SHOWN_PEOPLE)
