"""Two models pick each other's training rows; a label that neither would keep deserves a look.

Idea
    A model that throws out the rows it finds hardest also throws out what would correct it. Two models that began
    differently choose for each other: each ranks the other's rows by how far they agree with their labels, and the last
    part is not trained on. Nothing is deleted here: what comes out is how often a label would have been kept, told by
    models that saw other prompts only.

Formula
    Per source, K = 5 folds that hold out whole prompts, `pairs` times two heads A and B on bootstrap resamples, on the
    features of model_vote scaled by evidence. Per epoch t and block of 256 rows, A learns from the rows whose margin
    y beta_B . x is among the leading 1 - eta_t of its block, and B likewise; eta_t grows to eta over the warm-up. A
    block holds easy and hard rows alike. In each epoch but the first all heads rank the held-out fold, too:
    keep_frequency = share of (epoch, head) in which the row is among the leading 1 - eta_t of the fold
    margin = mean held-out margin of A and B at the end, in units of their RMS, toward the label
    eta, the share of wrong labels, is what you give; else what the blind sample of all labels found; else the share of
    labels that a single cross-fitted head would not have given, which is too large where text tells little, and so at
    most `max_eta`. The result says which.

Paper
    Collaborative reward modelling (peer review), 2025; the exchange is that of B. Han et al. 2018, Co-teaching.

Needs
    Responses and labels; 20 labels that are no tie, in two prompts a fold. Ties and unlabelled comparisons train
    nothing and have no keep frequency. Nothing is pooled across sources.

Signal
    value = keep_frequency, 0..1, whichever side is better: low = neither model would train on this label. The result
    holds, per source, the held-out accuracy of the peers beside that of a single head, of heads that select for
    themselves, of two heads averaged and of length alone, each with its interval. Peers that are not ahead of these
    are worth no more than model_vote.

Limits
    A hard and right label looks like a wrong one. Heads on one encoder share its blind spots; give `second_model` for
    two that differ. With `eta` too large, good rows are lost to both. The share of rows below 1 is fixed by eta, so a
    low frequency is no probability, and the many rows with 1 are told apart by `margin` only.

Cost
    About twice model_vote: seconds for some thousand comparisons, after the embeddings.

Do not use
    As a filter without an audited sample, nor where eta is a guess and length alone does as well.

Relations
    model_vote ranks by the same evidence without selection; item_strength where responses recur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Outcome, Pair, Signal, param

LABEL = "Peer review: labels that two models would keep"
NEEDS = ("responses", "labels")
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS = {
    "keep_frequency": "share of the epochs in which the models would have kept the label, 0..1",
    "n_epochs": "epochs in which the row was ranked, over both models and all pairs of them",
    "margin": "held-out margin of both models toward the label that the run saw",
}
# The held-out accuracies of a result: of the peers, and of what they must beat.
ARMS = ("accuracy", "self_selected_accuracy", "averaged_accuracy", "single_accuracy", "length_accuracy")
MIN_LABELS = 20


@dataclass(frozen=True)
class Params:
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")
    second_model: str = param("", help="Another encoder for the second of the two models; empty = the same.")
    eta: float = param(-1.0, ge=-1, le=0.5, help="The share of wrong labels; -1 = from the audit, else estimated.")
    max_eta: float = param(0.2, ge=0, le=0.5, help="The most that an estimate of eta may be; an audit may say more.")
    pairs: int = param(3, ge=1, le=20, help="How many pairs of models; their frequencies are averaged.")
    epochs: int = param(12, ge=2, le=100, help="How many epochs.")
    warm_up: int = param(6, ge=1, le=50, help="Epochs over which the share left out grows to eta.")
    folds: int = param(5, ge=2, le=20, help="How many folds of whole prompts; a label never counts for itself.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of folds, resamples and starts.")


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder

    for model in _models(params):
        model_folder(model)
    if params.warm_up >= params.epochs:
        raise Unworkable(f"The warm-up ({params.warm_up} epochs) must end before the last epoch ({params.epochs}).")


def _models(params: Params) -> list[str]:
    return [params.model, params.second_model] if params.second_model else [params.model]


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    from workers.engine.heads.features import texts_of

    return texts_of(pairs)


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings."""
    for model in _models(params):
        bench.embed(texts(pairs, params), model=model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.heads.groups import prompt_groups

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    sign = np.array([pair.sign for pair in pairs], dtype=np.int64)
    by, groups = prompt_groups(pairs)
    n_groups = len(np.unique(groups[sign != 0]))
    if (sign != 0).sum() < MIN_LABELS or n_groups < 2 * params.folds:
        return _nothing_to_learn(pairs, int((sign != 0).sum()), n_groups, params.folds)
    review = review_by_folds(pairs, sign, groups, params, bench)
    kept, margins = review.kept["accuracy"], review.margins
    epochs = (params.epochs - 1) * 2 * params.pairs
    signals = []
    for index, pair in enumerate(pairs):
        frequency = float(kept[index]) if sign[index] else None
        margin = float(sign[index] * margins["accuracy"][index]) if sign[index] else None
        fields = {"keep_frequency": frequency, "n_epochs": epochs if sign[index] else 0, "margin": margin}
        signals.append(Signal(pair.id, frequency, fields))
    result = {"n": len(pairs), "labelled": int((sign != 0).sum()), "folds_by": by, "groups": n_groups}
    accuracies = {name: _accuracy(sign, margins[name]) for name in ARMS}
    return Outcome(signals=signals, result=result | review.eta | accuracies)


@dataclass(frozen=True)
class Review:
    """By ARMS, the held-out margin [n], and where rows are picked the keep frequency [n]; eta and where it is from."""

    margins: dict[str, Any]
    kept: dict[str, Any]
    eta: dict[str, Any]


def review_by_folds(pairs: Sequence[Pair], sign: Any, groups: Any, params: Params, bench: Bench) -> Review:
    import numpy as np

    from workers.engine.heads.crossfit import cross_fit
    from workers.engine.heads.features import differences
    from workers.engine.heads.peers import Course, folds_of, review_fold

    seen = [differences(pairs, bench, model=model) for model in _models(params)]
    blocks = [found.in_blocks()[:2] for found in seen]
    length = cross_fit(
        seen[0].length, None, sign, groups, heads=1, folds=params.folds, seed=params.seed, l2_choices=(1.0,),
        is_bootstrapped=False, check=bench.check_cancelled,
    ).margins[:, 0]  # fmt: skip
    folds = folds_of(blocks, sign, groups, folds=params.folds, seed=params.seed, check=bench.check_cancelled)
    margins, kept = np.zeros((len(sign), len(ARMS))), np.full((len(sign), 2), np.nan)
    margins[:, 4] = np.nan_to_num(length)
    for fold in folds:
        margins[fold.held, 3] = fold.single
    eta = _eta(params, bench, sign, margins[:, 3])
    course = Course(eta["eta"], params.epochs, params.warm_up)
    for done, fold in enumerate(folds):
        bench.progress(done, len(folds), "reviewing")
        found = review_fold(
            blocks, fold, sign, groups, course, pairs=params.pairs, seed=params.seed, check=bench.check_cancelled
        )
        margins[fold.held, :3], kept[fold.held] = found.margin, found.kept[:, :2]
    return Review(dict(zip(ARMS, margins.T, strict=True)), dict(zip(ARMS, kept.T, strict=False)), eta)


def _eta(params: Params, bench: Bench, sign: Any, single: Any) -> dict[str, Any]:
    """The share of wrong labels that the epochs leave out, and in which words it was found."""
    toward = (sign * single)[sign != 0]
    against = float((toward < 0).mean())
    if params.eta >= 0:
        return {"eta": params.eta, "eta_from": "given", "against": against}
    audited = bench.label_noise()
    if audited is not None:
        share, n = audited
        return {"eta": min(share, 0.5), "eta_from": f"the blind sample of {n} labels", "against": against}
    words = "the share of labels that a single cross-fitted head would not have given"
    return {"eta": min(against, params.max_eta), "eta_from": words, "against": against}


def _nothing_to_learn(pairs: Sequence[Pair], labelled: int, n_groups: int, folds: int) -> Outcome:
    problem = (
        f"Too little to learn from: {labelled} of {len(pairs)} comparisons have a label that is no tie, in {n_groups} "
        f"groups; {MIN_LABELS} in {2 * folds} are needed. The comparisons of this source were not reviewed."
    )
    signals = [Signal(pair.id, None, {"keep_frequency": None, "n_epochs": 0, "margin": None}) for pair in pairs]
    return Outcome(signals=signals, result={"n": len(pairs), "labelled": labelled, "problem": problem})


def _accuracy(sign: Any, margin: Any) -> dict[str, Any]:
    """Share of labels that the margin's sign matches (a zero counts one half), with its 95 % Wilson interval."""
    from workers.engine.heads.bradley_terry import wilson

    toward = (sign * margin)[sign != 0]
    right = float((toward > 0).sum() + 0.5 * (toward == 0).sum())
    return {"share": right / len(toward), "interval": wilson(right, len(toward)), "n": len(toward)}
