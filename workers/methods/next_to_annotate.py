"""Where a minute of a person is worth most: the comparisons in the order in which to ask people.

Idea
    People cannot look at everything, and most of what they would look at tells nothing new. A further answer is worth
    most where the models cannot decide, where they speak against the label, where people disagree with each other or
    with the models, and near comparisons in which a person has overruled a label or the models before; least where a
    copy of the question was asked already, or people have answered enough. Set `campaign`, and the order becomes that
    of the campaign's open tasks: with the setting "again after so many judgments" a loop of people and models.

Formula
    p = P(label right) = sigmoid of the votes' mean margin, its scale fitted per source, softened by their spread
    uncertainty   = 1 - |2 p - 1|
    disagreement  = the largest of: 1 - 2 p for the label or what most people say; runner-up / leader of their answers;
                    1 where most people say the opposite of the label; never below 0
    retrieval     = sum over the k nearest answered comparisons of cosine * [people overruled it] / 8: the label that
                    came with the data, or where none came, the votes of models;
                    k = 8 where p <= 1/2, else ceil(8 (1 - p)); never the comparison itself, its prompt, or cosine > .98
    open          = 2 P(Beta(leader + 1, runner-up + 1) < 1/2), answers counted; 0 where a curator decided by hand
    diversity     = 1 / (1 + d j), j better or already answered comparisons of the prompt or alike (cosine >= .9 among
                    the first 1,000), d the parameter
    worth = open * diversity * (weighted mean of the parts that can be told)
    Votes are those of the newest run of model_vote, or, where there is none or people have judged since, of a few heads
    fitted here in the same way (other prompts only); what people say is the label that heads learn.

Paper
    Skywork-Reward-V2 (Liu et al. 2025) for retrieval around answered examples and its k; uncertainty sampling: Lewis
    and Gale 1994. The random share is ours: what models and labels share in error, no part above can see.

Needs
    Responses. Labels, votes of models and answers of people are used where there are any. Without any, rows are told
    apart by what is alike only, and the result says what is missing.

Signal
    value = worth, 0..1, the same for either side. `place` is the place in the order, 1 = first, null for what is not
    asked; `is_random` marks the random share, drawn from what nobody has answered; `reason` says why in words. The
    result counts what people have answered and overruled.

Limits
    Worth is no probability, and not to be compared between runs. What models and labels share in error is found by the
    random share alone. Retrieval helps only where mistakes lie together. With a campaign the order is that of its open
    tasks; full tasks are left alone.

Cost
    Embeddings once, then heads as cheap as half a model_vote, and none where its votes are taken.

Do not use
    As a measure of quality, or to draw a sample that is to stand for all rows: use the audit of a recipe.

Relations
    model_vote for the votes; peer_review and cycles look for wrong labels by other evidence; campaigns for the order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench
from workers.methods._base import Outcome, Pair, Signal, param

LABEL = "Next to annotate: where a minute is worth most"
NEEDS = ("responses",)
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "project"
QUEUE = "cpu"
FIELDS = {
    "uncertainty": "how near the votes are to even, 0..1; null without votes",
    "disagreement": "how far models, people and label contradict each other, 0..1",
    "retrieval": "how many of the nearest answered comparisons people overruled, 0..1",
    "open": "how much a further answer can still change, 0..1",
    "diversity": "1 where nothing alike comes before it, else less",
    "place": "its place in the order, 1 = first; null where it is not asked",
    "is_random": "in the order by chance, whatever its worth",
    "reason": "why it stands where it stands, in words",
}
PARTS = ("uncertainty", "disagreement", "retrieval")


@dataclass(frozen=True)
class Params:
    campaign: int = param(0, ge=0, help="The campaign whose open tasks get this order; 0 changes no order.")
    random_share: float = param(0.1, ge=0, le=1, help="Share of the order drawn by chance, to find what models share.")
    votes: str = param(
        "auto",
        choices=("auto", "run", "own"),
        help="Votes of the newest model_vote, of heads fitted here, or by whether people have judged since that run.",
    )
    uncertainty: float = param(1.0, ge=0, le=10, help="Weight of uncertainty.")
    disagreement: float = param(2.0, ge=0, le=10, help="Weight of disagreement; twice uncertainty or it is drowned.")
    retrieval: float = param(1.0, ge=0, le=10, help="Weight of what lies near known mistakes.")
    diversity: float = param(0.5, ge=0, le=10, help="How much each better or answered comparison alike takes away.")
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")
    heads: int = param(4, ge=2, le=50, help="How many heads are fitted here, where no votes are taken.")
    folds: int = param(5, ge=2, le=20, help="How many folds of whole prompts for these heads.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of folds, resamples and the random share.")


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder

    model_folder(params.model)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    from workers.engine.heads.features import texts_of

    return texts_of(pairs)


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings."""
    bench.embed(texts(pairs, params), model=params.model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.heads.opinions import opinions
    from workers.engine.people import worth as kernel
    from workers.engine.people.answers import gathered

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    if not pairs:
        return Outcome()
    said = gathered(pairs, bench)
    models = opinions(pairs, said.sign, params, bench)
    bench.progress(1, 2, "ordering")
    rows = _Rows(pairs, said, models, params, bench)
    asked = bench.open_tasks(params.campaign) if params.campaign else None
    is_asked = said.open > 0
    if asked is not None:
        is_asked &= np.isin(said.ids, asked)
    order, is_drawn = kernel.mixed_order(
        rows.worth, np.flatnonzero(is_asked), params.random_share, np.random.default_rng(params.seed),
        drawable=~said.is_answered,
    )  # fmt: skip
    place, is_random = np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.bool_)
    place[order], is_random[order] = np.arange(1, len(order) + 1), is_drawn
    signals = [rows.signal(index, int(place[index]), bool(is_random[index])) for index in range(len(pairs))]
    result = rows.summary() | models.result | {"ordered": len(order), "random": int(is_drawn.sum())}
    return Outcome(signals=signals, result=result, order=[int(number) for number in said.ids[order]])


