"""Finds prompts that a benchmark has too: by shared runs of 13 words, and by meaning.

Idea
    Whoever trains on the prompts of a benchmark cannot measure with it any more. The benchmark's prompts are yours to
    give: a source of this project, or a file on the worker's machine. Every comparison of the other sources is told
    which benchmark prompt its own is most like, and how much.

Formula
    overlap = the largest share of one benchmark prompt's runs of `words` words (13) that occur in what the person
    said, over all turns; words lower-cased, marks left out. A benchmark prompt with 6 to 12 words is one run; a
    shorter one is compared by meaning only.
    cosine = the largest cosine between the embeddings of the last turn and of a benchmark prompt
    contaminated = overlap > 0 or cosine >= threshold;   value = max(overlap, cosine where it is >= threshold, else 0)

Paper
    Brown et al. 2020 (GPT-3), 13-gram decontamination; Liu et al. 2025, Skywork-Reward-V2, the same for preference
    data; Yang et al. 2023, Rethinking Benchmark and Contamination with Rephrased Samples, for the embeddings.

Needs
    Prompts of comparisons, and a benchmark. Labels and responses are not read. Comparisons of the benchmark's own
    source are not judged. A file has a prompt a line: plain text (.txt), or JSON lines (.jsonl) with `prompt`,
    `question`, `instruction`, `input`, `text`, `content`, `goal` or `messages`.

Signal
    value 0..1, 0 = clean; null for comparisons of the benchmark itself. `benchmark` and `nearest` name the prompt of
    the benchmark by overlap and by meaning: `line 12` of the file, `prompt 345` of the source. The run shows the share
    of contaminated comparisons with its Wilson interval, per source.

Limits
    Runs of 13 words also occur in boilerplate ("you are a helpful assistant ..."): look at `overlap`, a single run of a
    long prompt is little. The encoder reads 256 tokens and finds the same topic as well as the same question. A
    translation or a thorough paraphrase is missed by the runs, and often by the encoder.

Cost
    Each distinct prompt is embedded once and kept; the rest is seconds for ten thousand prompts and some thousand
    benchmark prompts. Memory: all runs of the benchmark. With threshold 1 no model is needed.

Do not use
    To show that a model was not trained on a benchmark: this looks at this data only, and at prompts only.

Relations
    near_duplicates compares comparisons of the project with each other; splits of a release keep like prompts together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workers.methods._base import Bench, Outcome, Pair, Signal, Unworkable, param

LABEL = "Contamination with benchmark prompts"
NEEDS = ("responses",)
YIELDS = ("signals",)
SHAPE = "whole"
SCOPE = "project"
QUEUE = "cpu"
FIELDS = {
    "contaminated": "the prompt shares a run of words with a benchmark prompt, or its meaning",
    "overlap": "largest share of a benchmark prompt's runs of words, 0..1",
    "runs": "how many runs of words are shared with it",
    "benchmark": "that benchmark prompt",
    "cosine": "largest cosine to a benchmark prompt; none where no model was asked",
    "nearest": "the benchmark prompt of that cosine",
}
SHOWN = 20
BLOCK = 2048


@dataclass(frozen=True)
class Params:
    source: str = param("", help="Name of the source of this project that holds the benchmark's prompts.")
    file: str = param("", help="Path of a .jsonl or .txt file with the benchmark's prompts, on the worker's machine.")
    words: int = param(13, ge=5, le=50, help="How many words a shared run has.")
    threshold: float = param(
        0.9, ge=0.5, le=1.0, help="From this cosine on, two prompts mean the same; 1 leaves the model out."
    )
    model: str = param("minilm", help="The encoder: `minilm` (the packaged one) or a folder on the worker's machine.")


def preflight(params: Params) -> None:
    from workers.engine.texts.embeddings import model_folder
    from workers.engine.texts.ngrams import read_benchmarks

    if not (params.source or params.file):
        raise Unworkable(
            "Say what the benchmark is: `source`, a source of this project, or `file`, a file on the worker's machine."
        )
    if params.file:
        read_benchmarks(params.file)
    if params.threshold < 1:
        model_folder(params.model)


def texts(pairs: Sequence[Pair], params: Params) -> list[str]:
    """What will be embedded; for the cost that the page tells beforehand."""
    return sorted({pair.last_turn for pair in pairs}) if params.threshold < 1 else []


def prepare(pairs: Sequence[Pair], params: Params, bench: Bench) -> None:
    """Fill the cache of embeddings; a benchmark that is not there is told before that."""
    _number_of_source(params, bench)
    bench.embed(texts(pairs, params), model=params.model)


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    from workers.engine.texts.ngrams import Runs

    bench.check_cancelled()
    pairs = sorted(pairs, key=lambda pair: pair.id)
    benchmarks, own = _benchmarks(pairs, params, bench)
    judged = [pair for pair in pairs if pair.source != own]
    runs = Runs(benchmarks, params.words)
    shared: dict[str, tuple[int, int, float] | None] = {}
    for done, said in enumerate(sorted({_said(pair) for pair in judged})):
        if done % 500 == 0:
            bench.check_cancelled()
        shared[said] = runs.most_shared(said)
    nearest = _nearest(judged, benchmarks, params, bench)
    signals = []
    for pair in pairs:
        if pair.source == own:
            signals.append(Signal(pair.id, None, dict.fromkeys(FIELDS) | {"contaminated": False}))
        else:
            signals.append(_signal(pair, shared[_said(pair)], nearest.get(pair.last_turn), benchmarks, params))
    result = _summary(judged, signals, bench)
    result |= {"benchmarks": len(benchmarks), "compared_by_meaning_only": runs.too_short}
    if not benchmarks:
        result["problem"] = "There is no benchmark prompt to compare with."
    return Outcome(signals=signals, result=result)


def _said(pair: Pair) -> str:
    return "\n".join(str(turn.get("content") or "") for turn in pair.messages if turn.get("role") != "assistant")


def _benchmarks(pairs: Sequence[Pair], params: Params, bench: Bench) -> tuple[list[Any], int | None]:
    """The benchmark's prompts, and the number of the source that they are of."""
    from workers.engine.texts.ngrams import Benchmark, read_benchmarks

    found = read_benchmarks(params.file) if params.file else []
    own = _number_of_source(params, bench)
    prompts = {pair.prompt_id: pair.last_turn for pair in pairs if own is not None and pair.source == own}
    return found + [Benchmark(f"prompt {number}", text) for number, text in sorted(prompts.items())], own


