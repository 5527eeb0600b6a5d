"""Comparisons with votes and people's answers, small enough to check by eye."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Project, User
from annotation.models import Assignment, AssignmentState, Campaign, Consensus, Judgment, Task
from corpus.models import Comparison, Prompt, Response, Source
from curation.models import Action, Decision, DecisionBatch, Signal
from ledger.models import Run, RunKind, State

MakeComparison = Callable[..., Comparison]
MakeRun = Callable[..., Run]
Vote = Callable[..., Signal]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def source(project: Project) -> Source:
    return Source.objects.create(project=project, name="helpful", format="generic", licence="MIT")


@pytest.fixture
def make_comparison(project: Project, source: Source) -> MakeComparison:
    """A comparison with its own prompt; `labels` of two values is a contradicted one."""
    count = 0

    def make(label: int | None = -1, *, labels: list[int] | None = None, **fields: Any) -> Comparison:
        nonlocal count
        count += 1
        given = labels if labels is not None else ([] if label is None else [label])
        question = fields.pop("question", f"Question {count}?")
        content_a = fields.pop("content_a", f"Answer a to {count}")
        content_b = fields.pop("content_b", f"Answer b to {count}")
        prompt = Prompt.objects.create(
            project=project, messages=[{"role": "user", "content": question}], content_hash=_hash(f"{count}{question}")
        )
        response_a, response_b = (
            Response.objects.create(prompt=prompt, content=text, content_hash=_hash(f"{side}{text}"))
            for side, text in (("a", content_a), ("b", content_b))
        )
        values = {"source": source, "row_number": count, "external_id": f"row-{count}", **fields}
        return Comparison.objects.create(
            project=project,
            prompt=prompt,
            response_a=response_a,
            response_b=response_b,
            labels=given,
            label=given[0] if len(given) == 1 else None,
            **values,
        )

    return make


@pytest.fixture
def comparison(make_comparison: MakeComparison) -> Comparison:
    """Its imported label says that a is better."""
    return make_comparison(-2)


@pytest.fixture
def make_run(project: Project) -> MakeRun:
    def make(method: str = "model_vote", *, state: State = State.DONE, **fields: Any) -> Run:
        return Run.objects.create(
            project=project,
            kind=RunKind.METHOD,
            method=method,
            queue="cpu",
            state=state,
            finished_at=timezone.now(),
            **fields,
        )

    return make


@pytest.fixture
def vote_run(make_run: MakeRun, source: Source) -> Run:
    return make_run(result={"sources": {str(source.pk): {"rms_margin": 1.0, "strong_cut": 2.0}}})


@pytest.fixture
def vote(vote_run: Run) -> Vote:
    """What ten heads say: positive = b is better."""

    def say(comparison: Comparison, mean: float, *, share_b: float | None = None, spread: float = 0.5) -> Signal:
        share = (1.0 if mean > 0 else 0.0) if share_b is None else share_b
        fields = {"mean": mean, "spread": spread, "share_b": share, "n": 10, "length_mean": 0.1}
        return Signal.objects.create(run=vote_run, comparison=comparison, value=mean, fields=fields)

    return say


@pytest.fixture
def campaign(project: Project, owner: User) -> Campaign:
    return Campaign.objects.create(project=project, name="First look", kind="pairwise", overlap=3, created_by=owner)


@pytest.fixture
def agree(campaign: Campaign) -> Callable[..., Consensus]:
    """What people say together of a comparison."""

    def say(
        comparison: Comparison, label: int | None, *, votes: int = 3, both_bad: bool = False, **fields: Any
    ) -> Consensus:
        return Consensus.objects.create(
            campaign=campaign,
            comparison=comparison,
            method="majority",
            label=label,
            is_both_bad=both_bad,
            confidence=1.0,
            votes=votes,
            **fields,
        )

    return say


class Corpus:
    """For recipes and releases: many rows in a few lines, over several sources."""

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
            content_hash=_hash(text),
            defaults={"messages": [{"role": "user", "content": text}]},
        )
        sides = [
            Response.objects.get_or_create(prompt=asked, content_hash=_hash(side), defaults={"content": side})[0]
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


@pytest.fixture
def simulated_answer(campaign: Campaign) -> Callable[..., None]:
    """What an annotator whom the sample made up says; the consensus of people stays as it is."""
    number = 0

    def answer(comparison: Comparison, choice: int) -> None:
        nonlocal number
        number += 1
        made_up = User.objects.create(email=f"simulated-{number}@winnow.example", is_simulated=True)
        task, _ = Task.objects.get_or_create(campaign=campaign, comparison=comparison, defaults={"cap": 9})
        order = [comparison.response_a_id, comparison.response_b_id]
        assignment = Assignment.objects.create(
            campaign=campaign,
            task=task,
            annotator=made_up,
            state=AssignmentState.SUBMITTED,
            order_shown=order,
            is_b_first=False,
            lease_expires_at=timezone.now(),
        )
        Judgment.objects.create(
            campaign=campaign,
            comparison=comparison,
            assignment=assignment,
            annotator=made_up,
            kind="pairwise",
            payload={"choice": choice},
            choice=choice,
            order_shown=order,
        )

    return answer
