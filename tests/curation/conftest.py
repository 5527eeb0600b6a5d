"""Comparisons, votes and duplicates made straight through the models."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Project, User
from annotation.models import Campaign, Consensus
from corpus.models import Comparison, Prompt, Response, Source
from curation.models import Action, Decision, DecisionBatch, Signal
from ledger.models import Run, RunKind, State


def _sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class Corpus:
    """A few lines per comparison; `a` and `b` keep the sides they are given."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.rows = 0

    def source(self, name: str = "hh") -> Source:
        return Source.objects.get_or_create(
            project=self.project, name=name, defaults={"format": "generic", "licence": "mit"}
        )[0]

    def add(
        self,
        a: str = "yes",
        b: str = "no",
        label: int | None = -1,
        *,
        prompt: str | None = None,
        source: str = "hh",
        labels: list[int] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Comparison:
        self.rows += 1
        text = prompt or f"Question {self.rows}?"
        asked, _ = Prompt.objects.get_or_create(
            project=self.project,
            content_hash=_sha(text),
            defaults={"messages": [{"role": "user", "content": text}]},
        )
        sides = [
            Response.objects.get_or_create(prompt=asked, content_hash=_sha(side), defaults={"content": side})[0]
            for side in (a, b)
        ]
        return Comparison.objects.create(
            project=self.project,
            source=self.source(source),
            prompt=asked,
            response_a=sides[0],
            response_b=sides[1],
            label=label,
            labels=labels if labels is not None else [label] if label is not None else [],
            row_number=self.rows,
            external_id=f"row-{self.rows}",
            metadata=metadata or {},
        )

    def run(self, method: str, result: dict[str, Any] | None = None) -> Run:
        now = timezone.now()
        return Run.objects.create(
            project=self.project,
            kind=RunKind.METHOD,
            method=method,
            queue="cpu",
            state=State.DONE,
            result=result or {},
            code_version="test",
            finished_at=now,
        )

    def vote(
        self, run: Run, comparison: Comparison, mean: float, spread: float = 0.5, share_b: float | None = None
    ) -> None:
        share = share_b if share_b is not None else float(mean > 0)
        Signal.objects.create(
            run=run,
            comparison=comparison,
            value=mean,
            fields={"mean": mean, "spread": spread, "share_b": share, "n": 10, "length_mean": 0.0},
        )

    def duplicate(self, run: Run, comparison: Comparison, group: int, *, repeats: bool, exact: bool = True) -> None:
        Signal.objects.create(
            run=run,
            comparison=comparison,
            value=1.0,
            fields={"group": group, "is_duplicate": repeats, "exact": exact, "similarity": 1.0},
        )

    def consensus(self, comparison: Comparison, label: int | None, votes: int = 3) -> Consensus:
        campaign, _ = Campaign.objects.get_or_create(
            project=self.project, name="round 1", defaults={"kind": "pairwise"}
        )
        return Consensus.objects.create(
            campaign=campaign, comparison=comparison, method="majority", label=label, confidence=1.0, votes=votes
        )

    def decide(self, comparison: Comparison, action: Action, by: User | None, label: int | None = None) -> Decision:
        batch = DecisionBatch.objects.create(project=self.project, author=by, reason="looked at it")
        return Decision.objects.create(
            batch=batch, comparison=comparison, action=action, is_by_hand=by is not None, label=label
        )


@pytest.fixture
def corpus(project: Project) -> Corpus:
    return Corpus(project)
