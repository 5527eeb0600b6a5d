"""Of several candidates the best one and another, as a comparison that still has no label.

Idea
    A model writes several answers to a prompt (sample_responses). A scorer that needs no training finds the best of
    them; set against another of the same model, it shows what the model could do better. Who labels the pair is
    another question: a rule of a recipe may do it by the same scorer, once its probes passed, or people do.

Formula
    r(x, y) is the score of `scorer`: density_ratio, log p_strong(y | x) - log p_weak(y | x), or follow_up, praise less
    complaint that a model expects behind y. Of the distinct candidates of a prompt without a flag:
    chosen   = the one with the largest r
    rejected = of those with a smaller r one drawn by the seed (`random`, as published for density ratios), or the one
               with the smallest r (`worst`, as follow-up likelihood mines its pairs)
    No pair where only one text is left, or where all scores are equal.

Paper
    CDR / Dr.SoW, 2024, for the first: 8 candidates, random other. FLR, 2024, for the second, as its abstract tells it.

Needs
    The candidates of a run of sample_responses; the scorer's models. Labels are not read.

Signal
    None: what comes back are comparisons without a label, in a source of their own that is named after the run, its
    model and the scorer. Run density_ratio or follow_up over the project and they get their signals, mostly from the
    cache. The result tells how many prompts gave no pair and why, and how often the chosen one is the longer one.

Limits
    Candidates are scored with nothing put before their prompts, whatever a later run of the scorer does. The best of a
    few poor answers is a poor answer. Whatever bias the scorer has, choosing the best of many brings it
    out: where the chosen one is nearly always the longer one, length was chosen. The worst one is often broken rather
    than worse; random others make harder and more useful pairs.

Cost
    That of the scorer over all candidates: each prompt read once, each candidate once. A killed run goes on from the
    cache.

Do not use
    To measure a scorer by its own pairs; nor with candidates that were written at temperature 0, which are all one.

Relations
    sample_responses writes the candidates; density_ratio and follow_up score pairs and are probed; docs/candidates.md
    tells the whole way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Candidates, Couple, Outcome, Score, param

if TYPE_CHECKING:
    from workers.engine.generation.pairing import Scored

LABEL = "Best of n: pairs of candidates"
NEEDS = ("candidates",)
YIELDS = ("comparisons", "scores")
SHAPE = "map"
SCOPE = "project"
QUEUE = "cpu"
MODELS = ("strong", "weak", "model")
FIELDS: dict[str, str] = {}
DENSITY_RATIO, FOLLOW_UP = "density_ratio", "follow_up"
OWN_FORM = {DENSITY_RATIO: "sum", FOLLOW_UP: "mean"}


@dataclass(frozen=True)
class Params:
    scorer: str = param(DENSITY_RATIO, choices=(DENSITY_RATIO, FOLLOW_UP), help="What finds the best candidate.")
    strong: str = param("", help="For density_ratio: the better model, by folder, name or URL.")
    weak: str = param("", help="For density_ratio: the model it is set against.")
    model: str = param("", help="For follow_up: the chat model.")
    form: str = param(
        "own",
        choices=("own", "sum", "mean"),
        help="As the scorer has it: own is sum for density_ratio, mean for the other.",
    )
    rejected: str = param("random", choices=("random", "worst"), help="What the best one is set against.")
    run: int = param(0, ge=0, le=2**31 - 1, help="The run whose candidates are taken; 0 = the newest.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of the random others.")


def preflight(params: Params) -> None:
    wanted = ("strong", "weak") if params.scorer == DENSITY_RATIO else ("model",)
    missing = [name for name in wanted if not getattr(params, name).strip()]
    if missing:
        named = " and ".join(f"`{name}`" for name in missing)
        raise Unworkable(f"{params.scorer} needs {named}: a folder on the worker's machine, a name, or a server's URL.")


def run(prompts: Sequence[Candidates], params: Params, bench: Bench) -> Outcome:
    from workers.engine.generation.pairing import Paired, paired

    bench.check_cancelled()
    if not prompts:
        return Outcome()
    prompts = sorted(prompts, key=lambda prompt: prompt.id)
    couples, scores, told = [], [], Counter[str]()
    for prompt, row in zip(prompts, _scored(prompts, params, bench), strict=True):
        ids = {text: response for response, text, _ in prompt.responses}
        scores += [Score(ids[one.text], params.scorer, one.value) for one in row if isfinite(one.value)]
        told["flagged_candidates"] += sum(one.is_flagged for one in row)
        found = paired(prompt.messages, row, rejected=params.rejected, seed=params.seed)
        if not isinstance(found, Paired):
            told[found] += 1
            continue
        told["longer"] += len(found.chosen) > len(found.rejected)
        told["shorter"] += len(found.chosen) < len(found.rejected)
        metadata = {"candidates": len(ids), "rejected": params.rejected}
        couples.append(Couple(prompt.id, ids[found.chosen], ids[found.rejected], metadata))
    names = ("alone", "flagged", "equal", "longer", "shorter", "flagged_candidates")
    result = {name: told[name] for name in names} | {
        "prompts": len(prompts), "pairs": len(couples), "candidates": sum(len(one.responses) for one in prompts),
        "scored_by": _named(params, bench),
    }  # fmt: skip
    if params.scorer == FOLLOW_UP:
        words = bench.wording("follow_ups", 0)
        result["wording"] = {"kind": "follow_ups", "version": words.version, "sha256": words.sha256}
    return Outcome(couples=couples, scores=scores, result=result)


def combine(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    from workers.engine.heads.bradley_terry import wilson

    names = ("prompts", "pairs", "candidates", "new", "known", "alone", "flagged", "equal", "longer", "shorter")
    total: dict[str, Any] = {name: sum(one.get(name, 0) for one in results) for name in (*names, "flagged_candidates")}
    uneven = total["longer"] + total["shorter"]
    longer = {"share": total["longer"] / uneven if uneven else None, "n": uneven}
    total["chosen_is_longer"] = longer | {"interval": wilson(total["longer"], uneven)}
    first: Mapping[str, Any] = next((one for one in results if "source" in one), {})
    return total | {name: first[name] for name in ("source", "candidates_of", "scored_by", "wording") if name in first}


def _scored(prompts: Sequence[Candidates], params: Params, bench: Bench) -> list[list[Scored]]:
    """Each distinct text of each prompt once, in an order that does not depend on who wrote first."""
    asked = [(prompt.messages, sorted({text for _, text, _ in prompt.responses})) for prompt in prompts]
    form = OWN_FORM[params.scorer] if params.form == "own" else params.form
    if params.scorer == DENSITY_RATIO:
        return _by_ratio(asked, form, params, bench)
    return _by_follow_ups(asked, form, params, bench)


def _by_ratio(asked: Sequence[Any], form: str, params: Params, bench: Bench) -> list[list[Scored]]:
    from workers.engine.generation.pairing import Scored
    from workers.engine.ratios.ratio import Scale, ratios, unit_of

    found = ratios(asked, Scale(params.strong, params.weak, form=form), bench)
    return [
        [Scored(text, one.value(unit_of(row, form)), not one.is_clean) for text, one in zip(texts, row, strict=True)]
        for (_, texts), row in zip(asked, found, strict=True)
    ]


def _by_follow_ups(asked: Sequence[Any], form: str, params: Params, bench: Bench) -> list[list[Scored]]:
    from workers.engine.followups.remarks import read_set
    from workers.engine.followups.said import Scale, said_of
    from workers.engine.generation.pairing import Scored

    follow_ups = read_set(bench.wording("follow_ups", 0).document, "")
    found = said_of(asked, follow_ups, Scale(params.model, form=form), bench)
    return [
        [Scored(text, one.total, bool(one.flags)) for text, one in zip(texts, row, strict=True)]
        for (_, texts), row in zip(asked, found, strict=True)
    ]


def _named(params: Params, bench: Bench) -> str:
    if params.scorer == DENSITY_RATIO:
        return f"density_ratio {bench.scorer(params.strong).name} over {bench.scorer(params.weak).name}"
    return f"follow_up {bench.scorer(params.model).name}"
