"""Prompts with the candidates that a run wrote for them, in pieces; comparisons without a label come back."""

from __future__ import annotations

from typing import Any

from corpus.add import NewComparison, add_comparisons
from curation.handoff.prompts import prompts_with_candidates, read_candidates, sampling_run
from curation.handoff.scores import write_scores
from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.feeds._base import CannotRun, WrongOutcome
from workers.methods._base import Candidates, Method, Outcome

SHARD_SIZE = 64
# What the column of a source's name holds.
NAME_LENGTH = 120


def drafts(run: Run, method: Method, params: Any) -> list[Draft]:
    """Independent pieces; whose candidates is settled here."""
    wrote = sampling_run(run.project, params.run)
    prompts = prompts_with_candidates(wrote)
    if not prompts:
        raise CannotRun(f"Run {wrote.pk} wrote no prompt two different texts, so there is nothing to choose from.")
    pieces = [prompts[start : start + SHARD_SIZE] for start in range(0, len(prompts), SHARD_SIZE)]
    return [Draft(scope={"prompts": piece, "run": wrote.pk}, items=len(piece)) for piece in pieces]


def read(run: Run, shard: Shard) -> list[Candidates]:
    rows = read_candidates(run.project, shard.scope["run"], shard.scope["prompts"])
    return [Candidates(row.id, row.messages, row.responses) for row in rows]


def check(method: Method, records: list[Candidates], outcome: Outcome) -> None:
    known = {one.id: {response for response, *_ in one.responses} for one in records}
    for couple in outcome.couples:
        if not {couple.one_id, couple.other_id} <= known.get(couple.prompt_id, set()):
            raise WrongOutcome(f"{method.LABEL} paired responses of prompt {couple.prompt_id} that are not its own.")


def write(run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]:
    wrote = Run.objects.get(pk=shard.scope["run"])
    name = source_name(outcome.result.get("scored_by", run.method), wrote)
    rows = [
        NewComparison(one.prompt_id, one.one_id, one.other_id, one.metadata | {"sampled_by": wrote.pk})
        for one in outcome.couples
    ]
    new = add_comparisons(run.project_id, name, rows)
    if outcome.scores:
        write_scores(run_id=run.pk, rows=((one.response_id, one.name, one.value) for one in outcome.scores))
    return outcome.result | {"source": name, "candidates_of": wrote.pk, "new": new, "known": len(rows) - new}


def source_name(scored_by: str, wrote: Run) -> str:
    """Of the comparisons made of one run's candidates by one scorer: the same again goes to the same place."""
    author = str(wrote.result.get("author") or wrote.params.get("model", ""))
    return f"candidates of run {wrote.pk} ({author.partition('@')[0]}), {scored_by}"[:NAME_LENGTH]


def about(params: Any) -> dict[str, Any]:
    return {}