def _number_of_source(params: Params, bench: Bench) -> int | None:
    """None where the benchmark is a file."""
    if not params.source:
        return None
    numbers = [number for number, name in bench.sources.items() if name == params.source]
    if not numbers:
        known = ", ".join(sorted(bench.sources.values())) or "none"
        raise Unworkable(f"The project has no source {params.source!r}; its sources: {known}.")
    return numbers[0]


def _nearest(
    judged: Sequence[Pair], benchmarks: Sequence[Any], params: Params, bench: Bench
) -> dict[str, tuple[int, float]]:
    """Of each last turn, the number of the nearest benchmark prompt and the cosine."""
    if params.threshold >= 1 or not benchmarks or not judged:
        return {}
    turns = texts(judged, params)
    bench.progress(1, 3, "comparing meanings")
    known = bench.embed([benchmark.text for benchmark in benchmarks], model=params.model).vectors
    vectors = bench.embed(turns, model=params.model).vectors
    found = {}
    for start in range(0, len(turns), BLOCK):
        bench.check_cancelled()
        cosines = vectors[start : start + BLOCK] @ known.T
        best = cosines.argmax(axis=1)
        for turn, number, row in zip(turns[start : start + BLOCK], best.tolist(), cosines, strict=True):
            found[turn] = (number, float(row[number]))
    return found


def _signal(pair: Pair, shared: Any, near: Any, benchmarks: Sequence[Any], params: Params) -> Signal:
    number, runs, overlap = shared or (None, 0, 0.0)
    closest, cosine = near or (None, None)
    alike = min(1.0, cosine) if cosine is not None and cosine >= params.threshold else 0.0
    fields = {
        "contaminated": overlap > 0 or alike > 0, "overlap": overlap, "runs": runs,
        "benchmark": None if number is None else benchmarks[number].name,
        "cosine": None if cosine is None else min(1.0, cosine),
        "nearest": None if closest is None else benchmarks[closest].name,
    }  # fmt: skip
    return Signal(pair.id, max(overlap, alike), fields)


def _summary(judged: Sequence[Pair], signals: Sequence[Signal], bench: Bench) -> dict[str, Any]:
    source_of = {pair.id: pair.source for pair in judged}
    told = [signal for signal in signals if signal.pair_id in source_of]
    hits = [signal for signal in told if signal.fields["contaminated"]]
    by_source = []
    for source in sorted(set(source_of.values())):
        of_source = [signal.fields["contaminated"] for signal in told if source_of[signal.pair_id] == source]
        name = bench.sources.get(source, str(source))
        by_source.append({"source": name, "share": _share(sum(of_source), len(of_source))})
    worst = sorted(hits, key=lambda signal: (-(signal.value or 0.0), signal.pair_id))[:SHOWN]
    return {
        "n": len(told),
        "contaminated": _share(len(hits), len(told)),
        "contaminated_rows": len(hits),
        "by_words": sum(signal.fields["overlap"] > 0 for signal in told),
        "by_meaning_alone": sum(signal.fields["overlap"] == 0 for signal in hits),
        "by_source": by_source,
        "most": [{"comparison": signal.pair_id, **signal.fields} for signal in worst],
    }


def _share(hits: int, n: int) -> dict[str, Any]:
    from workers.engine.heads.bradley_terry import wilson

    return {"share": hits / n if n else None, "interval": wilson(hits, n), "n": n}
