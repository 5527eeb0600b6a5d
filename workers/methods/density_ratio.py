"""A strong model's log-likelihood over that of a weak one: the response whose ratio is larger is the better one.

Idea
    Take two language models of which one was brought closer to what people prefer: a checkpoint tuned on preferences
    and the one it was tuned from. How much more probable the former finds a response than the latter is a reward that
    nobody had to train. What both find likely for other reasons, such as common words, cancels. Customised, each prompt
    gets the criteria of its domain (safety, reasoning, chat) and one worked case before it, so that both models say how
    probable the response is as a good answer of that kind.

Formula
    r(x, y) = log p_strong(y | T(x)) - log p_weak(y | T(x)), summed over the tokens of y and its end of turn (`sum`, as
    published), or divided (`mean`): by tokens where both models count the same in every response of the source, else by
    the bytes of the text, since tokens of two tokenizers are two units. Each model reads by its own chat template and
    has its own boundary. score_a = r(x, a), score_b = r(x, b), mean = score_b - score_a.
    T(x) is the conversation; customised, with a system turn first: criteria, a worked case drawn by a hash of the seed
    and the prompt, a cue. The domain comes from keywords (`rules`), the nearest mean of the domains' questions if it is
    clearly nearest (`centroid`), or the most probable of the domains' names as `router_model` reads a question
    (`model`); what fits nowhere is chat, before which, as published, nothing is put.
    A model against itself gives exactly 0, exchanging the two turns every sign, and r(A, C) = r(A, B) + r(B, C).

Paper
    Dr.SoW / CDR, 2024: Density ratio of strong over weak models as a training-free reward. Its published code scores
    the last token of the prompt too and draws exemplars without a seed; neither is so here.

Needs
    Responses, and two causal models: `strong`, `weak`. Labels are read only to tell what the scores are worth. It works
    best with a DPO checkpoint over its very own SFT checkpoint, next best with an SFT checkpoint over its base.

Signal
    value = mean, in nats (a sum), nats per token or per byte; unbounded, positive = response b better. `flagged` where
    for either model a response or its prompt was cut, merges with its prompt, is empty, has no finite number or is
    refused by the template: `flags_a` and `flags_b` say which. Flagged rows count in no figure and are never labelled
    by default. Scores of single responses are kept beside. The result tells, per source: agreement with the labels
    beside the strong model alone and length alone, on the same rows; how scores go with length; and the probes.

Limits
    A sum grows or falls with length: Spearman's rho of the two is reported, and beyond 0.5 warned of; where it falls,
    an empty answer scores best, which the probes find. It inherits the biases of both models. Where strong and weak are
    alike, its sign is noise. A small number is not a small difference in quality, and sources are not comparable with
    each other. Customising costs some 300 tokens of the context; rules know English words only, and centroids of a few
    questions place many prompts wrongly.

Cost
    Two models read every prompt once and every response once; what prompts of a domain share is read once for some tens
    of thousands of tokens. The probes add some fifteen short texts for 200 prompts of each source. Likelihoods are kept
    by content, so a killed run goes on and another seed costs little; a billion parameters want a GPU.

Do not use
    With a strong model that was trained on these very labels; or to label while its probes fail.

Relations
    follow_up asks one model what a person would say next; model_vote learns from labels and needs no such models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Outcome, Pair, Score, Signal, param

if TYPE_CHECKING:
    from workers.engine.domains.customise import Customised, Plain
    from workers.engine.probes.keys import Messages, Scores
    from workers.engine.ratios.measured import Measured
    from workers.engine.ratios.ratio import Ratio, Scale

LABEL = "Density ratio: a strong model over a weak one"
NEEDS = ("responses",)
YIELDS = ("signals", "scores")
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
MODELS = ("strong", "weak", "router_model")
FIELDS = {
    "score_a": "ratio of response a",
    "score_b": "ratio of response b",
    "mean": "score_b - score_a, positive = response b better",
    "strong_a": "log-likelihood of response a by the strong model, in nats",
    "strong_b": "the same of response b",
    "weak_a": "log-likelihood of response a by the weak model, in nats",
    "weak_b": "the same of response b",
    "tokens_a": "scored tokens of response a, by the strong model",
    "tokens_b": "the same of response b",
    "weak_tokens_a": "scored tokens of response a, by the weak model",
    "weak_tokens_b": "the same of response b",
    "domain": "the domain of the prompt; empty where nothing is customised",
    "exemplar": "the worked case that was put before it; empty without one",
    "flags_a": "why response a is not to be trusted: truncated, boundary_merge, empty, nonfinite, refused",
    "flags_b": "the same of response b",
    "flagged": "either response has a flag for either model",
}


@dataclass(frozen=True)
class Params:
    strong: str = param("", help="The better model: a folder on the worker's machine, a name, or a server's URL.")
    weak: str = param("", help="The model it is set against, best the one that it was tuned from.")
    form: str = param("sum", choices=("sum", "mean"), help="The sum as published, or the mean per token or byte.")
    template: str = param(
        "own",
        choices=("own", "strong"),
        help="Each model by its own chat template, or both by the strong one's; the latter wants one tokenizer.",
    )
    with_eot: bool = param(True, help="The token that ends the turn counts, too.")
    customise: str = param(
        "off",
        choices=("off", "rules", "centroid", "model"),
        help="Put the criteria of a domain and a worked case before each prompt; how the domain is found.",
    )
    router_model: str = param("", help="The causal model that says the domain, where customise is `model`.")
    encoder: str = param("minilm", help="The encoder of the centroids and of the probe of contrasts.")
    wording: int = param(0, ge=0, le=2**31 - 1, help="The version of the domains; 0 = the newest, or the bundled one.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of worked cases, samples, intervals and pictures.")


def preflight(params: Params) -> None:
    from workers.engine.domains.customise import check_router

    for name, what in (("strong", "the better model"), ("weak", "the model to set it against")):
        if not getattr(params, name).strip():
            raise Unworkable(
                f"Name {what} as `{name}`: a folder on the worker's machine, a name, or a server's URL. Best is a DPO "
                "checkpoint over its own SFT checkpoint."
            )
    check_router(params.customise, encoder=params.encoder, router_model=params.router_model)


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the caches of the router and of likelihoods."""
    from workers.engine.ratios.measured import measure

    measure(pairs, _scale(params), bench, _dress(pairs, params, bench))


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.probes.suite import probe
    from workers.engine.ratios.measured import measure
    from workers.engine.ratios.report import report

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    if not pairs:
        return Outcome()
    dress = _dress(pairs, params, bench)
    found = measure(pairs, _scale(params), bench, dress)
    names = [dress.names(pair.messages) for pair in pairs]
    rows = zip(pairs, found.sides, names, strict=True)
    signals = [_signal(pair, sides, name, found.unit) for pair, sides, name in rows]
    result = report(found, [domain for domain, _ in names], seed=params.seed)
    result |= {"form": params.form, "seed": params.seed, "customise": dress.as_record()}
    result["probes"] = probe(
        _scorer(found.unit, dress, params, bench), pairs, bench, seed=params.seed, encoder=params.encoder
    )
    return Outcome(signals=signals, scores=_scores(found), result=result)


