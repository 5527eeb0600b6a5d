"""What would the person say next, thanks or a complaint? The response that praise fits better is the better one.

Idea
    A good answer is followed by "that is exactly what I needed", a bad one by "no, I meant something else". A language
    model that has read conversations knows which of the two fits. So a set of short remarks is put behind a response as
    the person's next turn, and how probable the model finds praise, less how probable it finds complaint, is a score
    that nobody had to train. Each remark belongs to an aspect, such as relevance, so the score has parts.

Formula
    s_f(x, y) = 1/|f| sum_t log p(f_t | x, y, the turn's header, f_1 .. f_(t-1)) over the tokens of the remark f alone,
    neither its header nor its end (`mean`), or the sum without 1/|f| (`sum`). Calibrated: s_f(x, y) - s_f(x, y0), where
    y0 is a response that says nothing; it stands in the words.
    R_a = mean of s_f over praise f of aspect a - mean of s_f over complaints f of a;   R = mean of R_a over aspects
    score_a = R(x, a), score_b = R(x, b), mean = score_b - score_a.
    Within a prompt y0 cancels: calibration changes no comparison, only scores that are set against those of other
    prompts, at the cost of one more response per prompt.

Paper
    FLR, 2024: Aligning Language Models Using Follow-up Likelihood as Reward Signal. How it aggregates aspects is our
    reading of its title, abstract and script. The script that was released computes no likelihood: it looks up the raw
    logits of all tokens of a remark, the beginning-of-text token included, at one single position, so that shuffling a
    remark's words changes next to nothing. Whether the published figures come from that is unknown. Here it is the
    likelihood; the remarks are our own.

Needs
    Responses, and one causal model that has seen conversations, best a chat model. Its template must take a person's
    turn behind the assistant's. The words `follow_ups`, which curators edit. Labels only tell what scores are worth.

Signal
    value = mean, in nats per token (`mean`) or nats (`sum`), unbounded, positive = response b better. `aspects_a` and
    `aspects_b` hold R_a of each aspect; recipes read the differences. `flagged` where a response is empty, or a remark
    behind it was cut with its prompt, merges with what comes before, has no finite number or is refused by the
    template: `flags_a` and `flags_b` say which. Flagged rows count in no figure and are never labelled by default.
    The result tells, per source: agreement with the labels beside length alone, of the total and of each aspect; how
    the aspects correlate; what goes with length; how much the responses repeat the remarks' words; refusals; and the
    probes, of which `criteria` is a response that says a praise of each aspect.

Limits
    Models are polite: praise is likelier behind nearly everything, so the sign of R says nothing, only differences do.
    A response that speaks the remarks' own words pulls them along (echo); a refusal may pass for doing as told; how
    long a response is shifts what comes next. Aspects that correlate near 1 are one. It hangs on the template and on
    the wording, so two versions of either are two methods. Sources are not comparable with each other.

Cost
    Prompt and response are read once, each remark adds about ten tokens: with 48 remarks about as much again as a
    response of 500 tokens. A second per thousand tokens for a model of 30 million parameters on two cores; a GPU from a
    billion on. Results are kept by content, so a killed run goes on and a changed remark costs that remark alone.

Do not use
    To label while its probes fail, nor where length alone does as well; nor across prompts without calibration.

Relations
    density_ratio asks two models about the response itself; model_vote learns from labels and needs no such model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench, Unworkable, Words
from workers.methods._base import Outcome, Pair, Score, Signal, param

if TYPE_CHECKING:
    from workers.engine.followups.remarks import FollowUps
    from workers.engine.followups.said import Measured, Said, Scale
    from workers.engine.probes.keys import Messages, Scores

LABEL = "Follow-up likelihood: what the person would say next"
NEEDS = ("responses",)
YIELDS = ("signals", "scores")
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
MODELS = ("model",)
FIELDS = {
    "score_a": "praise less complaint behind response a, mean over the aspects",
    "score_b": "the same of response b",
    "mean": "score_b - score_a, positive = response b better",
    "aspects_a": "praise less complaint of response a, by aspect",
    "aspects_b": "the same of response b",
    "echo_a": "share of the remarks' words that stand in response a, 0..1",
    "echo_b": "the same of response b",
    "flags_a": "why response a is not to be trusted: truncated, boundary_merge, empty, nonfinite, refused",
    "flags_b": "the same of response b",
    "flagged": "either response has a flag",
}


@dataclass(frozen=True)
class Params:
    model: str = param("", help="A chat model: a folder on the worker's machine, a name, or a server's URL.")
    form: str = param("mean", choices=("mean", "sum"), help="Of a remark's tokens the mean log-likelihood, or the sum.")
    calibrated: bool = param(
        False, help="Measure from a response that says nothing; matters only for scores across prompts."
    )
    aspects: str = param("", help="Aspects to ask about, commas between; empty = all.")
    wording: int = param(
        0,
        ge=0,
        le=2**31 - 1,
        help="The version of the follow-ups; 0 = the newest, or the bundled ones; Methods, Words for models.",
    )
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of samples and intervals.")


def preflight(params: Params) -> None:
    if not params.model.strip():
        raise Unworkable(
            "Name a chat model as `model`: a folder on the worker's machine, a name, or a server's URL. Best is one "
            "that was tuned on conversations with more than one turn of the person."
        )


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of likelihoods."""
    from workers.engine.followups.said import measure

    measure(pairs, _follow_ups(params, bench)[0], _scale(params), bench)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.followups.report import report
    from workers.engine.followups.said import measure
    from workers.engine.probes.suite import probe

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    if not pairs:
        return Outcome()
    follow_ups, words = _follow_ups(params, bench)
    found = measure(pairs, follow_ups, _scale(params), bench)
    names = follow_ups.names
    told = {
        "form": params.form,
        "unit": "nats per token" if params.form == "mean" else "nats",
        "calibrated": params.calibrated,
        "seed": params.seed,
        "remarks": len(follow_ups.texts),
        "wording": {"kind": "follow_ups", "version": words.version, "sha256": words.sha256},
        "probes": probe(
            _scorer(found, follow_ups, params, bench), pairs, bench, seed=params.seed, criteria=follow_ups.praise
        ),
    }
    return Outcome(
        signals=[_signal(pair, a, b, names) for pair, (a, b) in zip(pairs, found.sides, strict=True)],
        scores=_scores(found, names),
        result=told | report(found, names, seed=params.seed),
    )


