"""What we believe and decide: scores and signals, recipes and decisions, audits of them, releases."""

from __future__ import annotations

from curation.models.audits import Answer, Audit, AuditAnswer, AuditItem, AuditPolicy, Question, Unaudited
from curation.models.decisions import Action, Decision, DecisionBatch, Recipe
from curation.models.probes import ProbeOverride
from curation.models.releases import Release, ReleaseRow, Split
from curation.models.servers import ModelServer
from curation.models.signals import Score, Signal
from curation.models.wordings import Wording

__all__ = [
    "Action",
    "Answer",
    "Audit",
    "AuditAnswer",
    "AuditItem",
    "AuditPolicy",
    "Decision",
    "DecisionBatch",
    "ModelServer",
    "ProbeOverride",
    "Question",
    "Recipe",
    "Release",
    "ReleaseRow",
    "Score",
    "Signal",
    "Split",
    "Unaudited",
    "Wording",
]
