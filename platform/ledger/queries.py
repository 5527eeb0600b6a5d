"""Reading runs: what a page or the API tells about them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from accounts import paging
from accounts.models import Project
from ledger import catalogue
from ledger.models import FINISHED_STATES, Run, RunKind, State

# As many as a phone shows without a scroll bar.
MAX_CELLS = 100
WORST_FIRST = [State.FAILED, State.CANCELLED, State.RUNNING, State.QUEUED, State.DONE]


@dataclass(frozen=True)
class Progress:
    """How far a run is; `fraction` is 0..1, null as long as the total is unknown."""

    done: int
    total: int | None
    fraction: float | None
    stage: str
    rate: float | None
    eta_seconds: float | None


def runs_of(project: Project, *, states: list[str] | None = None, kind: str = "") -> QuerySet[Run]:
    """Newest first."""
    runs = Run.objects.filter(project=project).select_related("requested_by", "project").order_by("-id")
    if states:
        runs = runs.filter(state__in=states)
    return runs.filter(kind=kind) if kind else runs


def page_of_runs(runs: QuerySet[Run], *, cursor: str | None, limit: int) -> tuple[list[Run], str | None]:
    if cursor:
        runs = runs.filter(id__lt=_last_id(cursor))
    return paging.page(list(runs[: limit + 1]), limit=limit, position=lambda run: {"id": run.id})


def _last_id(cursor: str) -> int:
    last = paging.decode(cursor).get("id")
    if not isinstance(last, int):
        raise paging.BadCursor("This cursor belongs to another list.", fields={"cursor": "not of this list"})
    return last


def progress_of(run: Run) -> Progress:
    is_done = run.state == State.DONE
    total = run.total_items
    fraction = 1.0 if is_done else min(run.done_items / total, 1.0) if total else None
    rate = _rate(run)
    eta = None
    if rate and total and run.state == State.RUNNING:
        eta = max(total - run.done_items, 0) / rate
    return Progress(done=run.done_items, total=total, fraction=fraction, stage=run.stage, rate=rate, eta_seconds=eta)


def _rate(run: Run) -> float | None:
    """Items a second since the start."""
    if run.started_at is None or not run.done_items:
        return None
    until = run.finished_at or run.heartbeat_at or timezone.now()
    seconds = (until - run.started_at).total_seconds()
    return run.done_items / seconds if seconds > 0.05 else None


def waiting_for(run: Run) -> str:
    """A sentence when nobody alive can do this run now, else empty."""
    if run.state in FINISHED_STATES:
        return ""
    if run.kind in {RunKind.METHOD, RunKind.CONSENSUS}:
        known = catalogue.entry(run.method)
        if known is None or not known.is_alive:
            return _nobody(f"that can run {run.method}", run.queue)
    elif not catalogue.is_served(run.queue):
        return _nobody(f"on the queue {run.queue}", run.queue)
    return ""


def _nobody(what: str, queue: str) -> str:
    return (
        f"No worker {what} is alive. Start one (`python manage.py up`, or "
        f"`celery -A winnow worker --pool solo --queues {queue}`); the run begins by itself then."
    )


@dataclass(frozen=True)
class Strip:
    """The shards as one row of cells: a cell is a shard, or several where there are many."""

    cells: list[str]
    counts: dict[str, int]
    total: int


def shard_strip(run: Run) -> Strip:
    """A cell shows the least finished of its shards, so that one failure among thousands is seen."""
    states = list(run.shards.order_by("stage", "position").values_list("state", flat=True))
    counts = {state: states.count(state) for state in State.values if state in states}
    per_cell = -(-len(states) // MAX_CELLS) or 1
    cells = [_worst(states[start : start + per_cell]) for start in range(0, len(states), per_cell)]
    return Strip(cells=cells, counts=counts, total=len(states))


def _worst(states: list[str]) -> str:
    return next(state for state in WORST_FIRST if state in states)
