"""Method runs: how they are divided, fed through the handoff, and written back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from accounts.problems import NotFound
from corpus.models import Source
from curation.audits.noise import noise_of
from curation.handoff.model_servers import read_model_servers
from curation.handoff.told import came_unlabelled, open_tasks, read_checks, read_told
from curation.handoff.votes import read_votes_of_project
from curation.handoff.wordings import read_wording
from curation.parameters import checked
from ledger.execute import Job
from ledger.models import Run, Shard
from ledger.reporter import Reporter
from ledger.shards import Draft
from workers.discover import methods, schema_of
from workers.engine.bench import Bench, Unworkable, Words
from workers.engine.models.allowed import Server, Servers
from workers.engine.models.open import Where, check_usable, told_of
from workers.feeds import Feed, feed_of
from workers.feeds._base import CannotRun
from workers.methods._base import Method, Outcome


def job_of(run: Run) -> Job:
    method = methods().get(run.method)
    if method is None:
        raise CannotRun(f"This worker has no method {run.method!r}; it knows {', '.join(methods())}.")
    params = method.Params(**checked(schema_of(method.Params), run.params))
    feed = feed_of(method.NEEDS)
    return Job(
        plan=lambda run: plan(run, method, params, feed),
        work=lambda run, shard, reporter: work(run, shard, reporter, method, params, feed),
        conclude=lambda run: conclude(run, method, params, feed),
    )


def plan(run: Run, method: Method, params: Any, feed: Feed) -> list[Draft]:
    _sentence_if_unworkable(lambda: method.preflight(params))
    _sentence_if_unworkable(lambda: _check_models(run, method, params))
    return feed.drafts(run, method, params)


def work(
    run: Run, shard: Shard, reporter: Reporter, method: Method, params: Any, feed: Feed
) -> Callable[[], dict[str, Any]]:
    records = feed.read(run, shard)
    reporter.check_cancelled()
    bench = _bench(run, shard, reporter)
    if method.SHAPE == "whole" and shard.stage == 0:
        prepare = method.prepare  # type: ignore[attr-defined]  # optional in the contract
        _sentence_if_unworkable(lambda: prepare(records, params, bench))
        return dict
    found: list[Outcome] = []
    _sentence_if_unworkable(lambda: found.append(method.run(records, params, bench)))
    outcome = found[0]
    feed.check(method, records, outcome)
    return lambda: feed.write(run, shard, outcome)


def conclude(run: Run, method: Method, params: Any, feed: Feed) -> dict[str, Any]:
    """What the run found: per source where it was fitted per source."""
    shards = list(run.shards.order_by("stage", "position"))
    if method.SHAPE == "map":
        combine = getattr(method, "combine", None)
        result = combine([shard.result for shard in shards]) if combine else {}
    elif method.SCOPE == "source":
        names = dict(Source.objects.filter(project=run.project).values_list("id", "name"))
        sources = {
            str(shard.scope["source"]): {"name": names.get(shard.scope["source"], "")} | shard.result
            for shard in shards
            if shard.stage == 1
        }
        combine = getattr(method, "combine", None)
        result = combine(sources) if combine else {"sources": sources}
    else:
        result = next((shard.result for shard in shards if shard.stage == 1), {})
    return result | _about(method, params, feed) | _told_of_models(run, method, params)


def where(run: Run) -> Where:
    """Where models of this project may lie: the list of servers is read anew each time."""
    listed = tuple(Server(each.url, each.tokenizer) for each in read_model_servers(run.project))
    servers = Servers(listed, settings.WINNOW_PRIVATE_MODEL_SERVERS, settings.WINNOW_MODEL_SERVER_KEYS)
    home = settings.WINNOW_HOME
    return Where(models=home / "models", cache=home / "cache", servers=servers)


def _about(method: Method, params: Any, feed: Feed) -> dict[str, Any]:
    """A feed knows encoders; where `model` names a causal one, `models` tells it."""
    return {} if "model" in getattr(method, "MODELS", ()) else feed.about(params)


def _models_of(method: Method, params: Any) -> dict[str, str]:
    """Causal models that the parameters name, by parameter."""
    named = {name: getattr(params, name) for name in getattr(method, "MODELS", ())}
    return {name: model for name, model in named.items() if model}


def _check_models(run: Run, method: Method, params: Any) -> None:
    for name, model in _models_of(method, params).items():
        check_usable(model, where(run), to_write=name in getattr(method, "WRITES", ()))


def _told_of_models(run: Run, method: Method, params: Any) -> dict[str, Any]:
    """Which weights spoke."""
    models = _models_of(method, params)
    return {"models": {name: told_of(model, where(run)) for name, model in models.items()}} if models else {}


def _bench(run: Run, shard: Shard, reporter: Reporter) -> Bench:
    def progress(done: int, total: int | None = None, stage: str = "") -> None:
        reporter.progress(shard.items * done // total if total else 0, None, stage)

    place = where(run)
    return Bench(
        cache=settings.WINNOW_HOME / "cache",
        models=place.models,
        servers=place.servers,
        progress=progress,
        check_cancelled=reporter.check_cancelled,
        votes=lambda: read_votes_of_project(run.project),
        label_noise=lambda: _label_noise(run),
        signals=lambda name: read_told(run.project, name),
        checks=lambda: read_checks(run.project),
        came_unlabelled=lambda: came_unlabelled(run.project),
        open_tasks=lambda campaign: open_tasks(run.project, campaign),
        wording=lambda kind, version: _words(run, kind, version),
        sources=dict(Source.objects.filter(project=run.project).values_list("id", "name")),
    )


def _words(run: Run, kind: str, version: int) -> Words:
    try:
        return read_wording(run.project, kind, version, as_of=run.created_at)
    except NotFound as problem:
        raise Unworkable(problem.message) from problem


def _label_noise(run: Run) -> tuple[float, int] | None:
    sampled = noise_of(run.project).sampled
    return None if sampled.value is None else (sampled.value, sampled.n)


def _sentence_if_unworkable(step: Callable[[], object]) -> None:
    try:
        step()
    except Unworkable as reason:
        raise CannotRun(str(reason)) from reason
