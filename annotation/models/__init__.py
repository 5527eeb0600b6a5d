"""What people were asked and what they said."""

from __future__ import annotations

from annotation.models.campaigns import Campaign, CampaignInvitation, CampaignState, Guidelines, Unit
from annotation.models.consensus import Adjudication, AnnotatorReliability, Consensus
from annotation.models.judgments import Judgment, JudgmentQuerySet
from annotation.models.quality import Flag, GoldAnswer, KeyBindings, Participant, ParticipantState
from annotation.models.rubrics import Rubric
from annotation.models.tasks import Assignment, AssignmentState, Draft, Passed, Purpose, Task

__all__ = [
    "Adjudication",
    "AnnotatorReliability",
    "Assignment",
    "AssignmentState",
    "Campaign",
    "CampaignInvitation",
    "CampaignState",
    "Consensus",
    "Draft",
    "Flag",
    "GoldAnswer",
    "Guidelines",
    "Judgment",
    "JudgmentQuerySet",
    "KeyBindings",
    "Participant",
    "ParticipantState",
    "Passed",
    "Purpose",
    "Rubric",
    "Task",
    "Unit",
]
