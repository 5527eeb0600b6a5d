"""The statistics of a campaign as its pages show them: of a large one they may be a minute old."""

from __future__ import annotations

from annotation.campaigns.freshness import kept
from annotation.campaigns.queries import PersonRow, disagreements, people_of
from annotation.models import Campaign, Consensus
from annotation.statistics.agreement import (
    AgreementOverTime,
    CampaignAgreement,
    SubjectAgreement,
    agreement_over_time,
    agreement_per_subject,
    campaign_agreement,
)


def agreement_of(campaign: Campaign) -> CampaignAgreement:
    return kept(f"{campaign.pk}:agreement", campaign.task_count, lambda: campaign_agreement(campaign))


def over_time_of(campaign: Campaign) -> AgreementOverTime:
    return kept(f"{campaign.pk}:over time", campaign.task_count, lambda: agreement_over_time(campaign))


def per_subject_of(campaign: Campaign) -> list[SubjectAgreement]:
    return kept(f"{campaign.pk}:per subject", campaign.task_count, lambda: agreement_per_subject(campaign))


def disagreements_of(campaign: Campaign) -> list[Consensus]:
    key = f"{campaign.pk}:{campaign.consensus_method}:split"
    return kept(key, campaign.task_count, lambda: disagreements(campaign))


def top_people_of(campaign: Campaign, count: int) -> list[PersonRow]:
    return kept(f"{campaign.pk}:people", campaign.task_count, lambda: people_of(campaign))[:count]
