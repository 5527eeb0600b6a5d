"""Reading where rows came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.models import Project
from corpus.models import Comparison, Source, SourceFile


@dataclass(frozen=True)
class Balance:
    """Imported labels of a source; a and b are told apart by hash, so a lean to one of them is chance or a fault."""

    rows: int = 0
    response_a: int = 0
    tie: int = 0
    response_b: int = 0
    unlabelled: int = 0
    contradicted: int = 0


@dataclass(frozen=True)
class SourceRow:
    source: Source
    files: list[SourceFile]
    labels: Balance


def sources_of(project: Project) -> list[SourceRow]:
    """In the order of their names."""
    sources = Source.objects.filter(project=project).prefetch_related("files").order_by("name")
    balances = {row.pop("source"): Balance(**row) for row in _balances(project)}
    return [
        SourceRow(source, sorted(source.files.all(), key=lambda file: file.id), balances.get(source.id, Balance()))
        for source in sources
    ]


def _balances(project: Project) -> list[dict[str, Any]]:
    is_contradicted = Q(labels__len__gt=1)
    rows = (
        Comparison.objects.filter(project=project)
        .order_by()
        .values("source")
        .annotate(
            rows=Count("id"),
            response_a=Count("id", filter=Q(label__lt=0)),
            tie=Count("id", filter=Q(label=0)),
            response_b=Count("id", filter=Q(label__gt=0)),
            contradicted=Count("id", filter=is_contradicted),
            unlabelled=Count("id", filter=Q(label=None) & ~is_contradicted),
        )
    )
    return [{**row} for row in rows]
