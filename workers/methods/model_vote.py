"""Ten small reward models vote on every comparison; where they disagree with the label, it deserves a look.

Idea
    A label that models fitted on *other* comparisons of the same source would not have given is more often wrong. For
    every source apart, M = 10 Bradley-Terry heads on what a response says (frozen sentence embeddings), how it is
    written and how long it is are cross-fitted in K = 5 folds: a head votes only on comparisons whose label it did not
    see. How far each of these is trusted is learned from the training folds, the less the noisier the labels are.
    Reward models that you name vote beside them. The mean margin of the votes toward the current label is the
    preference strength; the spread tells how sure they are.

Formula
    x = blocks of differences b - a: log characters; counts (words, lines, list items, ...); 25 numbers of manner; the
    300 commonest words; e(b) - e(a), e(u) * (e(b) - e(a)) and its sum, e the embedding (of each encoder), u the
    person's last turn; words and embeddings on the axes (128, or n / 100) along which pairs differ most
    beta of block k ~ N(0, v_k), with v_k >= 0 by the evidence of the training folds: log v_k is its mean over 225 trial
    designs, each weighed with the root of how probable it makes the labels; so blocks and penalty are mixed, not chosen
    P(b better) = sigmoid(beta . x), fitted with this prior and without intercept on a bootstrap resample of prompts
    d_m = beta_m . x / RMS of head m on its training folds          for every held-out comparison
    d_m = (score(b) - score(a)) / RMS over the source               for a reward model m, which sees no label
    mean = mean of d_m,   spread = sqrt(mean (d_m - mean)^2),   share_b = share of d_m > 0 (a zero counts one half)
    Toward a label: strength = sign(label) mean, share = share_b or 1 - share_b, z = strength / max(spread, 5 % of the
    source's RMS margin). Bands: `incorrect` if strength < 0 and share <= 0.2; `ambiguous` if |z| < 1, or
    0.2 < share < 0.8, or strength and share - 1/2 differ in sign; `strong` from the source's cut on (the top tenth of
    |mean| where the votes are unanimous); else `normal`. Beside them: `lowest` and `highest`, the ends of the margins
    toward the label; `cautious` = strength - caution spread^2; `paper_band`, by rank of strength in the source: lowest
    fifth incorrect, next ambiguous, top tenth strong. Effective voters = M / (1 + (M - 1) r), r the mean correlation
    of the voters' errors on labelled rows, cut to 0..1.

Paper
    Wang et al. 2024, Secrets of RLHF in Large Language Models Part II: Reward Modeling. There ten full models vote on
    their own training data; here heads on frozen features are cross-fitted, which is cheaper and rewards no memory.
    Evidence: D. MacKay 1992, Bayesian interpolation; mixing: J. Hoeting et al. 1999, Bayesian model averaging.
    Lowest and mean - lambda variance: Coste et al. 2023, Reward Model Ensembles Help Mitigate Overoptimization.

Needs
    Responses and labels (decided by hand, imported, or agreed by people); at least 20 labels that are no tie per
    source; reward models vote without. Ties and unlabelled comparisons are voted on and train nothing. Nothing is
    pooled across sources. A reward model is a folder on the worker's machine: a sequence classifier with one output,
    or two that are told apart, weights as safetensors, a tokenizer with a padding token.

Signal
    value = mean, unbounded, mostly -3..3, positive = response b better. With each source: held-out accuracy with its
    Wilson interval beside that of a length-only model fitted in the same folds. Where length does as well, the votes
    have learned little else. `blocks` tells how much of a margin each block was expected to carry.

Limits
    The encoder reads 256 tokens; longer texts are flagged `truncated`. Heads share the features and their blind spots:
    ten votes are far from ten opinions. Some numbers of manner are lists of English words. A reward model loses the
    beginning of a prompt that is too long, and may have been trained on this very data. Folds keep a prompt together; a
    source with fewer than 50 prompts is folded by pair (the run says which); shared responses then flatter the accuracy
    a little. Its interval takes comparisons as independent. On clean data the lowest tenth is mostly right: audit
    before you flip. On a small source with two labels in five wrong, length alone can find more.

Cost
    Each distinct text is embedded once (about 50 to 200 a second on two cores), then kept. The fit takes half a minute
    for ten thousand comparisons; beyond some ten thousand the features lie in a file, and memory stays bounded. Each
    reward model reads every response with its prompt once, then its score is kept; a large one wants a GPU.

Do not use
    As a verdict, as a filter without an audited sample, or to compare sources with each other.

Relations
    near_duplicates first, where a source repeats itself: a copy in another fold lets the votes see its label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, Score, Signal, param

if TYPE_CHECKING:
    from workers.engine.heads.voting import Voter
    from workers.engine.rewards.voters import RewardVotes

LABEL = "Model vote: preference strength"
NEEDS = ("responses", "labels")
YIELDS = ("signals", "scores")
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS = {
    "mean": "mean margin of the votes, positive = response b better",
    "spread": "population standard deviation of the votes",
    "share_b": "share of the voters that prefer response b, 0..1",
    "n": "number of voters: heads and reward models",
    "lowest_a": "lowest margin of a voter toward response a",
    "lowest_b": "lowest margin of a voter toward response b",
    "penalty": "caution times the variance of the votes: what the cautious strength takes off",
    "length_mean": "margin of the length-only model, in its own units",
    "truncated": "the encoder read only the beginning of a text",
}
MIN_LABELS = 20


@dataclass(frozen=True)
class Params:
    model: str = param(
        "minilm",
        help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine; commas between several.",
    )
    heads: int = param(10, ge=2, le=100, help="How many heads vote.")
    folds: int = param(5, ge=2, le=20, help="How many folds; each head votes on the fold it was not fitted on.")
    folds_by: str = param(
        "auto",
        choices=("auto", "prompt", "pair"),
        help="What a fold keeps together: the prompt, the unordered pair, or by how many prompts there are.",
    )
    reward_models: str = param(
        "",
        help="Paths of reward models (sequence classifiers) on the worker's machine, commas between; each is a voter.",
    )
    caution: float = param(
        1.0, ge=0, le=100, help="Lambda of the cautious strength: mean minus lambda times the variance of the votes."
    )
    seed: int = param(
        0, ge=0, le=2**31 - 1, help="The seed of folds and resamples; the same seed gives the same votes."
    )


def preflight(params: Params) -> None:
    from workers.engine.rewards.voters import check_all
    from workers.engine.texts.embeddings import model_folder, models_in

    for model in models_in(params.model):
        model_folder(model)
    check_all(params.reward_models)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    from workers.engine.heads.features import texts_of

    return texts_of(pairs)


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the caches of embeddings and of the reward models' scores."""
    from workers.engine.rewards.voters import fill_cache
    from workers.engine.texts.embeddings import models_in

    for model in models_in(params.model):
        bench.embed(texts(pairs, params), model=model)
    fill_cache(pairs, params.reward_models, bench)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.heads.crossfit import cross_fit, cross_fit_stack
    from workers.engine.heads.groups import prompt_groups
    from workers.engine.heads.table import comparison_table
    from workers.engine.heads.voting import Panel, shared_errors
    from workers.engine.rewards.voters import reward_votes
    from workers.engine.texts.embeddings import models_in

    pairs = sorted(pairs, key=lambda pair: pair.id)
    sign = np.array([pair.sign for pair in pairs], dtype=np.int64)
    by, groups = prompt_groups(pairs, params.folds_by)
    n_groups = len(np.unique(groups[sign != 0])) if len(pairs) else 0
    rewards = reward_votes(pairs, params.reward_models, bench)
    if (sign != 0).sum() < MIN_LABELS or n_groups < 2 * params.folds:
        return _without_heads(pairs, sign, n_groups, rewards, params)
    table = comparison_table(pairs, bench, models=models_in(params.model))
    bench.progress(1, 2, "fitting heads")
    fitted, shares = cross_fit_stack(
        table.x, table.blocks, table.trust, sign, groups,
        heads=params.heads, folds=params.folds, seed=params.seed, check=bench.check_cancelled,
    )  # fmt: skip
    by_length = cross_fit(
        table.length, None, sign, groups, heads=1, folds=params.folds, seed=params.seed,
        l2_choices=(1.0,), is_bootstrapped=False, check=bench.check_cancelled,
    )  # fmt: skip
    margins = np.hstack([fitted, rewards.margins])
    panel = Panel(margins, np.nan_to_num(by_length.margins[:, 0]), table.truncated, caution=params.caution)
    voters = [*_heads(params), *rewards.voters]
    return Outcome(
        signals=[_signal(pair, panel.fields(index)) for index, pair in enumerate(pairs)],
        scores=[Score(*score) for score in rewards.scores],
        result={
            **panel.summary(sign),
            **_told(margins, sign, voters, rewards),
            "ensemble": shared_errors(margins, sign, groups, voters, seed=params.seed, check=bench.check_cancelled),
            "folds_by": by,
            "groups": n_groups,
            "heads": params.heads,
            "folds": params.folds,
            "blocks": dict(zip(table.names, shares.mean(axis=0).tolist(), strict=True)),
        },
    )