def combine(results: Mapping[str, Any]) -> dict[str, Any]:
    from workers.engine.probes.suite import of_run

    return {"sources": dict(results), "probes": of_run(results)}


def _dress(pairs: Sequence[Pair], params: Params, bench: Bench) -> Plain | Customised:
    from workers.engine.domains.customise import customised

    return customised(
        (pair.messages for pair in pairs), params.customise, bench, version=params.wording, seed=params.seed,
        encoder=params.encoder, router_model=params.router_model,
    )  # fmt: skip


def _scorer(unit: str, dress: Plain | Customised, params: Params, bench: Bench) -> Scores:
    """What the probes ask; a response that would be flagged has no score."""
    from workers.engine.ratios.ratio import ratios

    def score(asked: Sequence[tuple[Messages, Sequence[str]]]) -> list[list[float]]:
        found = ratios([(dress(messages), texts) for messages, texts in asked], _scale(params), bench)
        return [[one.value(unit) if one.is_clean else nan for one in row] for row in found]

    return score


def _scale(params: Params) -> Scale:
    from workers.engine.ratios.ratio import Scale

    return Scale(
        params.strong, params.weak, form=params.form, with_eot=params.with_eot,
        is_template_shared=params.template == "strong",
    )  # fmt: skip


def _signal(pair: Pair, sides: tuple[Ratio, Ratio], names: tuple[str, str], unit: str) -> Signal:
    a, b = sides
    score_a, score_b = _number(a.value(unit)), _number(b.value(unit))
    mean = score_b - score_a if score_a is not None and score_b is not None else None
    fields = {
        "score_a": score_a, "score_b": score_b, "mean": mean,
        "strong_a": _number(a.strong.total), "strong_b": _number(b.strong.total),
        "weak_a": _number(a.weak.total), "weak_b": _number(b.weak.total),
        "tokens_a": a.strong.tokens, "tokens_b": b.strong.tokens,
        "weak_tokens_a": a.weak.tokens, "weak_tokens_b": b.weak.tokens,
        "domain": names[0], "exemplar": names[1],
        "flags_a": a.flags, "flags_b": b.flags, "flagged": not (a.is_clean and b.is_clean),
    }  # fmt: skip
    return Signal(pair.id, mean, fields)


def _scores(found: Measured) -> list[Score]:
    """Of each response the ratio in the unit of its source, and both sums."""
    told = []
    for response, (_, one) in sorted(found.responses().items()):
        each = {"ratio": one.value(found.unit), "strong": one.strong.total, "weak": one.weak.total}
        told += [Score(response, name, value) for name, value in each.items() if isfinite(value)]
    return told


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
