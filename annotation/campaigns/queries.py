"""Reads of campaigns; each list has a total order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from accounts.models import Project, User
from annotation.campaigns.freshness import kept
from annotation.kinds._base import kind_named
from annotation.models import (
    Assignment,
    AssignmentState,
    Campaign,
    Consensus,
    Flag,
    Guidelines,
    Judgment,
    Purpose,
    Task,
)

# Of the most split, so many times as many as are shown are candidates.
LOOKED_AT = 20


def campaigns_of(project: Project) -> list[Campaign]:
    """Newest first."""
    return list(Campaign.objects.filter(project=project).select_related("rubric").order_by("-id"))


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
    # Judgments that are in, and those that the tasks take in all; gold and training apart.
    judged: int
    wanted: int
    # Answered or skipped by this person.
    mine: int
    # Of those judged, by annotators that the sample or a benchmark made up, and by those of imported files.
    simulated: int
    imported: int

    @property
    def left(self) -> int:
        return max(0, self.wanted - self.judged)

    @property
    def left_for_me(self) -> int:
        """At most: what others hold at the moment is counted too."""
        return max(0, min(self.campaign.task_count - self.mine, self.left))

    @property
    def kind_label(self) -> str:
        return kind_named(self.campaign.kind).LABEL

    @property
    def percent(self) -> float:
        return 100 * self.judged / self.wanted if self.wanted else 0.0


def work_of(project: Project, annotator: User) -> list[CampaignWork]:
    """Newest campaign first."""
    return work_among(Campaign.objects.filter(project=project), annotator)


def work_among(campaigns: QuerySet[Campaign], annotator: User) -> list[CampaignWork]:
    """Newest campaign first."""
    return _work(list(campaigns.select_related("project").order_by("-id")), annotator)


def work_in(campaign: Campaign, annotator: User) -> CampaignWork:
    return _work([campaign], annotator)[0]


def _work(campaigns: list[Campaign], annotator: User) -> list[CampaignWork]:
    mine = dict(
        Assignment.objects.filter(campaign__in=campaigns, annotator=annotator)
        .filter(state__in=[AssignmentState.SUBMITTED, AssignmentState.SKIPPED], purpose=Purpose.WORK)
        .order_by()
        .values_list("campaign_id")
        .annotate(n=Count("id"))
    )
    found = []
    for campaign in campaigns:
        judged, wanted, simulated, imported = _counted(campaign)
        found.append(CampaignWork(campaign, judged, wanted, mine.get(campaign.pk, 0), simulated, imported))
    return found


def _counted(campaign: Campaign) -> tuple[int, int, int, int]:
    def count() -> tuple[int, int, int, int]:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED, {"campaign": campaign.pk})
            judged, wanted, simulated, imported = cursor.fetchone()
            return judged, wanted, simulated, imported

    return kept(f"{campaign.pk}:{campaign.overlap}:counted", campaign.task_count, count)


def people_count(campaign: Campaign) -> int:
    """How many have judged."""

    def count() -> int:
        counting = Judgment.objects.counting().filter(campaign=campaign)
        return int(counting.aggregate(n=Count("annotator", distinct=True))["n"])

    return kept(f"{campaign.pk}:people count", campaign.task_count, count)


def answered_by(project: Project, person: User) -> list[Campaign]:
    """Campaigns in which this person has answered, by name."""
    answers = Judgment.objects.filter(campaign=OuterRef("pk"), annotator=person)
    return list(Campaign.objects.filter(Exists(answers), project=project).order_by("name"))


@dataclass(frozen=True)
class Waits:
    """What in a campaign waits for a curator, cheap enough for the head of every page."""

    flags: int
    held: int


def what_waits(campaign: Campaign) -> Waits:
    return Waits(
        flags=Flag.objects.filter(campaign=campaign, resolved_at=None).count(),
        held=Assignment.objects.filter(campaign=campaign, state=AssignmentState.CLAIMED).count(),
    )


def has_simulated_votes(project: Project) -> bool:
    """Whether a made-up annotator has answered in any campaign."""
    made_up = User.objects.filter(is_simulated=True).values("id")
    campaigns = Campaign.objects.filter(project=project).values("id")
    return Judgment.objects.filter(campaign__in=campaigns, annotator__in=made_up).exists()


@dataclass(frozen=True)
class Balance:
    """How often which response was shown first."""

    a_first: int
    b_first: int


def order_balance(campaign: Campaign) -> Balance:
    sums = Task.objects.filter(campaign=campaign).aggregate(a=Sum("slots_a_first"), b=Sum("slots_b_first"))
    return Balance(sums["a"] or 0, sums["b"] or 0)


def disagreements(campaign: Campaign, *, limit: int = 20) -> list[Consensus]:
    """Where the votes split most: the least shared answers first, then those with most votes; prompts by turns."""
    split = Consensus.objects.filter(campaign=campaign, method=campaign.consensus_method, confidence__lt=1)
    ranked = split.order_by("confidence", "-votes", "comparison_id")
    columns = ("id", "confidence", "votes", "comparison__prompt")
    chosen = _by_turns(list(ranked.values_list(*columns)[: LOOKED_AT * limit]))[:limit]
    rows = split.select_related("comparison__prompt", "comparison__response_a", "comparison__response_b")
    held = rows.in_bulk(chosen)
    return [held[number] for number in chosen]


def _by_turns(rows: list[tuple[int, float, int, int]]) -> list[int]:
    """Ids; among those that split alike the first of every prompt, then the second of every prompt, and so on."""
    turns: Counter[tuple[float, int, int]] = Counter()
    ranked = []
    for place, (number, confidence, votes, prompt) in enumerate(rows):
        turns[confidence, votes, prompt] += 1
        ranked.append(((confidence, -votes, turns[confidence, votes, prompt], place), number))
    return [number for _, number in sorted(ranked)]


_COUNTED = """
SELECT coalesce(sum(judged), 0), coalesce(sum(cap), 0), (
    SELECT count(*) FROM annotation_judgment j JOIN accounts_user u ON u.id = j.annotator_id AND u.is_simulated
    WHERE j.campaign_id = %(campaign)s AND j.superseded_by_id IS NULL AND j.purpose = 'work'
), (
    SELECT count(*) FROM annotation_judgment j JOIN accounts_user u ON u.id = j.annotator_id AND u.is_imported
    WHERE j.campaign_id = %(campaign)s AND j.superseded_by_id IS NULL AND j.purpose = 'work'
)
FROM annotation_task WHERE campaign_id = %(campaign)s
"""
