"""What happened to a comparison, oldest first: import, judgments, votes, decisions, releases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from annotation.models import Judgment
from curation.labellers import LABELLERS
from curation.models import Decision, ReleaseRow, Signal
from curation.queries import Row
from curation.words import label_words, signed
from ledger.models import State

# Methods whose number says which side is better.
SIGNED = frozenset({"model_vote", *LABELLERS})


@dataclass(frozen=True)
class Event:
    at: datetime
    # Who speaks: person, model, rule, or the house itself.
    speaker: str
    what: str
    detail: str = ""
    run_id: int | None = None
    release: str = ""
    is_undone: bool = False
    is_simulated: bool = False


def life_of(row: Row) -> list[Event]:
    events = [*_imported(row), *_judged(row), *_voted(row), *_decided(row), *_released(row)]
    return sorted(events, key=lambda event: event.at)


def _imported(row: Row) -> Iterator[Event]:
    comparison = row.comparison
    given = " and ".join(label_words(label) for label in comparison.labels) or "no label"
    detail = f"Row {comparison.row_number:,} of {comparison.source.name}, {given}"
    contradicted = ", which contradict each other" if comparison.is_contradicted else ""
    yield Event(comparison.source.created_at, "house", "Imported", detail + contradicted)


def _judged(row: Row) -> Iterator[Event]:
    judgments = Judgment.objects.filter(comparison_id=row.id).select_related("annotator", "campaign").order_by("pk")
    for judgment in judgments:
        said = label_words(judgment.choice, "both bad" if judgment.is_both_bad else f"a {judgment.kind}")
        seconds = f", {judgment.active_seconds:.0f} s" if judgment.active_seconds is not None else ""
        yield Event(
            judgment.created_at,
            "person",
            f"{judgment.annotator} said {said}",
            f"{judgment.campaign}{seconds}",
            is_undone=judgment.superseded_by_id is not None,
            is_simulated=judgment.annotator.is_simulated,
        )


def _voted(row: Row) -> Iterator[Event]:
    signals = Signal.objects.filter(comparison_id=row.id, run__state=State.DONE).select_related("run").order_by("pk")
    for signal in signals:
        value = f"{signed(signal.value)}, positive = B better" if signal.value is not None else ""
        detail = value if signal.run.method in SIGNED else ""
        if signal.run.method in LABELLERS and signal.fields.get("flagged"):
            detail = f"{detail or 'no score'}; flagged, so nothing is labelled by it"
        at = signal.run.finished_at or signal.run.created_at
        yield Event(at, "model", f"{signal.run.method} looked at it", detail, run_id=signal.run_id)


def _decided(row: Row) -> Iterator[Event]:
    decisions = Decision.objects.filter(comparison_id=row.id).select_related("batch__author", "batch__recipe")
    for decision in decisions.order_by("pk"):
        batch = decision.batch
        label = f", {label_words(decision.label)}" if decision.label is not None else ""
        who = str(batch.author or "Somebody") if decision.is_by_hand else f"Rule {decision.rule}"
        yield Event(
            batch.created_at,
            "person" if decision.is_by_hand else "rule",
            f"{who} decided {decision.action}{label}",
            batch.reason,
            is_undone=batch.undone_at is not None or not decision.is_current,
        )


def _released(row: Row) -> Iterator[Event]:
    rows = ReleaseRow.objects.filter(comparison_id=row.id).select_related("release").order_by("pk")
    for placed in rows:
        release = placed.release
        yield Event(
            release.frozen_at or release.created_at,
            "house",
            f"In the release {release.name}",
            f"{placed.split}, {label_words(placed.label)}: {placed.reason}",
            release=release.name,
        )
