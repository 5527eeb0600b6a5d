"""Who takes part in a campaign: people of the project by choice, others by a link to their e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from accounts.audit import record
from accounts.invite import invite as invite_to_project
from accounts.models import Invitation, Membership, Role, User
from accounts.problems import Invalid
from annotation.models import Campaign, CampaignInvitation, Participant, ParticipantState
from annotation.quality.participants import watch


class NotOfThisProject(Invalid):
    code = "not_of_this_project"


def set_invited_only(*, campaign: Campaign, is_invited_only: bool, by: User | None) -> Campaign:
    """Those who have answered already go on as participants."""
    with transaction.atomic():
        campaign.is_invited_only = is_invited_only
        campaign.save(update_fields=["is_invited_only"])
        if is_invited_only:
            worked = campaign.judgments.order_by().values_list("annotator_id", flat=True).distinct()
            _add(campaign, worked, ParticipantState.ACTIVE)
        change = {"is_invited_only": is_invited_only}
        record(actor=by, project=campaign.project, action="change campaign", subject=campaign, details=change)
    return campaign


def invite_people(*, campaign: Campaign, people: Iterable[int], by: User | None) -> list[User]:
    """Members of the project; who takes part already stays as they are, and who was removed is let in again."""
    wanted = set(people)
    members = Membership.objects.filter(project=campaign.project, user_id__in=wanted).values_list("user_id", flat=True)
    if unknown := wanted - set(members):
        numbers = ", ".join(str(number) for number in sorted(unknown))
        raise NotOfThisProject("They are no members of this project.", {"people": f"no members here: {numbers}"})
    with transaction.atomic():
        _add(campaign, sorted(wanted), ParticipantState.INVITED)
        removed = Participant.objects.filter(campaign=campaign, state=ParticipantState.REMOVED)
        removed.filter(annotator__in=wanted).update(state=ParticipantState.INVITED)
        details = {"people": sorted(wanted)}
        record(actor=by, project=campaign.project, action="invite to campaign", subject=campaign, details=details)
    return list(User.objects.filter(id__in=wanted).order_by("email"))


def invite_by_email(*, campaign: Campaign, email: str, by: User) -> tuple[Invitation, str] | None:
    """The link's row and its secret in clear, shown once; whoever accepts becomes annotator and participant.

    None when it is the e-mail of a member, who takes part at once and needs no link.
    """
    member = Membership.objects.filter(project=campaign.project, user__email=email.strip().lower()).first()
    if member is not None:
        invite_people(campaign=campaign, people=[member.user_id], by=by)
        return None
    with transaction.atomic():
        invitation, secret = invite_to_project(project=campaign.project, role=Role.ANNOTATOR, email=email, by=by)
        CampaignInvitation.objects.create(campaign=campaign, invitation=invitation)
    return invitation, secret


def take_up(membership: Membership) -> None:
    """After somebody accepted a link into the project: they take part in the campaigns it was made for."""
    links = CampaignInvitation.objects.filter(
        invitation__accepted_by=membership.user_id, invitation__project=membership.project_id
    )
    for link in links.select_related("campaign"):
        _add(link.campaign, [membership.user_id], ParticipantState.INVITED)


def _add(campaign: Campaign, people: Iterable[int], state: ParticipantState) -> None:
    Participant.objects.bulk_create(
        [Participant(campaign=campaign, annotator_id=number, state=state) for number in people], ignore_conflicts=True
    )
    watch(campaign)
