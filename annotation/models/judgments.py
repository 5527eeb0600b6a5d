"""What people said: only ever added."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from annotation.models.campaigns import Campaign
from annotation.models.rubrics import Rubric
from annotation.models.tasks import Assignment, Purpose
from corpus.models import Comparison


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def standing(self) -> JudgmentQuerySet:
        """Without those that their author has replaced."""
        return self.filter(superseded_by__isnull=True)

    def counting(self) -> JudgmentQuerySet:
        """Standing ones given as work: no gold, no training, no second look."""
        return self.standing().filter(purpose=Purpose.WORK)


class Judgment(models.Model):
    """What a person said, by response id; append-only."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="judgments", db_index=False)
    # Null where a prompt's responses or a single response were judged; order_shown names them in every case.
    comparison = models.ForeignKey(Comparison, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="judgments", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=32)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.WORK)
    payload = models.JSONField()
    # The pairwise answer, -3..3, negative = response_a better; null for both bad and where none was asked for.
    choice = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    order_shown = ArrayField(models.BigIntegerField())
    # Seconds the person was active on it, as the browser counted them.
    active_seconds = models.FloatField(null=True)
    guidelines_version = models.PositiveIntegerField(null=True)
    rubric = models.ForeignKey(Rubric, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    superseded_by = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="supersedes", db_index=False
    )

    objects: ClassVar[models.Manager[Judgment]] = models.Manager.from_queryset(JudgmentQuerySet)()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "assignment", name="one_standing_judgment_per_assignment", condition=Q(superseded_by__isnull=True)
            ),
            models.UniqueConstraint(
                "superseded_by", name="one_judgment_replaced_by_one", condition=Q(superseded_by__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(choice__isnull=True) | Q(choice__gte=-3, choice__lte=3),
                name="choice_is_on_the_signed_scale",
            ),
        )
        indexes = (
            models.Index(fields=["campaign", "annotator", "-id"], name="own_history"),
            models.Index(fields=["comparison", "campaign"], name="judgments_of_a_comparison"),
        )
