"""Finds responses that are no answer: empty, an echo, a refusal, cut off, a loop, or in the wrong language.

Idea
    Some responses are poor whatever they say, and a look at the text shows it. Such a response on the preferred side
    teaches a reward model a shortcut; on the other side it makes the comparison too easy to teach anything. Seven
    checks are made of each response on its own; none reads the label.

Formula
    empty           nothing but white space and invisible characters
    key             one of the phrases that fool model judges and nothing else, or punctuation alone
    echo            the words of the last turn, in order, are >= 4/5 of the words of the response (3 words or more)
    refusal         an English refusal within the first 250 characters
    truncated       a code block is open at the end; or the text (20 words or more) ends in the middle of a sentence
    repetitive      bytes / bytes packed by zlib > `max_compression` (from 200 bytes on), or the share of runs of four
                    words that came before in it > `max_repeated` (from 40 words on)
    wrong_language  another script than the last turn, or another language by a naive Bayes classifier that is 97 %
                    sure of both (each with 40 letters or more); never where the turn names a language
    score = -(number of checks that fired),   mean = score_b - score_a

Paper
    Keys: Zhao et al. 2025, One Token to Fool LLM-as-a-Judge. Compression ratio: Radford et al. 2023 (Whisper) filter
    loops so. Repeated n-grams: Rae et al. 2021 (Gopher). Languages: Lui and Baldwin 2012, langid.py.

Needs
    Responses and the last turn of the conversation. Labels are read only for the table of the run, never for a signal.

Signal
    value = mean, -7..7, positive = response b raised fewer flags. score_a, score_b: 0 = no flag, -1 for each. The flags
    by name in flags_a, flags_b. The run tells of each flag how many responses have it, and where just one side has it,
    how often the label prefers that side; both with their 95 % Wilson interval.

Limits
    The flags say what a text looks like, not that it is bad: "I cannot help with that" may be the best answer, and is
    in data on harmlessness; poems repeat themselves, and lists end without a full stop. Refusals are found in English
    only. Only the last turn is compared. A language the classifier does not know (it knows 97) is given to a neighbour.

Cost
    About a millisecond per response on one core; no model is loaded.

Do not use
    To drop refusals from data on safety, or to drop `truncated` from data of code or lists without looking at a sample.

Relations
    bias_audit asks whether the labels follow form; near_duplicates finds a text that repeats another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workers.engine.texts import checks
from workers.methods._base import Bench, Outcome, Pair, Signal, param

LABEL = "Degenerate responses"
NEEDS = ("responses",)
YIELDS = ("signals",)
SHAPE = "map"
SCOPE = "project"
QUEUE = "cpu"
FIELDS = {
    "score_a": "minus the number of flags of response a",
    "score_b": "minus the number of flags of response b",
    "mean": "score_b - score_a: positive = response b raised fewer flags",
    "flags_a": "names of the flags of response a",
    "flags_b": "names of the flags of response b",
    "compression_a": "bytes over packed bytes of response a; none below 200 bytes",
    "compression_b": "bytes over packed bytes of response b; none below 200 bytes",
    "repeated_a": "share of repeated runs of four words in response a; none below 40 words",
    "repeated_b": "share of repeated runs of four words in response b; none below 40 words",
}
FLAGS = ("empty", "key", "echo", "refusal", "truncated", "repetitive", "wrong_language")
CHECK_EVERY = 100


@dataclass(frozen=True)
class Params:
    max_compression: float = param(5.0, ge=2.0, le=100.0, help="A response that packs better than this is repetitive.")
    max_repeated: float = param(
        0.5, ge=0.1, le=1.0, help="A response with a larger share of repeated runs of four words is repetitive."
    )


def preflight(params: Params) -> None:
    """Any parameters will do."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the checks say of one response."""

    flags: tuple[str, ...]
    compression: float | None
    repeated: float | None


def run(pairs: Sequence[Pair], params: Params, bench: Bench) -> Outcome:
    looked: dict[tuple[str, str], Look] = {}
    signals, counts = [], _no_counts()
    for index, pair in enumerate(sorted(pairs, key=lambda pair: pair.id)):
        if index % CHECK_EVERY == 0:
            bench.check_cancelled()
            bench.progress(index, len(pairs), "reading")
        prompt = pair.last_turn
        for text in (pair.a, pair.b):
            if (prompt, text) not in looked:
                looked[prompt, text] = look_at(text, prompt, params)
        a, b = looked[prompt, pair.a], looked[prompt, pair.b]
        signals.append(_signal(pair, a, b))
        _count(counts, pair, a, b)
    return Outcome(signals=signals, result=counts)


def look_at(text: str, prompt: str, params: Params) -> Look:
    if checks.is_empty(text):
        return Look(("empty",), None, None)
    packed, again = checks.compression(text), checks.repeated(text)
    fired = {
        "key": checks.is_key(text),
        "echo": checks.is_echo(text, prompt),
        "refusal": checks.is_refusal(text),
        "truncated": checks.is_truncated(text),
        "repetitive": (packed or 0.0) > params.max_compression or (again or 0.0) > params.max_repeated,
        "wrong_language": checks.is_other_language(text, prompt),
    }
    return Look(tuple(flag for flag, has_fired in fired.items() if has_fired), packed, again)


def _signal(pair: Pair, a: Look, b: Look) -> Signal:
    score_a, score_b = -float(len(a.flags)), -float(len(b.flags))
    fields = {
        "score_a": score_a, "score_b": score_b, "mean": score_b - score_a,
        "flags_a": list(a.flags), "flags_b": list(b.flags),
        "compression_a": a.compression, "compression_b": b.compression,
        "repeated_a": a.repeated, "repeated_b": b.repeated,
    }  # fmt: skip
    return Signal(pair.id, score_b - score_a, fields)


def _no_counts() -> dict[str, Any]:
    """Comparisons, those with a flag, and per flag: sides with it, labelled rows where one side has it, of these how
    many prefer that side."""
    return {"n": 0, "flagged": 0, "flags": {flag: {"sides": 0, "one_sided": 0, "preferred": 0} for flag in FLAGS}}


def _count(counts: dict[str, Any], pair: Pair, a: Look, b: Look) -> None:
    counts["n"] += 1
    counts["flagged"] += bool(a.flags or b.flags)
    for flag in {*a.flags, *b.flags}:
        found = counts["flags"][flag]
        in_a, in_b = flag in a.flags, flag in b.flags
        found["sides"] += in_a + in_b
        if in_a != in_b and pair.sign:
            found["one_sided"] += 1
            found["preferred"] += (pair.sign > 0) == in_b


def combine(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of all pieces together, as shares with their intervals."""
    total = _no_counts()
    for part in parts:
        total["n"] += part["n"]
        total["flagged"] += part["flagged"]
        for flag in FLAGS:
            for name, count in part["flags"][flag].items():
                total["flags"][flag][name] += count
    n = total["n"]
    return {
        "n": n,
        "flagged": _share(total["flagged"], n),
        "flagged_rows": total["flagged"],
        "flags": [
            {
                "flag": flag,
                "sides": found["sides"],
                "share": _share(found["sides"], 2 * n),
                "preferred": _share(found["preferred"], found["one_sided"]),
            }
            for flag, found in total["flags"].items()
        ],
    }


def _share(hits: int, n: int) -> dict[str, Any]:
    from workers.engine.heads.bradley_terry import wilson

    return {"share": hits / n if n else None, "interval": wilson(hits, n), "n": n}
