"""How well the crowd does, apart from the work itself: gold, participants, flags, keys."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from annotation.models.campaigns import Campaign
from annotation.models.tasks import Purpose, Task


class GoldAnswer(models.Model):
    """The known answer to a task, and when it is asked."""

    # The task's own, so that a claim finds the few of its campaign without the million beside them.
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="gold", db_index=False)
    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="gold")
    # training, qualification or gold
    phase = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.GOLD)
    # What counts as right, as the campaign's kind reads it: for a choice, the set of accepted answers.
    expected = models.JSONField()
    # Shown after the answer in training.
    explanation = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["campaign", "phase"], name="gold_of_a_campaign"),)


class ParticipantState(models.TextChoices):
    INVITED = "invited"
    TRAINING = "training"
    QUALIFYING = "qualifying"
    ACTIVE = "active"
    # Below the threshold of the qualification round.
    FAILED = "failed"
    # A curator ended it.
    REMOVED = "removed"


class Participant(models.Model):
    """One person in a campaign that invites, trains, qualifies, checks or reassigns; others need no row."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="participants")
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=ParticipantState.choices, default=ParticipantState.ACTIVE)
    # Tasks to be given to this person before any other, in this order.
    queue = ArrayField(models.BigIntegerField(), default=list)
    # Work items answered since the last gold item and since the last repeat.
    since_gold = models.PositiveIntegerField(default=0)
    since_repeat = models.PositiveIntegerField(default=0)
    # What the qualification round found: {"right", "n", "threshold", "low", "high", "decided_at"}; empty until then.
    qualification = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "annotator", name="one_participant_per_campaign"),)


class Flag(models.Model):
    """Something an annotator wants the curator to see."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="flags")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="flags")
    annotator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    resolved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["campaign", "id"], name="open_flags", condition=Q(resolved_at__isnull=True)),)


class KeyBindings(models.Model):
    """The keys somebody has bound otherwise than the default: {action: key}."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="key_bindings")
    bindings = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)
