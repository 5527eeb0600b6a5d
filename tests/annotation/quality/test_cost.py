"""What a submit asks of the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.access import Caller
from accounts.models import Project, User
from annotation.access import assignment_for
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Campaign, Passed
from tests.annotation.quality.conftest import work_through

Make = Callable[..., Campaign]


def _statements(campaign: Campaign, person: User) -> list[str]:
    """Of a submit with its next item, as the API does it."""
    campaign.refresh_from_db()
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assignment = assignment_for(Caller(user=person), item.assignment_id)
        assert submit(assignment=assignment, payload={"choice": 1}).next is not None
    return [str(query["sql"]).split()[0] for query in asked.captured_queries if "SAVEPOINT" not in str(query["sql"])]


def test_a_campaign_without_rules_asks_four_statements_for_a_submit(quality: Make, annotator: User) -> None:
    assert len(_statements(quality(5), annotator)) == 4


def test_the_stop_rule_is_one_statement_more(project: Project, grow: Callable[[int], Any], annotator: User) -> None:
    grow(5)
    campaign = create_campaign(project=project, name="Stops", overlap=2, stop_rule={"max": 3, "until": 0.8})
    assert len(_statements(campaign, annotator)) == 5


def test_quality_rules_are_a_few_statements_more(quality: Make, annotator: User) -> None:
    campaign = quality(20, known={"gold": 2}, gold={"every": 10}, repeats={"every": 10, "after_items": 5})
    work_through(campaign, annotator, 2)
    assert len(_statements(campaign, annotator)) <= 8


def test_a_place_is_kept_only_by_those_for_whom_nothing_was_left(quality: Make, annotator: User) -> None:
    campaign = quality(3)
    work_through(campaign, annotator, 2)
    assert not Passed.objects.exists()
    work_through(campaign, annotator, 9)
    assert Passed.objects.count() == 1
