"""What somebody can work on: what is open for them, how far they are, and how long the rest may take them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Project, User
from annotation.campaigns.queries import CampaignWork, work_among
from annotation.models import Campaign, CampaignState, Judgment, Participant, ParticipantState

# Own answers behind a pace, the newest first, and how many a pace takes.
NEWEST, LEAST = 50, 5
ENDED = (ParticipantState.REMOVED, ParticipantState.FAILED)
SAID = {
    ParticipantState.INVITED: "You are invited",
    ParticipantState.TRAINING: "In training",
    ParticipantState.QUALIFYING: "In the qualification round",
    ParticipantState.FAILED: "Not qualified: ask a curator to let you try again",
    ParticipantState.REMOVED: "A curator has ended your part here",
}


@dataclass(frozen=True)
class MyWork:
    work: CampaignWork
    # Where they stand before the work; nothing for those who are at it.
    said: str
    is_open: bool
    # Median active seconds of the newest `n` own answers; None below LEAST of them.
    seconds: float | None
    n: int

    @property
    def minutes_left(self) -> int | None:
        """At that pace, at most."""
        return None if self.seconds is None else max(1, round(self.work.left_for_me * self.seconds / 60))

    @property
    def verb(self) -> str:
        return "Continue" if self.work.mine else "Start"


def my_work(project: Project, person: User) -> list[MyWork]:
    """Open campaigns, newest first; those that ended for this person last."""
    seats = Participant.objects.filter(campaign__project=project, annotator=person).values_list("campaign", "state")
    states = {campaign: ParticipantState(state) for campaign, state in seats}
    found = [_mine(work, states.get(work.campaign.pk), person) for work in work_among(seen_by(project, person), person)]
    return sorted(found, key=lambda row: not row.is_open)


def open_to(project: Project, person: User) -> QuerySet[Campaign]:
    """Those from which this person may get work."""
    ended = Participant.objects.filter(campaign=OuterRef("pk"), annotator=person, state__in=ENDED)
    return seen_by(project, person).exclude(Exists(ended))


def seen_by(project: Project, person: User) -> QuerySet[Campaign]:
    """Open, and for everybody or with a place for this person."""
    seat = Participant.objects.filter(campaign=OuterRef("pk"), annotator=person)
    is_open = Campaign.objects.filter(project=project, state=CampaignState.OPEN)
    return is_open.filter(Q(is_invited_only=False) | Exists(seat))


def _mine(work: CampaignWork, state: ParticipantState | None, person: User) -> MyWork:
    own = Judgment.objects.standing().filter(campaign=work.campaign, annotator=person).order_by("-id")
    seconds = [one for one in own.values_list("active_seconds", flat=True)[:NEWEST] if one is not None]
    return MyWork(
        work=work,
        said="" if state is None else SAID.get(state, ""),
        is_open=state not in ENDED,
        seconds=statistics.median(seconds) if len(seconds) >= LEAST else None,
        n=len(seconds),
    )