def _heads(params: Params) -> list[Voter]:
    from workers.engine.heads.voting import Voter
    from workers.engine.texts.embeddings import revisions_of

    sha256, family = revisions_of(params.model), f"heads on {params.model}"
    return [Voter(f"{params.model} head {number + 1}", "head", family, sha256) for number in range(params.heads)]


def _told(margins: Any, sign: Any, voters: Sequence[Voter], rewards: RewardVotes) -> dict[str, Any]:
    from workers.engine.heads.voting import accuracy_of_each, accuracy_of_families

    each = [found | rewards.told.get(found["name"], {}) for found in accuracy_of_each(margins, sign, voters)]
    return {"voters": each, "families": accuracy_of_families(margins, sign, voters)}


def _signal(pair: Pair, fields: dict[str, Any]) -> Signal:
    return Signal(pair.id, fields["mean"], fields)


def _without_heads(pairs: Sequence[Pair], sign: Any, n_groups: int, rewards: RewardVotes, params: Params) -> Outcome:
    """Too few labels to fit on; reward models vote all the same, since they need none."""
    import numpy as np

    from workers.engine.heads.voting import Panel, nobody_voted

    labelled = int((sign != 0).sum())
    lack = (
        f"Too little to learn from: {labelled} of {len(pairs)} comparisons have a label that is no tie, in {n_groups} "
        f"groups; {MIN_LABELS} labels in {2 * params.folds} groups are needed. "
    )
    told = {"n": len(pairs), "labelled": labelled, **_told(rewards.margins, sign, rewards.voters, rewards)}
    scores = [Score(*score) for score in rewards.scores]
    if not np.isfinite(rewards.margins).any():
        signals = [_signal(pair, nobody_voted()) for pair in pairs]
        problem = lack + "The comparisons of this source got no votes."
        return Outcome(signals=signals, scores=scores, result=told | {"problem": problem})
    unknown = np.full(len(pairs), np.nan)
    panel = Panel(rewards.margins, unknown, np.zeros(len(pairs), np.bool_), caution=params.caution)
    return Outcome(
        signals=[_signal(pair, panel.fields(index)) for index, pair in enumerate(pairs)],
        scores=scores,
        result=panel.summary(sign) | told | {"note": lack + "Only the reward models voted.", "heads": 0},
    )
