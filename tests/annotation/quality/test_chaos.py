"""Everything at once: people who answer, skip, give back, lose their leases and change their minds, and a curator who
changes the campaign under them. Afterwards every count is what the assignments and judgments say."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, connections
from django.utils import timezone

from accounts.models import User
from accounts.problems import Problem
from annotation.campaigns.create import extend_overlap
from annotation.campaigns.prioritise import reprioritise
from annotation.consensus.majority import refresh_majority
from annotation.desk.assign import claim, heartbeat, reclaim_expired, release, skip
from annotation.desk.judge import revise, submit
from annotation.desk.unskip import take_skip_back
from annotation.models import Assignment, Campaign, Consensus, GoldAnswer, Judgment
from annotation.quality.gold import mark_gold, unmark_gold
from annotation.quality.participants import let_in, start_over
from annotation.quality.reassign import reassign

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., Campaign]
People = Callable[[int], list[User]]
Act = Callable[[], object]
PEOPLE, ACTS = 6, 45


def _own(campaign: Campaign, person: User, chance: random.Random) -> Assignment:
    """The newest, or any earlier one, as a window that was left open still shows it."""
    own = list(Assignment.objects.filter(campaign=campaign, annotator=person).order_by("-claimed_at")[:4])
    chosen = own[0] if chance.random() < 0.7 else chance.choice(own)
    return Assignment.objects.select_related("campaign", "task__comparison", "annotator").get(id=chosen.id)


def _annotates(campaign: Campaign, person: User, chance: random.Random) -> None:
    fresh = Campaign.objects.select_related("project").get(id=campaign.id)
    if not Assignment.objects.filter(campaign=campaign, annotator=person).exists() or chance.random() < 0.15:
        claim(campaign=fresh, annotator=person)
        return
    held = _own(campaign, person, chance)
    choice = {"choice": chance.choice([-2, -1, 1, 2, "both_bad"])}
    acts: list[Act] = [
        *[lambda: submit(assignment=held, payload=choice)] * 8,
        lambda: skip(assignment=held),
        lambda: take_skip_back(assignment=held),
        lambda: release(assignment=held),
        lambda: heartbeat(assignment=held),
        lambda: _changes_mind(campaign, person, choice),
    ]
    chance.choice(acts)()


def _changes_mind(campaign: Campaign, person: User, choice: dict[str, object]) -> None:
    own = Judgment.objects.standing().filter(campaign=campaign, annotator=person).order_by("-id").first()
    if own is not None:
        revise(judgment=own, payload=choice)


def _curates(campaign: Campaign, crowd: list[User], chance: random.Random) -> None:
    fresh = Campaign.objects.select_related("project").get(id=campaign.id)
    person = chance.choice(crowd)
    tasks = list(fresh.tasks.filter(gold=None).values_list("id", "comparison_id"))
    task, comparison = chance.choice(tasks)
    phase = chance.choice(["gold", "training", "qualification"])
    known = GoldAnswer.objects.select_related("campaign__project").filter(campaign=fresh).order_by("?").first()
    acts: list[Act] = [
        lambda: reclaim_expired(now=timezone.now() + timedelta(days=1)),
        lambda: reclaim_expired(now=timezone.now() + timedelta(days=1), limit=2),
        lambda: mark_gold(
            campaign=fresh, items=[{"comparison": comparison, "expected": {"better": "b"}, "phase": phase}], by=None
        ),
        lambda: unmark_gold(gold=known, by=None) if known else None,
        lambda: reassign(campaign=fresh, to=person, by=None, tasks=[task]),
        lambda: start_over(campaign=fresh, person=person, by=None),
        lambda: let_in(campaign=fresh, person=person, by=None),
        lambda: reprioritise(campaign=fresh, by=None, comparisons=[comparison], priority=chance.randrange(5)),
        lambda: extend_overlap(campaign=fresh, overlap=fresh.overlap + 1, by=None) if chance.random() < 0.1 else None,
    ]
    chance.choice(acts)()


def _goes_on(act: Callable[[random.Random], None], seed: int) -> int:
    close_old_connections()
    chance = random.Random(seed)
    refused = 0
    try:
        for _ in range(ACTS):
            try:
                act(chance)
            except Problem:
                refused += 1
    finally:
        connections.close_all()
    return refused


_WRONG_COUNTS = """
SELECT t.id, t.cap, t.slots_a_first, t.slots_b_first, t.judged,
       count(s.id) FILTER (WHERE s.state IN ('claimed', 'submitted') AND NOT s.is_b_first) AS a,
       count(s.id) FILTER (WHERE s.state IN ('claimed', 'submitted') AND s.is_b_first) AS b,
       count(s.id) FILTER (WHERE s.state = 'submitted') AS done
FROM annotation_task t LEFT JOIN annotation_assignment s ON s.task_id = t.id AND s.purpose = 'work'
GROUP BY t.id
HAVING t.slots_a_first <> count(s.id) FILTER (WHERE s.state IN ('claimed', 'submitted') AND NOT s.is_b_first)
    OR t.slots_b_first <> count(s.id) FILTER (WHERE s.state IN ('claimed', 'submitted') AND s.is_b_first)
    OR t.judged <> count(s.id) FILTER (WHERE s.state = 'submitted') OR t.slots_a_first + t.slots_b_first > t.cap
"""
_WRONG_JUDGMENTS = """
SELECT s.id, s.state, s.purpose, count(j.id), min(j.purpose)
FROM annotation_assignment s
LEFT JOIN annotation_judgment j ON j.assignment_id = s.id AND j.superseded_by_id IS NULL
GROUP BY s.id
HAVING count(j.id) > 1 OR s.state = 'submitted' AND (count(j.id) <> 1 OR min(j.purpose) <> s.purpose)
    OR s.state <> 'submitted' AND min(j.purpose) NOT IN ('training', 'qualification')
"""


def test_whatever_happens_at_once_every_count_is_right(quality: Make, people: People) -> None:
    campaign = quality(
        12,
        known={"training": 1, "qualification": 1, "gold": 2},
        overlap=3,
        training={"items": 1},
        qualification={"items": 1, "threshold": 0},
        gold={"every": 3},
        repeats={"every": 3, "after_items": 1},
    )
    campaign.stop_rule = {"max": 40, "until": 0.9}
    campaign.save()
    crowd = people(PEOPLE)
    acts: list[Callable[[random.Random], None]] = [
        *(lambda chance, person=person: _annotates(campaign, person, chance) for person in crowd),
        lambda chance: _curates(campaign, crowd, chance),
        lambda chance: _curates(campaign, crowd, chance),
    ]
    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(_goes_on, acts, range(len(acts))))
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_COUNTS)
        assert cursor.fetchall() == []
        cursor.execute(_WRONG_JUDGMENTS)
        assert cursor.fetchall() == []
    # Most acts are refused, and how many are not hangs on who comes first.
    assert Judgment.objects.counting().count() > 5
    _consensus_is_that_of_the_votes(campaign)


def _consensus_is_that_of_the_votes(campaign: Campaign) -> None:
    columns = ("comparison_id", "label", "is_both_bad", "confidence", "votes", "posterior")
    rows = (
        Consensus.objects.filter(campaign=campaign, method="majority").order_by("comparison_id").values_list(*columns)
    )
    kept = list(rows)
    refresh_majority(campaign_id=campaign.id)
    assert kept == list(rows)
