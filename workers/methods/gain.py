"""Is it better? The same learner trained on raw and on curated labels, judged on the same held-out rows.

Idea
    A recipe is worth something if a learner that is trained on what it makes does better on rows that nobody curated
    for it. So the learner is trained on the labels as they came, on what the recipe makes of them, on the same actions
    dealt to random rows, and on the same actions dealt by length alone; all four answer for the same held-out rows. It
    may find no gain, and says so.

Formula
    K folds by prompt (prompts with near copies together), S times. In each, for the training rows alone: the methods
    that the recipe reads and that were fitted on labels are fitted again, the rules are worked out, and every row gets
    two weights, on its raw label and on the opposite: keep (w, 0), flip (0, w), soften p (w p, w (1 - p)), drop, review
    and no rule (0, 0). A Bradley-Terry head on the features of model_vote is trained for every arm, with the L2 penalty
    that inner folds choose on raw. Accuracy: how often the sign of its margin is that of the held-out label, a zero
    one half, mean over the seeds. Intervals: 2,000 bootstrap draws of prompts, the same for all arms, so differences
    are paired. Overall: the mean over sources by their rows; no head is fitted across sources.
    Gain shown: curated - raw and curated - random are both above 0 with their whole interval. Harm shown: curated -
    raw is below 0 with its whole interval. Else no gain shown.

Paper
    Fits that never see the rows they are judged on: Chernozhukov et al. 2018, Double/debiased machine learning. What a
    recipe is compared with: Wang et al. 2024, Secrets of RLHF Part II, trains on raw and on a flipped tenth; the same
    tenth at random rows is added here, since a change alone can move a learner.

Needs
    Responses, labels and a kept recipe; in a source at least 40 labels that are no tie. Held-out rows are judged by
    labels of people (a decision on a single row, a blind answer of an audit, an adjudication, the consensus of votes
    that were not simulated) if there are 100 of them, else by the imported labels, whose noise is then in the figure.

Signal
    None: a report. Accuracies with intervals and a point per seed, the differences, and what each arm trained on.

Limits
    It measures a linear head on a frozen encoder: a large model may gain more, or nothing. Folds share training rows,
    so intervals are a little too narrow. Rows that people verified are rows that somebody chose. On imported labels a
    recipe that removes a bias all labels share looks like harm. Signals that were fitted on labels and cannot be
    fitted again are read as they are kept, which flatters the recipe; the report names them.

Cost
    Folds x seeds times the cost of the methods that the recipe reads, on the training rows: about a minute a thousand
    comparisons for a recipe that reads model_vote, some seconds for one that does not, embeddings apart.

Do not use
    To choose among many recipes by their best figure: the best of twenty looks like a gain. Not in place of an audit.

Relations
    model_vote and item_strength are what is fitted again; an audit says whether a rule is right, this whether it helps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Outcome, param

LABEL = "Is it better? Raw against curated"
NEEDS = ("responses", "labels", "recipe")
YIELDS = ("report",)
SHAPE = "whole"
SCOPE = "source"
QUEUE = "cpu"
FIELDS: dict[str, str] = {}
LEAST_VERIFIED = 100
# What is the same for every source.
ASKED = ("recipe", "runs")


@dataclass(frozen=True)
class Params:
    recipe: str = param("", help="The name of the recipe that is put to the test.")
    version: int = param(0, ge=0, le=2**31 - 1, help="Which version of it; 0 is the newest.")
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")
    seeds: int = param(3, ge=1, le=20, help="How often everything is done again with other folds.")
    folds: int = param(5, ge=2, le=20, help="How many folds; each is held out once per seed.")
    max_rows: int = param(20_000, ge=100, le=10**7, help="At most so many comparisons of a source, by whole prompts.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of folds and draws; the same seed gives the same report.")


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder

    if not params.recipe:
        raise Unworkable("Say which recipe: give the name of one that is kept in this project.")
    model_folder(params.model)


def texts(pairs: Sequence[Any], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    from workers.engine.heads.features import texts_of

    return texts_of(pairs)


def run(trial: Any, params: Params, bench: Bench) -> Outcome:
    import numpy as np

    from workers.engine.gain.compare import problem_of, report, run_arms
    from workers.engine.heads.features import differences

    problem = problem_of(trial, params.folds)
    if problem:
        return _not_measured(trial, problem)
    found = differences(trial.pairs, bench, model=params.model)
    length = found.length[:, 0]
    x = np.hstack([found.embedded, found.counts])
    broken = int((~np.isfinite(x)).any(axis=1).sum())
    if broken:
        return _not_measured(
            trial, f"The encoder gave {broken} of {len(trial)} comparisons features that are no numbers."
        )
    runs = run_arms(trial, x, length, bench, seeds=params.seeds, folds=params.folds, seed=params.seed)
    return Outcome(result=report(trial, runs, length, seed=params.seed))


def _not_measured(trial: Any, problem: str) -> Outcome:
    return Outcome(result={"n": len(trial), "total": trial.total, "problem": problem, "notes": list(trial.notes)})


def combine(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Over all sources; the draws have done their work then."""
    from workers.engine.gain.compare import over_sources

    overall = over_sources(list(sources.values()), least_verified=LEAST_VERIFIED)
    asked = next(({name: source[name] for name in ASKED if name in source} for source in sources.values()), {})
    return {"sources": {key: _per_source(source) for key, source in sources.items()}, "overall": overall} | asked


def _per_source(source: Mapping[str, Any]) -> dict[str, Any]:
    judged = {
        basis: {name: part for name, part in one.items() if name != "draws"}
        for basis, one in source.get("judged", {}).items()
    }
    return {name: part for name, part in source.items() if name not in ASKED} | {"judged": judged}
