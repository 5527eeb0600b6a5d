"""Candidates for each prompt from a model of yours, so that there is something to choose from.

Idea
    Preference data want two answers to the same question, and the answers of the model that shall be trained are the
    ones that teach it most. So the model writes several to every prompt; best_of_n makes pairs of them, a scorer labels
    the pairs, and people look where scorers doubt.

Formula
    Candidate j of prompt x: tokens drawn one by one from p(. | x, what it wrote) to the power 1 / temperature, of the
    `top_k` most probable tokens and of these the fewest that make up `top_p`, until the model ends its turn or
    `max_tokens` are there. Each candidate has a seed made from `seed`, the text of the prompt and j: the same run again
    gives the same texts, whatever else is written beside them, and more candidates leave the first ones as they are.

Paper
    Best-of-N sampling, as in the labelling step of CDR / Dr.SoW, 2024 (8 candidates at temperature 0.7 to 1); top-p is
    A. Holtzman et al. 2020.

Needs
    Prompts, of the project or of one source, and a causal model with a chat template. Labels are not read.

Signal
    None: what comes back are responses. A text that the prompt has already, from here or from an import, is not written
    twice and is counted as repeated; so are empty and unended ones, which are counted apart. Empty texts are not kept.
    The run remembers each of its candidates with how often it was written, and names model and revision as their
    author.

Limits
    On one machine and in float32 the same seed gives the same texts, but for one token in a million that stands on the
    brink; a server promises less. A model at a low temperature repeats itself, and best_of_n then finds nothing to
    choose from: look at the share of repeated texts. Prompts longer than the context lose their beginning.

Cost
    One pass through the model per token, 32 candidates at once on a CPU and 256 on a GPU; a prompt is read once for all
    its candidates. A model of 24 million parameters writes some 400 tokens per second of one core, so a thousand
    prompts with four candidates of a hundred tokens take about 17 minutes; the time grows with the size of the model. A
    killed run goes on with the prompts that are missing.

Do not use
    With a model whose licence forbids training on what it writes.

Relations
    best_of_n makes comparisons of the candidates; density_ratio and follow_up score them; degenerate tells which are
    loops, echoes or refusals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Candidate, Outcome, Prompt, param

if TYPE_CHECKING:
    from workers.engine.generation.written import Written

LABEL = "Candidates: several answers to each prompt"
NEEDS = ("prompts",)
YIELDS = ("responses", "scores")
SHAPE = "map"
SCOPE = "project"
QUEUE = "cpu"
MODELS = ("model",)
WRITES = ("model",)
FIELDS: dict[str, str] = {}
# What may befall a text, each counted.
TOLD = ("empty", "unended", "refused", "truncated", "nonfinite", "unstorable")


@dataclass(frozen=True)
class Params:
    model: str = param("", help="The model that writes: a folder on the worker's machine, a name, or a server's URL.")
    n: int = param(4, ge=1, le=64, help="How many candidates per prompt.")
    temperature: float = param(0.8, ge=0, le=5, help="0 always takes the most probable token; more varies more.")
    top_p: float = param(1.0, ge=0.01, le=1, help="Of the tokens, the fewest that make up this share; 1 = all.")
    top_k: int = param(0, ge=0, le=100_000, help="Of the tokens, so many of the most probable; 0 = all.")
    max_tokens: int = param(256, ge=1, le=8192, help="The most tokens of a candidate; at most half of the context.")
    prompts: int = param(0, ge=0, le=10_000_000, help="How many prompts, drawn by the seed; 0 = all.")
    source: str = param("", help="Name of the source whose prompts are answered; empty = the whole project.")
    seed: int = param(0, ge=0, le=2**31 - 1, help="The seed of prompts and texts.")


def preflight(params: Params) -> None:
    if not params.model.strip():
        raise Unworkable(
            "Name the model that writes as `model`: a folder on the worker's machine, a name, or a server's URL."
        )


def run(prompts: Sequence[Prompt], params: Params, bench: Bench) -> Outcome:
    bench.check_cancelled()
    if not prompts:
        return Outcome()
    prompts = sorted(prompts, key=lambda prompt: prompt.id)
    written = bench.write(
        [prompt.messages for prompt in prompts], model=params.model, n=params.n, seed=params.seed,
        temperature=params.temperature, top_p=params.top_p, top_k=params.top_k, max_tokens=params.max_tokens,
    )  # fmt: skip
    author = bench.author(params.model)
    told: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    candidates = []
    for prompt, texts in zip(prompts, written, strict=True):
        for one in texts:
            befallen = _befallen(one)
            told.update(befallen)
            if "refused" not in befallen:
                lengths[one.tokens] += 1
            if not befallen & {"empty", "refused", "nonfinite", "unstorable"}:
                candidates.append(Candidate(prompt.id, one.text, author, one.ended))
    result = {name: told[name] for name in TOLD} | {
        "prompts": len(prompts), "written": sum(map(len, written)), "author": author,
        "lengths": {str(tokens): count for tokens, count in sorted(lengths.items())},
    }  # fmt: skip
    return Outcome(candidates=candidates, result=result)


def combine(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    from workers.engine.generation.lengths import lengths_of
    from workers.engine.heads.bradley_terry import wilson

    names = ("prompts", "written", "new", "repeated", *TOLD)
    total = {name: sum(one.get(name, 0) for one in results) for name in names}
    n = total["written"]
    told = {name: {"share": total[name] / n, "interval": wilson(total[name], n), "n": n} for name in TOLD if n}
    kept = total["new"] + total["repeated"]
    if kept:
        repeated = total["repeated"]
        told["repeated"] = {"share": repeated / kept, "interval": wilson(repeated, kept), "n": kept}
    author = next((one["author"] for one in results if "author" in one), "")
    return total | {"shares": told, "author": author, "lengths": lengths_of(one.get("lengths", {}) for one in results)}


def _befallen(one: Written) -> set[str]:
    found = set(one.flags) & {"refused", "truncated", "nonfinite"}
    if "refused" in found:
        return found
    if not one.text.strip():
        found.add("empty")
    if "\x00" in one.text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in one.text):
        found.add("unstorable")
    return found if one.ended or "nonfinite" in found else found | {"unended"}
