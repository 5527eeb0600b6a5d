"""Comparisons with their texts and base labels, in pieces or whole; signals and scores come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from curation.handoff.order import campaign_to_order, write_order
from curation.handoff.pairs import PairRow, Range, ranges, read_pairs
from curation.handoff.scores import write_scores
from curation.handoff.signals import write_signals
from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.feeds._base import CannotRun, WrongOutcome
from workers.feeds.people import named
from workers.methods._base import Method, Outcome, Pair

# About ten seconds of embedding on two cores: what a killed worker has to do again at most.
SHARD_SIZE = 512
# A comparison costs far less to fit than to embed; so that the bar moves evenly.
FIT_WEIGHT = 20


def drafts(run: Run, method: Method, params: Any) -> list[Draft]:
    """Embedding in pieces first, then one fit per scope; or independent pieces for a `map` method."""
    pieces = ranges(run.project, size=SHARD_SIZE)
    if not pieces:
        raise CannotRun("The project has no comparisons yet; import some first.")
    if getattr(params, "campaign", 0):
        campaign_to_order(run, params.campaign)
    found = []
    if method.SHAPE == "map" or hasattr(method, "prepare"):
        found = [Draft(scope=_scope(piece), items=piece.items) for piece in pieces]
    if method.SHAPE == "whole":
        found += [
            Draft(stage=1, scope=_scope(whole), items=max(1, whole.items // FIT_WEIGHT))
            for whole in _wholes(pieces, method.SCOPE)
        ]
    return found


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


def read(run: Run, shard: Shard) -> list[Pair]:
    scope = shard.scope
    rows = read_pairs(run.project, source_id=scope["source"], after=scope["after"], until=scope["until"])
    return [_pair(row) for row in rows]


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


def check(method: Method, records: Sequence[Pair], outcome: Outcome) -> None:
    if "signals" not in method.YIELDS:
        return
    said = sorted(signal.pair_id for signal in outcome.signals)
    if said != [pair.id for pair in records]:
        raise WrongOutcome(f"{method.LABEL} gave {len(said)} signals for {len(records)} comparisons.")


def write(run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]:
    if outcome.signals:
        write_signals(run_id=run.id, rows=((s.pair_id, s.value, s.fields) for s in outcome.signals))
    if outcome.scores:
        write_scores(run_id=run.id, rows=((s.response_id, s.name, s.value) for s in outcome.scores))
    ordered = _ordered(run, outcome)
    people = {"people": named(outcome.result["people"])} if "people" in outcome.result else {}
    return outcome.result | people | ordered


def _ordered(run: Run, outcome: Outcome) -> dict[str, Any]:
    """Last of all that is written, so that whoever claims meanwhile waits as short as can be."""
    campaign = run.params.get("campaign", 0)
    if not campaign or not outcome.order:
        return {}
    return {"campaign": campaign, "reordered": write_order(run, campaign, outcome.order)}


def about(params: Any) -> dict[str, Any]:
    """Which weights spoke; another revision of the same name is another method."""
    if not hasattr(params, "model"):
        return {}
    from workers.engine.texts.embeddings import revisions_of

    found: dict[str, Any] = {"model": {"name": params.model, "sha256": revisions_of(params.model)}}
    if getattr(params, "reward_models", ""):
        from workers.engine.rewards.voters import revisions

        found["reward_models"] = [{"name": one.name, "sha256": one.weights} for one in revisions(params.reward_models)]
    return found
