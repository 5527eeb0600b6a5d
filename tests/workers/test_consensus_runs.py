"""A fit from its row to the consensus: votes in the database, a run, and what the campaign says then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from accounts.models import Project, User
from annotation.consensus import fitted
from annotation.models import AnnotatorReliability, Assignment, AssignmentState, Campaign, Consensus, Judgment, Task
from corpus.models import Comparison
from ledger.models import Run, RunKind, Shard, State
from workers import tasks
from workers.discover import methods
from workers.methods import consensus

FillCorpus = Callable[..., int]


@pytest.fixture(autouse=True)
def own_cache(settings: Settings, tmp_path: Path) -> None:
    settings.WINNOW_HOME = tmp_path


@pytest.fixture
def campaign(project: Project, fill_corpus: FillCorpus) -> Campaign:
    """Twenty comparisons whose b is better; four people who see it, and one who always takes what is first."""
    fill_corpus(20)
    campaign = Campaign.objects.create(project=project, name="First look", kind="pairwise")
    people = User.objects.bulk_create(User(email=f"person-{number}@example.org") for number in range(5))
    for place, comparison in enumerate(Comparison.objects.order_by("id")):
        task = Task.objects.create(campaign=campaign, comparison=comparison, cap=5)
        for number, person in enumerate(people):
            order = [comparison.response_a_id, comparison.response_b_id][:: 1 if (place + number) % 2 else -1]
            first_is_b = order[0] == comparison.response_b_id
            choice = (1 if first_is_b else -1) if number == 4 else 2
            _judge(task, person, order, choice)
    return campaign


def _judge(task: Task, person: User, order: list[int], choice: int) -> None:
    assignment = Assignment.objects.create(
        task=task, campaign=task.campaign, annotator=person, state=AssignmentState.SUBMITTED, order_shown=order,
        is_b_first=False, lease_expires_at="2026-01-01T00:00Z",
    )  # fmt: skip
    Judgment.objects.create(
        campaign=task.campaign, comparison=task.comparison, assignment=assignment, annotator=person, kind="pairwise",
        payload={}, choice=choice, order_shown=order,
    )  # fmt: skip


def _run(project: Project, **params: Any) -> Run:
    run = Run.objects.create(project=project, kind=RunKind.CONSENSUS, method="consensus", queue="cpu", params=params)
    tasks.run_method.apply(kwargs={"run_id": run.id})
    run.refresh_from_db()
    return run


@pytest.mark.parametrize("model", consensus.FITS)
def test_a_fit_says_what_people_agree_on_and_whom_to_trust(campaign: Campaign, model: str) -> None:
    run = _run(campaign.project, campaign=campaign.pk, model=model)
    assert (run.state, run.error) == (State.DONE, "")
    assert (run.result["campaign"], run.result["aggregator"]) == ({"id": campaign.pk, "name": "First look"}, model)
    assert (run.result["votes"], run.result["comparisons"], run.result["b"]) == (100, 20, 20)
    assert run.done_items == run.total_items == 100
    rows = Consensus.objects.filter(campaign=campaign, method=model)
    assert {(row.label, row.votes) for row in rows} == {(2, 5)}
    assert all(row.effective_votes is not None and row.posterior["b"] == pytest.approx(row.confidence) for row in rows)
    people = list(fitted.reliabilities(campaign, model))
    assert [person.n for person in people] == [20] * 5
    assert {person["name"] for person in run.result["people"]} == {
        f"person-{number}@example.org" for number in range(5)
    }
    if model == "bradley_terry":
        # It has a word of its own for people who take what is first.
        people.sort(key=lambda person: -person.details["lean"])
    assert people[0].annotator.email == "person-4@example.org"


def test_a_fit_done_again_leaves_the_same_rows_once(campaign: Campaign) -> None:
    def said() -> list[tuple[Any, ...]]:
        rows = Consensus.objects.order_by("comparison_id")
        return list(rows.values_list("comparison_id", "method", "label", "confidence", "posterior"))

    _run(campaign.project, campaign=campaign.pk)
    once = said()
    run = _run(campaign.project)
    assert (said(), run.params, run.state) == (once, {}, State.DONE)
    # The worker died after the write and before it could say so: the shard is done once more.
    Shard.objects.filter(run=run).update(state=State.QUEUED)
    Run.objects.filter(id=run.id).update(state=State.RUNNING)
    tasks.run_method.apply(kwargs={"run_id": run.id})
    assert said() == once
    assert AnnotatorReliability.objects.count() == 5


def test_a_fit_that_fails_while_writing_leaves_what_was_there(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(campaign.project)
    before = list(Consensus.objects.order_by("id").values())
    whole = consensus._reliabilities
    monkeypatch.setattr(consensus, "_reliabilities", lambda *given: [*whole(*given), *whole(*given)])
    run = _run(campaign.project)
    assert run.state == State.FAILED
    assert list(Consensus.objects.order_by("id").values()) == before


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"campaign": 10**9}, "The project has no campaign 1000000000; it has"),
        ({"model": "oracle"}, "Please check: model"),
    ],
    ids=["no such campaign", "no such model"],
)
def test_what_cannot_be_fitted_is_a_sentence(campaign: Campaign, params: dict[str, Any], sentence: str) -> None:
    run = _run(campaign.project, **params)
    assert run.state == State.FAILED
    assert sentence in run.error


def test_a_campaign_of_another_project_is_none_of_this_one(campaign: Campaign, stranger: User) -> None:
    other = Project.objects.create(slug="other", name="Other")
    assert "no campaign yet" in _run(other, campaign=campaign.pk).error


def test_a_campaign_without_votes_is_a_sentence(project: Project) -> None:
    Campaign.objects.create(project=project, name="Quiet", kind="pairwise")
    assert "Nobody has compared anything in Quiet yet" in _run(project).error


def test_a_missing_verdict_fails_the_run(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = consensus._verdicts
    monkeypatch.setattr(consensus, "_verdicts", lambda *given: whole(*given)[1:])
    assert "gave 19 verdicts for 20 comparisons" in _run(campaign.project).error
    assert not Consensus.objects.exists()


def test_verdicts_are_on_the_signed_scale(campaign: Campaign) -> None:
    _run(campaign.project)
    assert np.all([row.label in range(-3, 4) for row in Consensus.objects.all()])
    assert "consensus" in methods()
