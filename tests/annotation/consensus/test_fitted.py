"""Asking for a fitted consensus, and reading what came of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.campaigns.consensus_method import change_consensus_method
from annotation.consensus import fitted
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import AnnotatorReliability, Assignment, Campaign, Consensus, Judgment
from ledger import catalogue
from ledger.catalogue import Card
from ledger.models import Run, RunKind, State

People = Callable[[int], list[User]]


@pytest.fixture
def worker(db: None) -> None:
    card = Card("consensus", "Consensus", "cpu", "whole", "Fits.", {"type": "object", "properties": {}}, "1")
    catalogue.publish(name="cpu@here", queues=["cpu"], devices=["cpu"], code_version="1", cards=[card])


@pytest.fixture
def judged(campaign: Campaign, people: People) -> Campaign:
    _answer(campaign, people(1)[0])
    return campaign


def _answer(campaign: Campaign, person: User) -> None:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    submit(assignment=assignment, payload={"choice": 1}, with_next=False)


def test_a_fit_is_a_run_that_names_campaign_and_model(judged: Campaign, worker: None, curator: User) -> None:
    run = fitted.request_consensus(campaign=judged, model="glad", requested_by=curator)
    assert (run.kind, run.method, run.queue, run.state) == (RunKind.CONSENSUS, "consensus", "cpu", State.QUEUED)
    assert run.params == {"campaign": judged.pk, "model": "glad", "seed": 0}
    assert fitted.fit_under_way(judged, "glad") == run
    assert fitted.fit_under_way(judged, "mace") is None


def test_asking_twice_is_one_run(judged: Campaign, worker: None, curator: User) -> None:
    first = fitted.request_consensus(campaign=judged, model="mace", requested_by=curator)
    assert fitted.request_consensus(campaign=judged, model="mace", requested_by=curator) == first
    Run.objects.update(started_at=timezone.now())
    assert fitted.request_consensus(campaign=judged, model="mace", requested_by=curator) != first


def test_an_unknown_model_no_worker_and_no_votes_are_sentences(
    campaign: Campaign, people: People, curator: User
) -> None:
    with pytest.raises(fitted.UnknownModel):
        fitted.request_consensus(campaign=campaign, model="majority", requested_by=curator)
    with pytest.raises(fitted.NobodyFits, match="start a worker"):
        fitted.request_consensus(campaign=campaign, model="mace", requested_by=curator)


def test_a_campaign_without_votes_is_a_sentence(campaign: Campaign, worker: None, curator: User) -> None:
    with pytest.raises(fitted.NothingToFit, match="Nobody has judged anything in First look"):
        fitted.request_consensus(campaign=campaign, model="mace", requested_by=curator)


def test_a_fit_knows_what_it_has_not_seen(judged: Campaign, worker: None, people: People, annotator: User) -> None:
    assert fitted.newest_fit(judged, "mace") is None
    run = fitted.request_consensus(campaign=judged, model="mace", requested_by=None)
    Run.objects.update(state=State.DONE, started_at=timezone.now(), finished_at=timezone.now())
    newest = fitted.newest_fit(judged, "mace")
    assert newest is not None
    assert (newest.run, newest.newer_votes) == (run, 0)
    _answer(judged, annotator)
    newest = fitted.newest_fit(judged, "mace")
    assert newest is not None and newest.newer_votes == 1


def test_votes_imported_after_a_fit_are_new_to_it_however_old_they_are(
    judged: Campaign, worker: None, annotator: User
) -> None:
    fitted.request_consensus(campaign=judged, model="mace", requested_by=None)
    Run.objects.update(state=State.DONE, started_at=timezone.now(), result={"votes": 1})
    _answer(judged, annotator)
    Judgment.objects.filter(annotator=annotator).update(created_at=timezone.now() - timedelta(days=3000))
    newest = fitted.newest_fit(judged, "mace")
    assert newest is not None and newest.newer_votes == 1


def test_the_least_reliable_comes_first(judged: Campaign, people: People, annotator: User, curator: User) -> None:
    from corpus.models import Comparison

    Consensus.objects.create(
        campaign=judged, comparison=Comparison.objects.earliest("id"), method="mace", confidence=0.9, votes=1
    )
    for person, value in ((annotator, None), (curator, 0.4)):
        AnnotatorReliability.objects.create(campaign=judged, annotator=person, method="mace", value=value, n=1)
    assert [row.annotator for row in fitted.reliabilities(judged, "mace")] == [curator, annotator]
    assert change_consensus_method(campaign=judged, method="mace", by=curator).consensus_method == "mace"
