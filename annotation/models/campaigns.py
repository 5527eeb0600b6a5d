"""What people are asked."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Invitation, Project, User
from annotation.models.rubrics import Rubric
from ledger.models import Run


class Guidelines(models.Model):
    """One version of what annotators are told; a new text is a new version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "version", name="one_text_per_guidelines_version"),)


class Unit(models.TextChoices):
    """What one task shows: a comparison, all responses to a prompt, or a single response."""

    COMPARISON = "comparison"
    PROMPT = "prompt"
    RESPONSE = "response"


class CampaignState(models.TextChoices):
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class Campaign(models.Model):
    """What humans are asked about what a project holds."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    # The file name of a judgment kind.
    kind = models.CharField(max_length=32)
    unit = models.CharField(max_length=16, choices=Unit.choices, default=Unit.COMPARISON)
    # The file name of the preset it was made from, for the reader; settings hold what counts.
    preset = models.CharField(max_length=32, blank=True)
    # What the kind's own form asked, defaults filled in: tie, both bad, reason.
    settings = models.JSONField(default=dict)
    # The version annotators read here, null when the project has no guidelines.
    guidelines_version = models.PositiveIntegerField(null=True)
    # The version of the rubric in force here, null for kinds without one.
    rubric = models.ForeignKey(Rubric, null=True, on_delete=models.PROTECT, related_name="campaigns")
    # Training, qualification, gold and quiet repeats; empty = none, and a claim asks nothing of them.
    quality = models.JSONField(default=dict)
    # {"max": judgments at most, "until": posterior of the leading answer}: ask one more only while undecided.
    stop_rule = models.JSONField(null=True)
    # Only those with a Participant row may work here; otherwise every annotator of the project.
    is_invited_only = models.BooleanField(default=False)
    # Somebody was let in, sent away or given a task by hand, so that a claim asks for the person's Participant row.
    has_participants = models.BooleanField(default=False)
    # Judgments per task; with a stop rule, what every task gets at least.
    overlap = models.PositiveSmallIntegerField(default=1)
    lease_seconds = models.PositiveIntegerField(default=900)
    state = models.CharField(max_length=16, choices=CampaignState.choices, default=CampaignState.OPEN)
    # The consensus method in force.
    consensus_method = models.CharField(max_length=32, default="majority")
    # The sources it took its comparisons from; empty = all of the project.
    source_ids = ArrayField(models.BigIntegerField(), default=list)
    # When the order of its tasks was changed last: whoever claims next begins at the start of the new order.
    reordered_at = models.DateTimeField(null=True)
    # The run that gave that order; null when a person did.
    order_run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    # After so many judgments a fresh run orders the open tasks by where a minute is worth most; 0 = never.
    reorder_every = models.PositiveIntegerField(default=0)
    # The newest judgment of all when such an order was asked for last.
    ordered_up_to = models.BigIntegerField(default=0)
    # Written with the tasks, since counting a million of them on every page is not free.
    task_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_campaign_per_name"),)

    def __str__(self) -> str:
        return self.name


class CampaignInvitation(models.Model):
    """A link into the project that makes whoever accepts it a participant of a campaign too."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="invitations", db_index=False)
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "invitation", name="one_campaign_per_invitation"),)
