"""Method runs: how they are divided, fed through the handoff, and written back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings

from accounts.problems import Invalid
from corpus.models import Source
from curation.handoff.pairs import PairRow, Range, ranges, read_pairs
from curation.handoff.scores import write_scores
from curation.handoff.signals import write_signals
from curation.parameters import checked
from ledger.execute import Job
from ledger.models import Run, Shard
from ledger.reporter import Reporter
from ledger.shards import Draft
from workers.discover import methods, schema_of
from workers.engine.bench import Bench, Unworkable
from workers.methods._base import Method, Outcome, Pair

# About ten seconds of embedding on two cores: what a killed worker has to do again at most.
SHARD_SIZE = 512
# A comparison costs far less to fit than to embed; so that the bar moves evenly.
FIT_WEIGHT = 20


class CannotRun(Invalid):
    code = "cannot_run"


class WrongSignals(Exception):
    """A method broke its contract."""


def job_of(run: Run) -> Job:
    method = methods().get(run.method)
    if method is None:
        raise CannotRun(f"This worker has no method {run.method!r}; it knows {', '.join(methods())}.")
    params = method.Params(**checked(schema_of(method.Params), run.params))
    return Job(
        plan=lambda run: plan(run, method, params),
        work=lambda run, shard, reporter: work(run, shard, reporter, method, params),
        conclude=lambda run: conclude(run, method, params),
    )


def plan(run: Run, method: Method, params: Any) -> list[Draft]:
    """Embedding in pieces first, then one fit per scope; or independent pieces for a `map` method."""
    _sentence_if_unworkable(lambda: method.preflight(params))
    pieces = ranges(run.project, size=SHARD_SIZE)
    if not pieces:
        raise CannotRun("The project has no comparisons yet; import some first.")
    drafts = []
    if method.SHAPE == "map" or hasattr(method, "prepare"):
        drafts = [Draft(scope=_scope(piece), items=piece.items) for piece in pieces]
    if method.SHAPE == "whole":
        drafts += [
            Draft(stage=1, scope=_scope(whole), items=max(1, whole.items // FIT_WEIGHT))
            for whole in _wholes(pieces, method.SCOPE)
        ]
    return drafts


def _wholes(pieces: Sequence[Range], scope: str) -> list[Range]:
    by_scope: dict[int | None, list[Range]] = {}
    for piece in pieces:
        by_scope.setdefault(piece.source_id if scope == "source" else None, []).append(piece)
    return [
        Range(source, 0, max(piece.until for piece in some), sum(piece.items for piece in some))
        for source, some in by_scope.items()
    ]


def _scope(piece: Range) -> dict[str, Any]:
    return {"source": piece.source_id, "after": piece.after, "until": piece.until}


def work(run: Run, shard: Shard, reporter: Reporter, method: Method, params: Any) -> Callable[[], dict[str, Any]]:
    pairs = [_pair(row) for row in _rows(run, shard)]
    reporter.check_cancelled()
    bench = _bench(shard, reporter)
    if method.SHAPE == "whole" and shard.stage == 0:
        prepare = method.prepare  # type: ignore[attr-defined]  # optional in the contract
        _sentence_if_unworkable(lambda: prepare(pairs, params, bench))
        return dict
    found: list[Outcome] = []
    _sentence_if_unworkable(lambda: found.append(method.run(pairs, params, bench)))
    outcome = found[0]
    _check(method, pairs, outcome)
    return lambda: _write(run, outcome)


def conclude(run: Run, method: Method, params: Any) -> dict[str, Any]:
    """What the run found: per source where it was fitted per source."""
    shards = list(run.shards.order_by("stage", "position"))
    if method.SHAPE == "map":
        combine = getattr(method, "combine", None)
        result = combine([shard.result for shard in shards]) if combine else {}
    elif method.SCOPE == "source":
        names = dict(Source.objects.filter(project=run.project).values_list("id", "name"))
        result = {
            "sources": {
                str(shard.scope["source"]): {"name": names.get(shard.scope["source"], "")} | shard.result
                for shard in shards
                if shard.stage == 1
            }
        }
    else:
        result = next((shard.result for shard in shards if shard.stage == 1), {})
    return result | _model_used(params)


def _model_used(params: Any) -> dict[str, Any]:
    """Which weights spoke; another revision of the same name is another method."""
    if not hasattr(params, "model"):
        return {}
    from workers.engine.embeddings import model_folder, revision

    return {"model": {"name": params.model, "sha256": revision(model_folder(params.model))}}


def _rows(run: Run, shard: Shard) -> Iterable[PairRow]:
    scope = shard.scope
    return read_pairs(run.project, source_id=scope["source"], after=scope["after"], until=scope["until"])


def _pair(row: PairRow) -> Pair:
    return Pair(
        id=row.id,
        source=row.source_id,
        prompt_id=row.prompt_id,
        messages=row.messages,
        a_id=row.a_id,
        a=row.a,
        b_id=row.b_id,
        b=row.b,
        label=row.label,
    )


def _bench(shard: Shard, reporter: Reporter) -> Bench:
    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        reporter.progress(shard.items * done // total if total else 0, None, stage)

    return Bench(cache=settings.WINNOW_HOME / "cache", progress=progress, check_cancelled=reporter.check_cancelled)


def _check(method: Method, pairs: Sequence[Pair], outcome: Outcome) -> None:
    if "signals" not in method.YIELDS:
        return
    said = sorted(signal.pair_id for signal in outcome.signals)
    if said != [pair.id for pair in pairs]:
        raise WrongSignals(f"{method.LABEL} gave {len(said)} signals for {len(pairs)} comparisons.")


def _write(run: Run, outcome: Outcome) -> dict[str, Any]:
    if outcome.signals:
        write_signals(run_id=run.id, rows=((s.pair_id, s.value, s.fields) for s in outcome.signals))
    if outcome.scores:
        write_scores(run_id=run.id, rows=((s.response_id, s.name, s.value) for s in outcome.scores))
    return outcome.result


def _sentence_if_unworkable(step: Callable[[], object]) -> None:
    try:
        step()
    except Unworkable as reason:
        raise CannotRun(str(reason)) from reason