class _Rows:
    """The parts of every comparison's worth, arrays [n]; NaN where a part cannot be told."""

    def __init__(self, pairs: Sequence[Pair], said: Any, models: Any, params: Params, bench: Bench) -> None:
        import numpy as np

        from workers.engine.people import worth as kernel

        self.pairs, self.said, self.models = pairs, said, models
        known = said.sign != 0
        toward = np.where(known, np.where(said.sign > 0, models.p_b, 1 - models.p_b), np.nan)
        self.p = np.where(known, toward, np.maximum(models.p_b, 1 - models.p_b))
        self.uncertainty = 1 - np.abs(2 * models.p_b - 1)
        against = np.where(known, np.maximum(1 - 2 * self.p, 0), np.nan)
        self.disagreement = np.fmax(np.fmax(against, said.split), np.where(said.is_overruled, 1.0, np.nan))
        prompt = np.array([pair.prompt_id for pair in pairs], dtype=np.int64)
        vectors = kernel.content_vectors(pairs, bench, params.model)
        answered = kernel.some_of(np.flatnonzero(said.is_answered & known), params.seed)
        model_is_wrong = np.nan_to_num((models.p_b - 0.5) * said.sign) < 0
        self.is_mistake = np.where(said.is_labelled, said.is_overruled, said.is_answered & model_is_wrong)
        share, self.mistakes, self.near = kernel.around_mistakes(
            vectors, prompt, answered, self.is_mistake[answered],
            kernel.neighbours_wanted(np.nan_to_num(self.p, nan=0.5)), check=bench.check_cancelled,
        )  # fmt: skip
        self.retrieval = share if len(answered) else np.full(len(pairs), np.nan)
        parts = np.column_stack([getattr(self, name) for name in PARTS])
        weights = np.array([getattr(params, name) for name in PARTS])
        total = np.where(np.isnan(parts), 0.0, weights).sum(axis=1)
        mean = np.nansum(parts * weights, axis=1) / np.where(total > 0, total, 1.0)
        base = said.open * np.where(total > 0, mean, 0.5)
        alike = kernel.better_ones_alike(base.round(9), prompt, vectors, said.is_answered)
        self.diversity = 1 / (1 + params.diversity * alike)
        self.worth = (base * self.diversity).round(9)
        self.share = parts * weights / np.where(total > 0, total, 1.0)[:, None]

    def signal(self, index: int, place: int, is_random: bool) -> Signal:
        import numpy as np

        def told(values: Any) -> float | None:
            return None if np.isnan(values[index]) else round(float(values[index]), 9)

        fields = {name: told(getattr(self, name)) for name in (*PARTS, "diversity")} | {
            "open": float(self.said.open[index]),
            "place": place or None,
            "is_random": is_random,
            "reason": self._reason(index, is_random),
        }
        return Signal(self.pairs[index].id, float(self.worth[index]), fields)

    def _reason(self, index: int, is_random: bool) -> str:
        """The part that speaks loudest; of equals, the first."""
        import numpy as np

        counts = self.said.counts[index]
        if self.said.open[index] == 0:
            return "decided by a curator"
        if is_random:
            return "drawn by chance, to find what models and labels share in error"
        if self.said.open[index] < 0.3:
            return f"{int(counts.max())} of {int(counts.sum())} people agree already"
        if np.isnan(self.share[index]).all():
            return "nothing is known of it yet"
        loudest = PARTS[int(np.nanargmax(np.nan_to_num(self.share[index], nan=-1.0)))]
        if loudest == "retrieval":
            return f"people overruled {self.mistakes[index]} of the {self.near[index]} nearest answered comparisons"
        if loudest == "uncertainty":
            p_b = self.models.p_b[index]
            return f"the models are unsure: they give one side {max(p_b, 1 - p_b):.0%}"
        if self.said.is_overruled[index]:
            return "people say the opposite of the label; one more answer would settle it"
        if self.said.split[index] >= max(1 - 2 * self.p[index], 0):
            return f"people are split: {int(np.sort(counts)[-1])} to {int(np.sort(counts)[-2])}"
        whom = "most people" if self.said.is_answered[index] else "the label"
        return f"the models give {whom} a chance of {self.p[index]:.0%}"

    def summary(self) -> dict[str, Any]:
        said = self.said
        answered = said.is_answered & (said.sign != 0)
        return {
            "n": len(self.pairs),
            "answered": int(said.is_answered.sum()),
            "overruled": int(said.is_overruled.sum()),
            "mistakes": int((self.is_mistake & answered).sum()),
            "settled": int((said.open < 0.3).sum()),
        }
