"""Prompts in pieces; candidates come back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from corpus.add import NewResponse
from curation.handoff.prompts import prompts_to_answer, read_prompts, write_candidates
from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.feeds._base import CannotRun, WrongOutcome
from workers.methods._base import Method, Outcome, Prompt

# Writing is slow: half a minute of a small model on two cores with eight candidates of a hundred tokens.
SHARD_SIZE = 16


def drafts(run: Run, method: Method, params: Any) -> list[Draft]:
    """Independent pieces; which prompts is settled here."""
    prompts = prompts_to_answer(run.project, source=params.source, limit=params.prompts, seed=params.seed)
    if not prompts:
        raise CannotRun("There are no prompts to answer; import some first.")
    pieces = [prompts[start : start + SHARD_SIZE] for start in range(0, len(prompts), SHARD_SIZE)]
    return [Draft(scope={"prompts": piece}, items=len(piece)) for piece in pieces]


def read(run: Run, shard: Shard) -> list[Prompt]:
    return [Prompt(row.id, row.messages) for row in read_prompts(run.project, shard.scope["prompts"])]


def check(method: Method, records: list[Prompt], outcome: Outcome) -> None:
    strangers = {one.prompt_id for one in outcome.candidates} - {prompt.id for prompt in records}
    if strangers:
        raise WrongOutcome(f"{method.LABEL} wrote for {len(strangers)} prompts that it was not given.")


def write(run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]:
    copies = Counter((one.prompt_id, one.text, one.generator) for one in outcome.candidates)
    ended = Counter((one.prompt_id, one.text, one.generator) for one in outcome.candidates if one.ended)
    rows = [(NewResponse(*key), count, ended[key]) for key, count in copies.items()]
    new = write_candidates(run, rows).new if rows else 0
    return outcome.result | {"new": new, "repeated": len(outcome.candidates) - new}


def about(params: Any) -> dict[str, Any]:
    return {}
