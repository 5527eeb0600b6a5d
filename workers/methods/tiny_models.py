"""Trains two toys, a weak and a strong language model, from this project's comparisons, to try things offline.

Idea
    Density ratio and follow-up likelihood want language models, which are large and must be brought here. These two are
    made here in a minute or two on a CPU, so that everything can be tried before. They are toys, and called so
    wherever they appear: their numbers show that the machinery runs, not what a method is worth.

Formula
    A byte-level tokenizer with a chat template is learned from the texts. The weak toy is a small model of the Llama
    family that learns, from nothing, the next token of the conversations with both of their responses. The strong toy
    is the weak one, trained further on which response people preferred, by direct preference optimisation: loss
    = -log sigmoid(beta x (what the strong toy prefers the better one by, less what the weak toy does)), in nats.

Paper
    Rafailov et al. 2023, Direct Preference Optimization. That a checkpoint so tuned over its own beginning makes the
    best pair: Dr.SoW / CDR, 2024.

Needs
    Responses and labels: 20 comparisons with a label that is no tie. One prompt in five is held out, by its content.

Signal
    None. The worker keeps the folders NAME-weak and NAME-strong among its models, where `density_ratio` and `follow_up`
    find them by name. The run tells how often the density ratio of the two agrees with the held-out labels, beside
    length alone and the strong toy alone, each with its interval.

Limits
    Some hundred thousand weights that read some hundred thousand tokens know next to nothing; what they write is no
    answer. The comparisons that are not held out were trained on, so that agreement with their labels proves nothing.

Cost
    A minute or two of one core, whatever the size of the project: rows are left out beyond `weak_tokens`.

Do not use
    To label anything that matters.

Relations
    density_ratio takes both as `strong` and `weak`, follow_up and sample_responses one of them as `model`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, param

LABEL = "Tiny models: two toys to try things with"
NEEDS = ("responses", "labels")
YIELDS = ("report",)
SHAPE = "whole"
SCOPE = "project"
QUEUE = "cpu"
FIELDS: Mapping[str, str] = {}
STEPS = 1000


@dataclass(frozen=True)
class Params:
    name: str = param("toy", help="The folders are called NAME-weak and NAME-strong; it must begin with `toy`.")
    weak_tokens: int = param(
        600_000, ge=1000, le=10**8, help="Tokens that the weak toy reads in training; rows are left out or read again."
    )
    strong_tokens: int = param(300_000, ge=1000, le=10**8, help="Tokens that the strong toy reads beyond that.")
    hidden: int = param(96, ge=16, le=1024, help="Numbers by which a token is represented; a multiple of 16.")
    layers: int = param(2, ge=1, le=24, help="Layers of the models.")
    vocabulary: int = param(1024, ge=300, le=50_000, help="Entries of the tokenizer, at most.")
    context: int = param(512, ge=64, le=8192, help="Tokens that the models read at most.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of weights, order and what is held out.")


def preflight(params: Params) -> None:
    from workers.engine.bench import Unworkable
    from workers.engine.toys.folders import check_name

    check_name(params.name)
    if params.hidden % 16:
        raise Unworkable(f"hidden is a multiple of 16, not {params.hidden}.")


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.toys.folders import keep_toys
    from workers.engine.toys.make import HELD_OUT, Wish, divided, make_toys
    from workers.engine.toys.shape import Shape

    learning, held_out = divided(sorted(pairs, key=lambda pair: pair.id), params.seed)
    shape = Shape(params.hidden, params.layers, max(2, params.hidden // 32), params.context, params.vocabulary)
    wish = Wish(params.seed, shape, params.weak_tokens, params.strong_tokens)

    def progress(done: int, total: int, stage: str) -> None:
        # Nearly all of the time; the weak toy comes first.
        part = done / total if stage.endswith("weak toy") else 1 + done / total
        bench.progress(round(part * STEPS), 2 * STEPS + STEPS // 10, stage)

    toys = make_toys(learning, wish, check=bench.check_cancelled, progress=progress)
    about = {
        "sources": ", ".join(bench.sources.values()), "pairs": toys.told["pairs"], "seed": params.seed,
        "held_out": len(held_out), "one_in": HELD_OUT, "parameters": toys.told["parameters"],
        "vocabulary": toys.told["vocabulary"],
    }  # fmt: skip
    folders = keep_toys(toys, bench.models, params.name, about)
    result = {"n": len(pairs), "toys": _named(folders), **toys.told, "held_out": _held_out(held_out, folders, bench)}
    return Outcome(result=result)


def _named(folders: Mapping[str, Path]) -> dict[str, Any]:
    from workers.engine.models.folder import revision_of

    return {which: {"name": folder.name, "sha256": revision_of(folder).weights} for which, folder in folders.items()}


def _held_out(pairs: Sequence[Pair], folders: Mapping[str, Path], bench: Bench) -> dict[str, Any]:
    """By the very kernel that will score with them."""
    from workers.engine.ratios.measured import measure
    from workers.engine.ratios.ratio import Scale
    from workers.engine.ratios.report import report

    scale = Scale(folders["strong"].name, folders["weak"].name)
    if not pairs:
        return {"n": 0, "accuracy": None, "accuracy_problem": "No prompt was held out: there are too few."}
    found = report(measure(pairs, scale, bench, lambda messages: messages), [""] * len(pairs), seed=0)
    return {name: said for name, said in found.items() if name != "picture"}
