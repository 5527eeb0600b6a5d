"""Reads of campaigns; each list has a total order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Sum

from accounts.models import Project, User
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    CampaignState,
    Consensus,
    Guidelines,
    Judgment,
    Purpose,
    Task,
)
from ledger.shares import Share


def campaigns_of(project: Project) -> list[Campaign]:
    """Newest first."""
    return list(Campaign.objects.filter(project=project).order_by("-id"))


def guidelines_of(campaign: Campaign) -> str:
    """The text annotators of this campaign read; empty when there is none."""
    if campaign.guidelines_version is None:
        return ""
    held = Guidelines.objects.filter(project=campaign.project_id, version=campaign.guidelines_version)
    return held.values_list("text", flat=True).first() or ""


def newest_guidelines(project: Project) -> str:
    held = Guidelines.objects.filter(project=project).order_by("-version")
    return held.values_list("text", flat=True).first() or ""


@dataclass(frozen=True)
class CampaignWork:
    """How far a campaign is, and what is left in it for one person."""

    campaign: Campaign
    judged: int
    mine: int
    # Of those judged, by annotators that the sample or a benchmark made up.
    simulated: int

    @property
    def wanted(self) -> int:
        return self.campaign.task_count * self.campaign.overlap

    @property
    def left_for_me(self) -> int:
        """At most: what others hold at the moment is counted too."""
        return max(0, min(self.campaign.task_count - self.mine, self.wanted - self.judged))

    @property
    def percent(self) -> float:
        return 100 * self.judged / self.wanted if self.wanted else 0.0


def work_of(project: Project, annotator: User, *, only_open: bool = False) -> list[CampaignWork]:
    """Newest campaign first."""
    campaigns = Campaign.objects.filter(project=project).order_by("-id")
    if only_open:
        campaigns = campaigns.filter(state=CampaignState.OPEN)
    standing = Judgment.objects.counting().filter(campaign__in=campaigns.values("id"))
    judged = dict(standing.order_by().values_list("campaign_id").annotate(n=Count("id")))
    made_up = User.objects.filter(is_simulated=True).values("id")
    by_made_up = standing.filter(annotator__in=made_up).order_by()
    simulated = dict(by_made_up.values_list("campaign_id").annotate(n=Count("id")))
    mine = dict(
        Assignment.objects.filter(campaign__in=campaigns.values("id"), annotator=annotator)
        .filter(state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED], purpose=Purpose.WORK)
        .order_by()
        .values_list("campaign_id")
        .annotate(n=Count("id"))
    )
    return [CampaignWork(c, judged.get(c.id, 0), mine.get(c.id, 0), simulated.get(c.id, 0)) for c in campaigns]


def has_simulated_votes(project: Project) -> bool:
    """Whether a made-up annotator has answered in any campaign."""
    made_up = User.objects.filter(is_simulated=True).values("id")
    campaigns = Campaign.objects.filter(project=project).values("id")
    return Judgment.objects.filter(campaign__in=campaigns, annotator__in=made_up).exists()


@dataclass(frozen=True)
class PersonRow:
    """One annotator's part in a campaign."""

    user: User
    judgments: int
    skips: int
    # How often the response shown first was preferred, of the answers that preferred one.
    first_preferred: int
    preferences: int
    last_at: datetime | None

    @property
    def share_first(self) -> Share:
        return Share(self.first_preferred, self.preferences)


def people_of(campaign: Campaign) -> list[PersonRow]:
    """Most judgments first."""
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"campaign": campaign.id})
        rows = cursor.fetchall()
    users = User.objects.in_bulk([row[0] for row in rows])
    return [PersonRow(users[row[0]], *row[1:]) for row in rows]


@dataclass(frozen=True)
class Balance:
    """How often which response was shown first."""

    a_first: int
    b_first: int


def order_balance(campaign: Campaign) -> Balance:
    sums = Task.objects.filter(campaign=campaign).aggregate(a=Sum("slots_a_first"), b=Sum("slots_b_first"))
    return Balance(sums["a"] or 0, sums["b"] or 0)


def disagreements(campaign: Campaign, *, limit: int = 20) -> list[Consensus]:
    """Where the votes split most: the least shared answers first, then those with most votes."""
    split = Consensus.objects.filter(campaign=campaign, method=campaign.consensus_method, confidence__lt=1)
    return list(split.select_related("comparison__prompt").order_by("confidence", "-votes", "comparison_id")[:limit])


_PEOPLE = """
SELECT s.annotator_id, coalesce(max(j.n), 0), count(*) FILTER (WHERE s.state = 'skipped'),
       coalesce(max(j.first_preferred), 0), coalesce(max(j.preferences), 0), max(j.last_at)
FROM annotation_assignment s
LEFT JOIN (
    SELECT annotator_id, count(*) AS n, max(created_at) AS last_at,
           count(*) FILTER (WHERE (payload->>'preferred')::bigint = order_shown[1]) AS first_preferred,
           count(*) FILTER (WHERE choice <> 0) AS preferences
    FROM annotation_judgment
    WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
    GROUP BY annotator_id
) j ON j.annotator_id = s.annotator_id
WHERE s.campaign_id = %(campaign)s
GROUP BY s.annotator_id
ORDER BY 2 DESC, 1
"""