def combine(results: Mapping[str, Any]) -> dict[str, Any]:
    from workers.engine.probes.suite import of_run

    return {"sources": dict(results), "probes": of_run(results)}


def _follow_ups(params: Params, bench: Bench) -> tuple[FollowUps, Words]:
    from workers.engine.followups.remarks import read_set

    words = bench.wording("follow_ups", params.wording)
    return read_set(words.document, params.aspects), words


def _scorer(found: Measured, follow_ups: FollowUps, params: Params, bench: Bench) -> Scores:
    """What the probes ask; a response that would be flagged has no score."""
    from workers.engine.followups.said import Recalled

    recalled = Recalled(found, follow_ups, _scale(params), bench)

    def score(asked: Sequence[tuple[Messages, Sequence[str]]]) -> list[list[float]]:
        return [[nan if one.flags else one.total for one in row] for row in recalled(asked)]

    return score


def _scale(params: Params) -> Scale:
    from workers.engine.followups.said import Scale

    return Scale(params.model, form=params.form, is_calibrated=params.calibrated)


def _signal(pair: Pair, a: Said, b: Said, names: Sequence[str]) -> Signal:
    score_a, score_b = _number(a.total), _number(b.total)
    mean = score_b - score_a if score_a is not None and score_b is not None else None
    fields = {
        "score_a": score_a, "score_b": score_b, "mean": mean,
        "aspects_a": _by_aspect(a, names), "aspects_b": _by_aspect(b, names),
        "echo_a": a.echo, "echo_b": b.echo,
        "flags_a": list(a.flags), "flags_b": list(b.flags), "flagged": bool(a.flags or b.flags),
    }  # fmt: skip
    return Signal(pair.id, mean, fields)


def _scores(found: Measured, names: Sequence[str]) -> list[Score]:
    """Of each response the total, then each aspect."""
    return [
        Score(response, name, value)
        for response, (_, _, one) in found.responses().items()
        for name, value in (("total", one.total), *zip(names, map(float, one.aspects), strict=True))
        if isfinite(value)
    ]


def _by_aspect(said: Said, names: Sequence[str]) -> dict[str, float | None]:
    return {name: _number(float(value)) for name, value in zip(names, said.aspects, strict=True)}


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
