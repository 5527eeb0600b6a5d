"""What people said together."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from annotation.models.campaigns import Campaign
from corpus.models import Comparison


class Consensus(models.Model):
    """The aggregated human label of a comparison, by one consensus method."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="consensus", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+", db_index=False)
    method = models.CharField(max_length=32)
    # -3..3, null when undecided or when both-bad won.
    label = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    # Share of the votes, or posterior probability, behind the answer; 0..1.
    confidence = models.FloatField()
    votes = models.PositiveSmallIntegerField()
    # How many votes of equal weight would say as much, by the method's own weights; null where it has none.
    effective_votes = models.FloatField(null=True)
    # The share of each answer: {"a": 0.67, "b": 0.33}.
    posterior = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "comparison", "method", name="one_consensus_per_method"),)
        indexes = (models.Index(fields=["comparison"], name="consensus_of_a_comparison"),)


class Adjudication(models.Model):
    """What a curator decided where the votes did not: append-only, the newest of a comparison stands."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="adjudications", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.PROTECT, related_name="+", db_index=False)
    # -3..3, null when both are bad or when it was taken back.
    label = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    is_taken_back = models.BooleanField(default=False)
    reason = models.CharField(max_length=2000, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(label__isnull=True) | Q(label__gte=-3, label__lte=3),
                name="adjudicated_label_is_on_the_signed_scale",
            ),
        )
        indexes = (models.Index(fields=["campaign", "comparison", "-id"], name="adjudications_of_a_comparison"),)


class AnnotatorReliability(models.Model):
    """How far a fitted consensus trusts one annotator; of each method the newest fit."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="reliabilities", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    method = models.CharField(max_length=32)
    # In the method's own unit, which its documentation names; the interval covers 95 %.
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    # Votes behind it.
    n = models.PositiveIntegerField()
    details = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "annotator", "method", name="one_reliability_per_method"),)
