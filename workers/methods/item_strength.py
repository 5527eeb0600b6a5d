"""How good each response is by all comparisons it sits in, and whether a label agrees with that.

Idea
    Where a response meets many others, its other comparisons tell how strong it is, better than any reading of its
    text. For every source apart, strengths are fitted on four fifths of the pairs and say what the label of the other
    fifth should be. What the text alone promises (a head that saw other prompts only) is the starting point of each
    strength, believed as far as the estimated noise of the labels says.

Formula
    P(b better) = sigmoid(2 g),   g = slope t + u_b - u_a,   u ~ N(0, tau2);   a tie is half a win for each side
    t is the margin of a head on the features of model_vote, from folds that hold out whole prompts, so it saw no label
    of this prompt; slope, tau2 and the noise of the labels come from the evidence of the training pairs. g and its
    standard error are those of held-out pairs, in K = 5 folds of unordered pairs.
    Toward a label: strength = sign(label) g.

Paper
    R. A. Bradley, M. E. Terry 1952; ties as half wins: R. R. Davidson 1970; the scales: D. MacKay 1992, Bayesian
    interpolation.

Needs
    Responses and labels, ties included; responses that recur in comparisons of the same prompt. Where none recurs, what
    remains is the text head; the result says how many comparisons have two responses that recur.

Signal
    value = mean = g, log-odds / 2, positive = response b better. `spread` is its standard error, `share_b` the
    probability that g is above zero, `others` how many other comparisons the rarer of the two responses sits in.

Limits
    One strength per response: circles (a > b > c > a) look like wrong labels. `spread` leaves out what is not known of
    the text. Votes of one crowd on one topic are not independent, so it is too small rather than too large.

Cost
    One text head on cached embeddings, then one inverse per prompt and fold: seconds for ten thousand comparisons.
    A prompt with some thousand responses costs the cube of their number.

Do not use
    On one comparison per prompt: model_vote says the same there. Not for comparing responses of different prompts.

Relations
    model_vote for text alone; cycles where the circles themselves are wanted; consensus `bradley_terry` for the votes
    of people, which also knows who voted and in which order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, Signal, param

LABEL = "Item strength: what its other comparisons say"
NEEDS = ("responses", "labels")
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS = {
    "mean": "gap of the two strengths, positive = response b better",
    "spread": "standard error of the gap",
    "share_b": "probability that response b is the stronger one, 0..1",
    "others": "other labelled comparisons of the response that has fewer of them",
}
MIN_LABELS = 20


@dataclass(frozen=True)
class Params:
    model: str = param(
        "minilm",
        help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine; commas between several.",
    )
    folds: int = param(5, ge=2, le=20, help="How many folds; a pair's own label never counts for it.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of the folds; the same seed gives the same strengths.")


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder, models_in

    for model in models_in(params.model):
        model_folder(model)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    from workers.engine.heads.features import texts_of

    return texts_of(pairs)


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings."""
    from workers.engine.texts.embeddings import models_in

    for model in models_in(params.model):
        bench.embed(texts(pairs, params), model=model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.heads.bradley_terry import grouped_folds
    from workers.engine.heads.items import balance, held_out_gaps, rivals_of

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    y = np.array([pair.sign for pair in pairs], dtype=np.float64)
    is_labelled = np.array([pair.label is not None for pair in pairs], dtype=np.bool_)
    group = _unordered(pairs)
    if (y != 0).sum() < MIN_LABELS or len(np.unique(group[is_labelled])) < 2 * params.folds:
        return _nothing_to_learn(pairs, int((y != 0).sum()))
    t = _text_margins(pairs, y, params, bench)
    rivals = rivals_of(*(np.array([getattr(pair, name) for pair in pairs]) for name in ("prompt_id", "a_id", "b_id")))
    fold = grouped_folds(group, params.folds, np.random.default_rng(params.seed))
    gap, error, found = np.zeros(len(pairs)), np.zeros(len(pairs)), []
    for k in range(params.folds):
        bench.check_cancelled()
        train = (fold != k) & is_labelled
        found.append(balance(rivals, y, t, train))
        gaps, errors = held_out_gaps(rivals, y, t, train, found[-1], check=bench.check_cancelled)
        gap[fold == k], error[fold == k] = gaps[fold == k], errors[fold == k]
        bench.progress(k + 1, params.folds, "fitting strengths")
    others = _others(pairs, is_labelled)
    return Outcome(
        signals=[_signal(pair, gap[i], error[i], int(others[i])) for i, pair in enumerate(pairs)],
        result=_summary(y, gap, t, others, is_labelled)
        | {name: float(np.mean([getattr(one, name) for one in found])) for name in ("slope", "tau2", "noise")}
        | {"folds": params.folds},
    )


def _unordered(pairs: Sequence[Pair]) -> Any:
    import numpy as np

    keys = [tuple(sorted((pair.a_id, pair.b_id))) for pair in pairs]
    numbers = {key: number for number, key in enumerate(sorted(set(keys)))}
    return np.array([numbers[key] for key in keys], dtype=np.int64)


def _text_margins(pairs: Sequence[Pair], y: Any, params: Params, bench: Bench) -> Any:
    """What a head that saw no label of the prompt says; zeros where prompts are too few to hold some out."""
    import numpy as np

    from workers.engine.heads.crossfit import cross_fit_stack
    from workers.engine.heads.table import comparison_table
    from workers.engine.texts.embeddings import models_in

    prompt = np.array([pair.prompt_id for pair in pairs], dtype=np.int64)
    if len(np.unique(prompt[y != 0])) < 2 * params.folds:
        return np.zeros(len(pairs))
    table = comparison_table(pairs, bench, models=models_in(params.model))
    margins, _ = cross_fit_stack(
        table.x, table.blocks, table.trust, y.astype(np.int64), prompt,
        heads=1, folds=params.folds, seed=params.seed, is_bootstrapped=False, check=bench.check_cancelled,
    )  # fmt: skip
    return np.nan_to_num(margins[:, 0])


def _others(pairs: Sequence[Pair], is_labelled: Any) -> Any:
    import numpy as np

    ids = np.array([(pair.a_id, pair.b_id) for pair in pairs])
    names, index = np.unique(ids, return_inverse=True)
    times = np.bincount(index.reshape(ids.shape)[is_labelled].ravel(), minlength=len(names))
    return times[index.reshape(ids.shape)].min(axis=1) - is_labelled


def _signal(pair: Pair, gap: float, error: float, others: int) -> Signal:
    from math import erf, sqrt

    share = 0.5 * (1 + erf(gap / max(error, 1e-9) / sqrt(2)))
    fields = {"mean": float(gap), "spread": float(error), "share_b": float(share), "others": others}
    return Signal(pair.id, float(gap), fields)


def _nothing_to_learn(pairs: Sequence[Pair], labelled: int) -> Outcome:
    problem = (
        f"Too little to learn from: {labelled} of {len(pairs)} comparisons have a label that is no tie; {MIN_LABELS}"
        " are needed, on at least two pairs a fold. The comparisons of this source got no strengths."
    )
    empty = {"mean": None, "spread": None, "share_b": None, "others": 0}
    signals = [Signal(pair.id, None, dict(empty)) for pair in pairs]
    return Outcome(signals=signals, result={"n": len(pairs), "labelled": labelled, "problem": problem})


def _summary(y: Any, gap: Any, t: Any, others: Any, is_labelled: Any) -> dict[str, Any]:
    """Held-out accuracy beside that of the text alone, over labels that are no tie."""
    from workers.engine.heads.bradley_terry import wilson

    def accuracy(margin: Any) -> dict[str, Any]:
        toward = (y * margin)[y != 0]
        right = float((toward > 0).sum() + 0.5 * (toward == 0).sum())
        return {"share": right / len(toward), "interval": wilson(right, len(toward)), "n": len(toward)}

    return {
        "n": len(y),
        "labelled": int(is_labelled.sum()),
        "ties": int((is_labelled & (y == 0)).sum()),
        "recurring": int((others > 0).sum()),
        "accuracy": accuracy(gap),
        "text_accuracy": accuracy(t),
    }
