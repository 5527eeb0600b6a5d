"""Taking a skip back, while there is a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign, set_state
from annotation.desk.assign import CampaignNotOpen, claim, skip
from annotation.desk.judge import submit
from annotation.desk.unskip import NotSkipped, PlaceTaken, take_skip_back
from annotation.models import Assignment, AssignmentState, Campaign, CampaignState, Task
from annotation.quality.participants import send_away
from annotation.quality.seat import NotInvited

Claimed = Callable[[Campaign, User], Assignment]


@pytest.fixture
def single(project: Project, comparisons: list[object]) -> Campaign:
    return create_campaign(project=project, name="One each", overlap=1)


def _claimed(campaign: Campaign, user: User) -> Assignment:
    item = claim(campaign=campaign, annotator=user)
    assert item is not None
    return Assignment.objects.get(id=item.assignment_id)


def test_the_item_comes_back_and_the_one_held_instead_is_given_back(single: Campaign, annotator: User) -> None:
    skipped = _claimed(single, annotator)
    skip(assignment=skipped, reason="I cannot tell")
    instead = _claimed(single, annotator)
    item = take_skip_back(assignment=skipped)
    assert (item.assignment_id, item.order) == (skipped.id, skipped.order_shown)
    instead.refresh_from_db()
    skipped.refresh_from_db()
    assert (skipped.state, skipped.skip_reason) == (AssignmentState.CLAIMED, "")
    assert instead.state == AssignmentState.RELEASED
    assert sum(t.slots_a_first + t.slots_b_first for t in Task.objects.all()) == 1
    assert take_skip_back(assignment=skipped).assignment_id == skipped.id


def test_it_is_refused_when_somebody_else_has_the_place(single: Campaign, annotator: User, curator: User) -> None:
    skipped = _claimed(single, annotator)
    skip(assignment=skipped)
    instead = _claimed(single, annotator)
    theirs = _claimed(single, curator)
    assert theirs.task_id == skipped.task_id
    with pytest.raises(PlaceTaken):
        take_skip_back(assignment=skipped)
    instead.refresh_from_db()
    assert instead.state == AssignmentState.CLAIMED


def test_whoever_was_removed_takes_nothing_back(single: Campaign, annotator: User, owner: User) -> None:
    skipped = _claimed(single, annotator)
    skip(assignment=skipped)
    send_away(campaign=single, person=annotator, by=owner)
    skipped = Assignment.objects.select_related("campaign").get(id=skipped.id)
    with pytest.raises(NotInvited):
        take_skip_back(assignment=skipped)
    skipped.refresh_from_db()
    assert skipped.state == AssignmentState.SKIPPED
    assert not Task.objects.exclude(slots_a_first=0, slots_b_first=0).exists()


def test_an_answer_is_no_skip(single: Campaign, annotator: User) -> None:
    answered = _claimed(single, annotator)
    submit(assignment=answered, payload={"choice": 1})
    with pytest.raises(NotSkipped):
        take_skip_back(assignment=answered)


def test_a_paused_campaign_gives_nothing_out(single: Campaign, annotator: User, owner: User) -> None:
    skipped = _claimed(single, annotator)
    skip(assignment=skipped)
    set_state(campaign=single, state=CampaignState.PAUSED, by=owner)
    with pytest.raises(CampaignNotOpen):
        take_skip_back(assignment=Assignment.objects.get(id=skipped.id))


def test_only_the_one_who_skipped_takes_it_back(
    api: Any, single: Campaign, annotator: User, curator: User, stranger: User
) -> None:
    skipped = _claimed(single, annotator)
    skip(assignment=skipped)
    path = f"assignments/{skipped.id}/unskip"
    assert api(curator)("POST", path).status_code == 404
    assert api(stranger)("POST", path).status_code == 404
    assert api(annotator)("POST", path).json()["assignment"]["id"] == skipped.id
