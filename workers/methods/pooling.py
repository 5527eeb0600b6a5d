"""May these sources be fitted together? Each is read by heads of its own and by heads of all, on the same rows.

Idea
    More labels make a better model, unless they ask for something else: what makes an answer helpful may make it
    harmful. For every source, a head fitted on that source alone and a head fitted on all sources together say which
    response is better, on comparisons that neither has seen. If the second is right less often, the sources must be
    kept apart.

Formula
    The features and Bradley-Terry heads of model_vote, one head without a resample, in K = 5 folds that keep a prompt
    together in all sources. The axes of the features are those of all rows that take part, the same for every head.
    difference = accuracy(head of all) - accuracy(head of the source), over the same held-out rows of the source.
    95 % interval: 2,000 bootstrap draws of whole prompts, both accuracies from the same draw.
    `pooling harms` if the interval is below 0, `pooling helps` if above, else `no difference shown`.

Paper
    None: a paired comparison by cross-validation. The bootstrap of groups: B. Efron, R. Tibshirani 1993, An
    Introduction to the Bootstrap. What it looks for: Y. Bai et al. 2022, Training a Helpful and Harmless Assistant,
    where labels for either ask for opposite things.

Needs
    Responses and labels in at least two sources, each with at least 20 labels that are no tie on at least two prompts
    a fold; a source with fewer is named and left out of both fits. Where fewer than two remain, a sentence.

Signal
    None: it speaks of sources, not of comparisons. The result holds, per source, both accuracies beside that of length
    alone, the difference with its interval, n and the verdict.

Limits
    It says what holds for heads on this encoder and for all sources at once; two that get on may be spoilt by a third.
    Intervals stand each by itself: of twenty sources without any difference, one may seem to have one. No difference
    shown is no proof of none: the width of the interval says what is ruled out. Labels that are wrong hide differences.

Cost
    Embeddings that model_vote keeps too; then, per fold, one head per source and one of all.

Do not use
    To choose what to train on: it compares small heads, and a large model may keep apart what these cannot.

Relations
    model_vote and bias_audit never pool, whatever this says; gain tells whether a recipe helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, param

if TYPE_CHECKING:
    from workers.engine.heads.pooled import Labelled, Margins

LABEL = "Pooling: may these sources be fitted together?"
NEEDS = ("responses", "labels")
YIELDS = ("report",)
SHAPE = "whole"
SCOPE = "project"
QUEUE = "cpu"
FIELDS: dict[str, str] = {}
MIN_LABELS = 20


@dataclass(frozen=True)
class Params:
    model: str = param(
        "minilm",
        help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine; commas between several.",
    )
    folds: int = param(5, ge=2, le=20, help="How many folds; a head is asked about the fold that it has not seen.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of folds and draws; the same seed finds the same.")


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
    bench.check_cancelled()
    labelled = sorted((pair for pair in pairs if pair.sign), key=lambda pair: pair.id)
    of_source = {source: [pair for pair in labelled if pair.source == source] for source in _sources(pairs)}
    left_out = {source: lack for source, some in of_source.items() if (lack := _lack(some, params))}
    chosen = [pair for pair in labelled if pair.source not in left_out]
    result: dict[str, Any] = {
        "n": len(pairs),
        "labelled": len(labelled),
        "left_out": [{"source": source, "name": _name(source, bench), "why": why} for source, why in left_out.items()],
        "sources": [],
    }
    taking_part = [source for source in of_source if source not in left_out]
    if len(taking_part) < 2:
        return Outcome(result=result | {"problem": _problem(len(taking_part))})
    rows, margins = _read(chosen, params, bench)
    found = [_compared(source, rows, margins, [params.seed, place], bench) for place, source in enumerate(taking_part)]
    return Outcome(result=result | {"sources": found, "verdict": _verdict(found), "folds": params.folds})


def _sources(pairs: Sequence[Pair]) -> list[int]:
    return sorted({pair.source for pair in pairs})


def _name(source: int, bench: Bench) -> str:
    return bench.sources.get(source, f"source {source}")


def _lack(labelled: Sequence[Pair], params: Params) -> str:
    prompts = len({pair.prompt_id for pair in labelled})
    if len(labelled) >= MIN_LABELS and prompts >= 2 * params.folds:
        return ""
    return (
        f"{len(labelled)} labels that are no tie, on {prompts} prompts; {MIN_LABELS} on {2 * params.folds} are needed."
    )


def _problem(n: int) -> str:
    has = {0: "no source has", 1: "only one source has"}[n]
    return f"Nothing to pool: {has} enough labels, and two are needed."


def _read(pairs: Sequence[Pair], params: Params, bench: Bench) -> tuple[Labelled, Margins]:
    import numpy as np

    from workers.engine.heads.pooled import Labelled, held_out_margins
    from workers.engine.heads.table import comparison_table
    from workers.engine.texts.embeddings import models_in

    table = comparison_table(pairs, bench, models=models_in(params.model))
    prompt, source, sign = (
        np.array([getattr(pair, name) for pair in pairs], dtype=np.int64) for name in ("prompt_id", "source", "sign")
    )
    rows = Labelled(table.x, table.blocks, table.trust, table.length, sign.astype(np.float64), prompt, source)

    def on_fold(done: int, total: int) -> None:
        bench.progress(done, total, "fitting apart and together")

    margins = held_out_margins(rows, folds=params.folds, seed=params.seed, check=bench.check_cancelled, on_fold=on_fold)
    return rows, margins


def _compared(source: int, rows: Labelled, margins: Margins, seed: Sequence[int], bench: Bench) -> dict[str, Any]:
    from workers.engine.heads.pooled import difference, right
    from workers.engine.heads.voting import accuracy

    here = rows.source == source
    y, prompt = rows.y[here], rows.prompt[here]
    own, pooled = margins.own[here], margins.pooled[here]
    apart = difference(right(own, y), right(pooled, y), prompt, seed=seed)
    return {
        "source": source,
        "name": _name(source, bench),
        "own": accuracy(own * y),
        "pooled": accuracy(pooled * y),
        "length": accuracy(margins.length[here] * y),
        "verdict": apart.pop("verdict"),
        "difference": apart,
    }


def _verdict(found: Sequence[dict[str, Any]]) -> str:
    from workers.engine.heads.pooled import HARMS, HELPS

    harmed = [source["name"] for source in found if source["verdict"] == HARMS]
    helped = [source["name"] for source in found if source["verdict"] == HELPS]
    if harmed:
        return f"Pooling harms {', '.join(harmed)}: fit these sources apart."
    if helped:
        return f"Pooling helps {', '.join(helped)}, and no harm is shown to another source."
    return "No difference is shown in any source; the intervals say how much is ruled out."
