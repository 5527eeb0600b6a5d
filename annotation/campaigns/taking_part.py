"""Who takes part in a campaign, and who could."""

from __future__ import annotations

from accounts.models import Invitation, User
from accounts.problems import NotFound
from annotation.models import Campaign, CampaignInvitation, Participant, ParticipantState

SHOWN = 200


class NoSuchParticipant(NotFound):
    code = "no_such_participant"


def participant_in(campaign: Campaign, person_id: int) -> User:
    """The person, who takes part or did so."""
    found = Participant.objects.filter(campaign=campaign, annotator_id=person_id).select_related("annotator").first()
    if found is None:
        raise NoSuchParticipant(f"Nobody with the number {person_id} takes part in {campaign.name}.")
    return found.annotator


def who_can_take_work(campaign: Campaign) -> list[User]:
    """Members of the project whom a curator may give items to, by e-mail."""
    out = Participant.objects.filter(campaign=campaign, state__in=[ParticipantState.REMOVED, ParticipantState.FAILED])
    members = User.objects.filter(memberships__project=campaign.project_id, is_active=True, is_simulated=False)
    return list(members.exclude(id__in=out.values("annotator")).order_by("email")[:SHOWN])


def participants_of(campaign: Campaign) -> list[Participant]:
    """By name of the person; those who were removed last."""
    found = Participant.objects.filter(campaign=campaign).select_related("annotator")
    rows = sorted(found[:SHOWN], key=lambda row: (row.state == ParticipantState.REMOVED, str(row.annotator).lower()))
    return rows


def who_can_be_invited(campaign: Campaign) -> list[User]:
    """People of the project who take no part, or do so no more."""
    there = Participant.objects.filter(campaign=campaign).exclude(state=ParticipantState.REMOVED)
    members = User.objects.filter(memberships__project=campaign.project_id, is_active=True)
    members = members.filter(is_imported=False, is_simulated=False)
    return list(members.exclude(id__in=there.values("annotator")).order_by("email")[:SHOWN])


def open_links_of(campaign: Campaign) -> list[Invitation]:
    """Sent and not taken up yet, newest first."""
    links = CampaignInvitation.objects.filter(campaign=campaign, invitation__accepted_at=None)
    open_ones = links.filter(invitation__revoked_at=None).select_related("invitation").order_by("-id")
    return [link.invitation for link in open_ones]
