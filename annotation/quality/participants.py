"""What a curator does about one person in a campaign: let in, start over, send away, give back what they hold."""

from __future__ import annotations

from django.db import transaction

from accounts.access import role_in
from accounts.audit import record
from accounts.models import User
from accounts.problems import Invalid
from annotation.desk.assign import release
from annotation.models import Assignment, AssignmentState, Campaign, Participant, ParticipantState, Purpose
from annotation.quality.seat import locked_participant

ROUNDS = (Purpose.TRAINING, Purpose.QUALIFICATION)


class NotOfThisProject(Invalid):
    code = "not_of_this_project"


def let_in(*, campaign: Campaign, person: User, by: User | None) -> Participant:
    """To the work itself, whatever training or qualification said."""
    with transaction.atomic():
        seat = seat_of(campaign, person)
        _move(seat, ParticipantState.ACTIVE)
        _give_back(campaign, person, ROUNDS)
        _end(campaign, seat, by, "let in")
    return seat


def start_over(*, campaign: Campaign, person: User, by: User | None) -> Participant:
    """Training and qualification once more; earlier answers are kept, and replaced one by one by the new ones."""
    with transaction.atomic():
        seat = seat_of(campaign, person)
        _give_back(campaign, person, tuple(Purpose))
        rounds = Assignment.objects.filter(campaign=campaign, annotator=person, purpose__in=ROUNDS)
        rounds.exclude(state=AssignmentState.CLAIMED).update(state=AssignmentState.RELEASED)
        seat.qualification = {}
        _move(seat, ParticipantState.INVITED)
        _end(campaign, seat, by, "start over")
    return seat


def send_away(*, campaign: Campaign, person: User, by: User | None) -> Participant:
    """They get nothing more here and what they hold goes back; what they answered stays."""
    with transaction.atomic():
        seat = seat_of(campaign, person)
        seat.queue = []
        _move(seat, ParticipantState.REMOVED)
        _give_back(campaign, person, tuple(Purpose))
        _end(campaign, seat, by, "remove from campaign")
    return seat


def seat_of(campaign: Campaign, person: User) -> Participant:
    """Locked, made if need be; whoever takes it ends with `watch`."""
    if role_in(person, campaign.project) is None:
        raise NotOfThisProject(f"{person} is no member of this project.", {"person": "is no member here"})
    Participant.objects.bulk_create(
        [Participant(campaign=campaign, annotator=person, state=_state_of_others(campaign))], ignore_conflicts=True
    )
    seat = locked_participant(campaign, person.pk)
    if seat is None:
        raise LookupError("the participant that was just made is gone")
    return seat


def watch(campaign: Campaign) -> None:
    """A claim in this campaign asks for the person's Participant row from now on.

    Last in its transaction: the campaign is locked after people, assignments and tasks everywhere.
    """
    if not campaign.has_participants:
        Campaign.objects.filter(id=campaign.pk).update(has_participants=True)
        campaign.has_participants = True


def _state_of_others(campaign: Campaign) -> ParticipantState:
    return ParticipantState.INVITED if campaign.quality else ParticipantState.ACTIVE


def _move(seat: Participant, state: ParticipantState) -> None:
    seat.state = state
    seat.save(update_fields=["state", "queue", "qualification", "updated_at"])


def _give_back(campaign: Campaign, person: User, purposes: tuple[Purpose, ...]) -> bool:
    live = Assignment.objects.filter(campaign=campaign, annotator=person, state=AssignmentState.CLAIMED)
    return sum(release(assignment=assignment) for assignment in live.filter(purpose__in=purposes)) > 0


def _end(campaign: Campaign, seat: Participant, by: User | None, action: str) -> None:
    watch(campaign)
    details = {"person": seat.annotator_id}
    record(actor=by, project=campaign.project, action=action, subject=campaign, details=details)
