"""Gain reports: the newest of a recipe's version, what a release keeps of it, and what a new one would cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Project
from curation.fields import FIELDS
from curation.method_cost import cost_of
from curation.models import Recipe
from curation.rules import parse
from ledger import catalogue
from ledger.models import FINISHED_STATES, Run, RunKind, State

METHOD = "gain"
# Methods that are fitted again in every fold, and what a comparison then costs on two cores, in seconds.
FITTED_AGAIN = frozenset({"model_vote", "item_strength", "bias_audit", "peer_review"})
SECONDS_FITTED_AGAIN, SECONDS_TRAINED = 0.004, 0.001
DEFAULT_PASSES, DEFAULT_MOST_ROWS = 3 * 5, 20_000


def newest_report(recipe: Recipe, *, as_of: datetime | None = None) -> Run | None:
    """Of this very version."""
    done = _runs(recipe.project).filter(state=State.DONE, result__recipe__id=recipe.pk)
    if as_of is not None:
        done = done.filter(finished_at__lte=as_of)
    return done.order_by("-id").first()


def unfinished(recipe: Recipe) -> Run | None:
    """A run under way for this version, or for the newest one where this is it."""
    is_newest = not Recipe.objects.filter(project=recipe.project, name=recipe.name, version__gt=recipe.version).exists()
    asked = Q(params__version=recipe.version) | (Q(params__version=0) if is_newest else Q(pk=None))
    waiting = _runs(recipe.project).exclude(state__in=FINISHED_STATES)
    return waiting.filter(asked, params__recipe=recipe.name).order_by("-id").first()


def last_failed(recipe: Recipe, since: Run | None) -> Run | None:
    """A run for this version that failed after the report was made."""
    failed = _runs(recipe.project).filter(
        state=State.FAILED, params__recipe=recipe.name, params__version=recipe.version, pk__gt=since.pk if since else 0
    )
    return failed.order_by("-id").first()


def _runs(project: Project) -> QuerySet[Run]:
    return Run.objects.filter(project=project, kind=RunKind.METHOD, method=METHOD)


def document_of(run: Run) -> dict[str, Any]:
    """What a release keeps: figures, sizes, and what they were measured with."""
    result = run.result
    return {
        "run": run.pk,
        "code_version": run.code_version,
        "params": run.params,
        "signals": result.get("runs", {}),
        "overall": result["overall"],
        "sources": [{"source": int(key), **source} for key, source in sorted(result["sources"].items(), key=_by_name)],
    }


def _by_name(item: tuple[str, Mapping[str, Any]]) -> tuple[str, int]:
    return str(item[1].get("name", "")), int(item[0])


def kept_with(recipe: Recipe, *, as_of: datetime, runs: Mapping[str, Run]) -> dict[str, Any] | None:
    """For a release: the newest report of its recipe at that moment; None where nobody measured."""
    report = newest_report(recipe, as_of=as_of)
    return None if report is None else {**document_of(report), "older_signals": older_signals(recipe, report, runs)}


def older_signals(recipe: Recipe, report: Run, runs: Mapping[str, Run]) -> list[str]:
    """Methods that the recipe reads and that have run again since the report."""
    read = report.result.get("runs", {})
    return [name for name in methods_read(recipe) if name in runs and read.get(name) != runs[name].pk]


def methods_read(recipe: Recipe) -> list[str]:
    asked = parse(recipe.document).asked
    return sorted({str(FIELDS[name].method) for name in asked if name in FIELDS and FIELDS[name].method})


def seconds_of(recipe: Recipe) -> float | None:
    """With the parameters as they come; a guess that holds on two cores within a factor of two. None where no worker
    offers it."""
    entry = catalogue.entry(METHOD)
    if entry is None:
        return None
    cost = cost_of(recipe.project, entry)
    a_row = SECONDS_TRAINED + SECONDS_FITTED_AGAIN * len(FITTED_AGAIN & set(methods_read(recipe)))
    return cost.seconds + DEFAULT_PASSES * min(cost.comparisons, DEFAULT_MOST_ROWS) * a_row
