from __future__ import annotations

import pytest

from accounts.invite import accept
from accounts.models import Membership, User
from annotation.campaigns.invite import (
    NotOfThisProject,
    invite_by_email,
    invite_people,
    set_invited_only,
)
from annotation.desk.assign import claim
from annotation.models import Campaign, Participant, ParticipantState
from annotation.quality.participants import send_away
from annotation.quality.seat import NotInvited


def test_members_are_invited_by_choice(campaign: Campaign, annotator: User, owner: User) -> None:
    assert invite_people(campaign=campaign, people=[annotator.id], by=owner) == [annotator]
    invite_people(campaign=campaign, people=[annotator.id], by=owner)
    assert Participant.objects.get().state == ParticipantState.INVITED


def test_a_stranger_cannot_be_invited_by_number(campaign: Campaign, annotator: User, stranger: User) -> None:
    with pytest.raises(NotOfThisProject):
        invite_people(campaign=campaign, people=[annotator.id, stranger.id], by=None)
    assert not Participant.objects.exists()


def test_who_was_removed_can_be_let_in_again(campaign: Campaign, annotator: User, owner: User) -> None:
    invite_people(campaign=campaign, people=[annotator.id], by=owner)
    send_away(campaign=campaign, person=annotator, by=owner)
    with pytest.raises(NotInvited):
        claim(campaign=campaign, annotator=annotator)
    invite_people(campaign=campaign, people=[annotator.id], by=owner)
    assert claim(campaign=campaign, annotator=annotator) is not None


def test_only_the_invited_get_work_where_the_campaign_says_so(
    campaign: Campaign, annotator: User, curator: User
) -> None:
    set_invited_only(campaign=campaign, is_invited_only=True, by=curator)
    with pytest.raises(NotInvited):
        claim(campaign=campaign, annotator=annotator)
    invite_people(campaign=campaign, people=[annotator.id], by=curator)
    assert claim(campaign=campaign, annotator=annotator) is not None


def test_whoever_accepts_the_link_takes_part(campaign: Campaign, stranger: User, owner: User) -> None:
    made = invite_by_email(campaign=campaign, email=stranger.email.upper(), by=owner)
    assert made is not None
    assert not Participant.objects.exists()
    accept(secret=made[1], user=stranger)
    assert Membership.objects.filter(user=stranger, project=campaign.project).exists()
    assert Participant.objects.get().annotator == stranger


def test_the_email_of_a_member_needs_no_link(campaign: Campaign, annotator: User, owner: User) -> None:
    assert invite_by_email(campaign=campaign, email=annotator.email, by=owner) is None
    assert Participant.objects.get().annotator == annotator


def test_an_ordinary_invitation_leads_into_no_campaign(campaign: Campaign, stranger: User) -> None:
    Membership.objects.create(user=stranger, project=campaign.project, role="annotator")
    assert not Participant.objects.exists()


def test_those_who_have_answered_stay_when_only_the_invited_may_work(campaign: Campaign, annotator: User) -> None:
    from tests.annotation.campaigns.test_prioritise import _answer

    _answer(campaign, annotator)
    set_invited_only(campaign=campaign, is_invited_only=True, by=None)
    assert Participant.objects.get().state == ParticipantState.ACTIVE
