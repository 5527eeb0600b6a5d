"""A few comparisons that show what a run found, or texts that it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.functions import Sign

from corpus.models import Prompt
from curation.handoff.prompts import COPIES
from curation.models import Score, Signal
from ledger.models import Run, RunKind, State

SHOWN = 4
WRITING = "sample_responses"
# Methods whose number has no side: the largest are shown, under this title.
UNSIGNED = {
    "near_duplicates": "Nearest duplicates",
    "cycles": "Labels most at odds with others of the prompt",
    "contamination": "Most like a benchmark prompt",
    "next_to_annotate": "Where a minute is worth most",
}
# Here the smallest are shown.
LEAST = {"peer_review": "Labels that are kept least often"}
# What a large and a small number mean where it is not what models prefer.
TITLES = {
    "density_ratio": ("Most toward response B", "Most toward response A", "Scores most against the label"),
    "follow_up": ("Most toward response B", "Most toward response A", "Scores most against the label"),
    "degenerate": ("Response A has more flags", "Response B has more flags", "The preferred one has more flags"),
    "bias_audit": ("Form speaks for response B", "Form speaks for response A", "Form speaks most against the label"),
}
VOTES = ("Most toward response B", "Most toward response A", "Votes most against the label")


@dataclass(frozen=True)
class Example:
    comparison_id: int
    source: str
    question: str
    value: float
    fields: dict[str, Any]

    @property
    def reason(self) -> str:
        """Why it stands where it stands, where the method says so."""
        return str(self.fields.get("reason") or "")


@dataclass(frozen=True)
class Answers:
    """What a run wrote for one prompt: (text, how often)."""

    prompt: Prompt
    texts: list[tuple[str, int]]


@dataclass(frozen=True)
class ExampleGroup:
    title: str
    examples: list[Example]


def examples_of(run: Run) -> list[ExampleGroup]:
    """The outermost rows at both ends of the method's number."""
    if run.kind != RunKind.METHOD or run.state != State.DONE:
        return []
    signals = Signal.objects.filter(run=run, value__isnull=False).select_related(
        "comparison__source", "comparison__prompt"
    )
    if run.method in UNSIGNED:
        found = [
            ExampleGroup(UNSIGNED[run.method], _rows(signals.filter(value__gt=0).order_by("-value", "comparison_id")))
        ]
    elif run.method in LEAST:
        found = [ExampleGroup(LEAST[run.method], _rows(signals.order_by("value", "comparison_id")))]
    else:
        toward_b, toward_a, against = TITLES.get(run.method, VOTES)
        found = [
            ExampleGroup(toward_b, _rows(signals.filter(value__gt=0).order_by("-value", "comparison_id"))),
            ExampleGroup(toward_a, _rows(signals.filter(value__lt=0).order_by("value", "comparison_id"))),
            ExampleGroup(against, _rows(_against(signals))),
        ]
    return [group for group in found if group.examples]


def answers_of(run: Run) -> list[Answers]:
    """Candidates for the first prompts of a run that wrote some."""
    if run.method != WRITING or run.state != State.DONE:
        return []
    written = Score.objects.filter(run=run, name=COPIES)
    prompts = written.order_by("response__prompt_id").values_list("response__prompt_id", flat=True).distinct()[:SHOWN]
    rows = written.filter(response__prompt_id__in=list(prompts)).select_related("response__prompt")
    found: dict[int, Answers] = {}
    for row in rows.order_by("response__prompt_id", "response_id"):
        prompt = row.response.prompt
        found.setdefault(prompt.pk, Answers(prompt, [])).texts.append((row.response.content, int(row.value)))
    return list(found.values())


def _against(signals: QuerySet[Signal]) -> QuerySet[Signal]:
    """By the imported label: the page of comparisons knows those in force."""
    toward = signals.annotate(strength=Sign("comparison__label") * F("value"))
    return toward.filter(strength__lt=0).order_by("strength", "comparison_id")


def _rows(signals: QuerySet[Signal]) -> list[Example]:
    return [
        Example(
            comparison_id=signal.comparison_id,
            source=signal.comparison.source.name,
            question=_last_turn(signal.comparison.prompt.messages),
            value=signal.value or 0.0,
            fields=signal.fields,
        )
        for signal in signals[:SHOWN]
    ]


def _last_turn(messages: list[dict[str, Any]]) -> str:
    return str(messages[-1].get("content") or "") if messages else ""
