"""What a person needs beside a pair to judge what a rule says of it: the other comparison, the benchmark's prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from corpus.models import Comparison, Prompt
from curation.audits.claims import Row, claim_of_audit, claim_words, fires, leaves, words_of_row
from curation.models import Audit, AuditItem, Signal
from curation.rules import Compare, Condition
from ledger.models import Run

# Of a large group of duplicates, as many are looked through for the nearest.
MOST_OF_GROUP = 50
DEFAULT_COSINE = 0.9
Words = frozenset[str]


@dataclass(frozen=True)
class Other:
    """The comparison that a row is said to repeat, its responses in the order that fits those shown."""

    number: int
    prompt: Prompt
    first: str
    second: str


@dataclass(frozen=True)
class Benchmark:
    """As far as the signal names it: the text of a prompt of this project, not that of a line in a worker's file."""

    name: str
    text: str | None


@dataclass(frozen=True)
class Claimed:
    """The rule's claim about one row."""

    words: str
    other: Other | None
    benchmarks: list[Benchmark]


def claimed(audit: Audit, item: AuditItem) -> Claimed:
    claim = claim_of_audit(audit)
    if claim is None:
        return Claimed(claim_words(claim), None, [])
    runs = {method: run for method, run in audit.runs.items() if run is not None}
    found = Signal.objects.filter(run__in=runs.values(), comparison=item.comparison_id).select_related("run")
    signals = {signal.run.method: signal for signal in found}
    row = Row(item, {method: signal.fields for method, signal in signals.items()})
    other = _other(claim, row, signals.get("near_duplicates"))
    row = Row(item, row.signals, other.pk if other else None)
    return Claimed(
        words_of_row(claim, row),
        _as_shown(item, other) if other else None,
        _benchmarks(claim, row, signals.get("contamination")),
    )


def _asked_of(claim: Condition, row: Row, method: str) -> list[Compare]:
    return [leaf for leaf in leaves(claim) if leaf.field.startswith(f"{method}.") and fires(leaf, row)]


def _other(claim: Condition, row: Row, signal: Signal | None) -> Comparison | None:
    """The first of the group, which a rule on duplicates leaves; else the most alike of the group."""
    asked = [leaf.field.partition(".")[2] for leaf in _asked_of(claim, row, "near_duplicates")]
    if signal is None or not asked:
        return None
    texts = ("prompt", "response_a", "response_b")
    here = Comparison.objects.filter(project=row.item.comparison.project_id).select_related(*texts)
    if "is_duplicate" in asked:
        return here.filter(pk=signal.fields.get("group")).first()
    group = Signal.objects.filter(run=signal.run_id, fields__group=signal.fields.get("group"))
    if {"near_exact", "overlap"} & set(asked):
        group = group.filter(fields__near_exact=True)
    numbers = group.exclude(comparison=row.item.comparison_id).order_by("comparison").values("comparison")
    own = _words(row.item.comparison)
    found = list(here.filter(pk__in=list(numbers.values_list("comparison", flat=True)[:MOST_OF_GROUP])))
    return max(found, key=lambda other: (_alike(own, _words(other)), -other.pk), default=None)


def _as_shown(item: AuditItem, other: Comparison) -> Other:
    row = item.comparison
    shown = [row.response_b, row.response_a] if item.is_b_first else [row.response_a, row.response_b]
    first, second = (_split(response.content) for response in shown)
    a, b = _split(other.response_a.content), _split(other.response_b.content)
    is_crossed = _alike(first, b) + _alike(second, a) > _alike(first, a) + _alike(second, b)
    sides = [other.response_a.content, other.response_b.content]
    if is_crossed:
        sides.reverse()
    return Other(other.pk, other.prompt, sides[0], sides[1])


def _words(row: Comparison) -> Words:
    said = " ".join(str(turn.get("content") or "") for turn in row.prompt.messages)
    return _split(f"{said} {row.response_a.content} {row.response_b.content}")


def _split(text: str) -> Words:
    return frozenset(text.casefold().split())


def _alike(one: Words, other: Words) -> float:
    return len(one & other) / max(len(one | other), 1)


def _benchmarks(claim: Condition, row: Row, signal: Signal | None) -> list[Benchmark]:
    asked = {leaf.field.partition(".")[2] for leaf in _asked_of(claim, row, "contamination")}
    if signal is None or not asked:
        return []
    said = signal.fields
    names = []
    if asked & {"contaminated", "overlap"} and said.get("overlap"):
        names.append(said.get("benchmark"))
    reached = (said.get("cosine") or 0.0) >= signal.run.params.get("threshold", DEFAULT_COSINE)
    if "cosine" in asked or ("contaminated" in asked and reached):
        names.append(said.get("nearest"))
    project = row.item.comparison.project_id
    return [_benchmark(name, signal.run, project) for name in dict.fromkeys(names) if isinstance(name, str)]


def _benchmark(name: str, run: Run, project: int) -> Benchmark:
    number = re.fullmatch(r"prompt (\d{1,18})", name)
    if number is None:
        file = PurePath(str(run.params.get("file") or "")).name
        return Benchmark(f"{name} of {file}" if file else name, None)
    prompt = Prompt.objects.filter(project=project, pk=int(number[1])).first()
    return Benchmark(name, _last_turn(prompt) if prompt else None)


def _last_turn(prompt: Prompt) -> str:
    """What the method compares by meaning."""
    users = [turn for turn in prompt.messages if turn.get("role") == "user"]
    last = (users or prompt.messages or [{}])[-1]
    return str(last.get("content") or "")
