"""The statistics of a campaign as its pages show them: of a large one they may be a minute old."""

from __future__ import annotations

from annotation.campaigns.freshness import kept
from annotation.campaigns.queries import disagreements
from annotation.models import Campaign, Consensus
from annotation.statistics.agreement import (
    AgreementOverTime,
    CampaignAgreement,
    SubjectAgreement,
    agreement_over_time,
    agreement_per_subject,
    campaign_agreement,
)
from annotation.statistics.people_table import Asked, Row, table_of
from annotation.statistics.ratings import RatingsSummary, ratings_summary
from annotation.statistics.together import Together, TwoByTwo, together, two_by_two

SHOWN_OF_PEOPLE = {"answers", "reliability", "agreement", "first", "longer"}


def agreement_of(campaign: Campaign) -> CampaignAgreement:
    return kept(f"{campaign.pk}:agreement", campaign.task_count, lambda: campaign_agreement(campaign))


def together_of(campaign: Campaign) -> Together:
    return kept(f"{campaign.pk}:together", campaign.task_count, lambda: together(campaign))


def two_by_two_of(campaign: Campaign) -> TwoByTwo:
    return kept(f"{campaign.pk}:two by two", campaign.task_count, lambda: two_by_two(campaign))


def over_time_of(campaign: Campaign) -> AgreementOverTime:
    return kept(f"{campaign.pk}:over time", campaign.task_count, lambda: agreement_over_time(campaign))


def per_subject_of(campaign: Campaign) -> list[SubjectAgreement]:
    return kept(f"{campaign.pk}:per subject", campaign.task_count, lambda: agreement_per_subject(campaign))


def disagreements_of(campaign: Campaign) -> list[Consensus]:
    key = f"{campaign.pk}:{campaign.consensus_method}:split"
    return kept(key, campaign.task_count, lambda: disagreements(campaign))


def ratings_of(campaign: Campaign) -> RatingsSummary:
    return kept(f"{campaign.pk}:ratings", campaign.task_count, lambda: ratings_summary(campaign))


def top_people_of(campaign: Campaign, count: int) -> list[Row]:
    """Those who judged most, with the figures that say most of them."""
    table = kept(f"{campaign.pk}:people", campaign.task_count, lambda: table_of(campaign, Asked.of("answers", "", "")))
    return [Row(row.user, [cell for cell in row.cells if cell.name in SHOWN_OF_PEOPLE]) for row in table.rows[:count]]
