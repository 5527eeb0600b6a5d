"""What people were asked and what they said. Judgments are only ever added."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison


class Guidelines(models.Model):
    """One version of what annotators are told; a new text is a new version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "version", name="one_text_per_guidelines_version"),)


class CampaignState(models.TextChoices):
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class Campaign(models.Model):
    """What humans are asked about a project's comparisons."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    # The file name of a judgment kind.
    kind = models.CharField(max_length=32)
    # What the kind's own form asked: steps of the scale, tie, both bad, justification.
    settings = models.JSONField(default=dict)
    instructions = models.TextField(blank=True)
    overlap = models.PositiveSmallIntegerField(default=1)
    lease_seconds = models.PositiveIntegerField(default=900)
    state = models.CharField(max_length=16, choices=CampaignState.choices, default=CampaignState.OPEN)
    # The consensus method in force.
    consensus_method = models.CharField(max_length=32, default="majority")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_campaign_per_name"),)

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """A comparison in a campaign: a narrow row, since every claim reads this table."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tasks")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    priority = models.IntegerField(default=0)
    # How many judgments may be given, how many leases are out, how many judgments are in.
    cap = models.PositiveSmallIntegerField()
    claimed = models.PositiveSmallIntegerField(default=0)
    judged = models.PositiveSmallIntegerField(default=0)
    # How many of these were dealt with response_b first; keeps the two orders in balance.
    dealt_b_first = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint("campaign", "comparison", name="one_task_per_comparison"),
            models.CheckConstraint(condition=Q(cap__gte=F("claimed") + F("judged")), name="never_more_than_the_cap"),
        )
        indexes = (
            models.Index(
                fields=["campaign", "-priority", "id"],
                name="open_tasks_in_order",
                condition=Q(cap__gt=F("claimed") + F("judged")),
            ),
        )


class AssignmentState(models.TextChoices):
    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    RELEASED = "released"
    EXPIRED = "expired"


class Assignment(models.Model):
    """One person's leased claim on a task."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=AssignmentState.choices, default=AssignmentState.CLAIMED)
    # Response ids in the order shown, so that nothing ever has to remember a side.
    order_shown = ArrayField(models.BigIntegerField())
    claimed_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField()
    skip_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("task", "annotator", name="one_assignment_per_person_and_task"),)
        indexes = (
            models.Index(fields=["campaign", "annotator"], name="claims_held", condition=Q(state="claimed")),
            models.Index(fields=["lease_expires_at"], name="leases_by_expiry", condition=Q(state="claimed")),
        )


class Draft(models.Model):
    """An answer in the making, kept until it is submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    payload = models.JSONField()
    updated_at = models.DateTimeField(default=timezone.now)


class Judgment(models.Model):
    """What a person said, by response id; append-only."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="judgments")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="judgments")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="judgments")
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    payload = models.JSONField()
    # The pairwise answer, -3..3, negative = response_a better; null for both bad and for other kinds.
    choice = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    order_shown = ArrayField(models.BigIntegerField())
    active_seconds = models.FloatField(null=True)
    guidelines_version = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    superseded_by = models.OneToOneField("self", null=True, on_delete=models.SET_NULL, related_name="supersedes")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "assignment", name="one_standing_judgment_per_assignment", condition=Q(superseded_by__isnull=True)
            ),
        )
        indexes = (
            models.Index(fields=["campaign", "annotator", "-id"], name="own_history"),
            models.Index(fields=["campaign", "comparison"], name="judgments_of_a_comparison"),
        )


class Consensus(models.Model):
    """The aggregated human label of a comparison, by one consensus method."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="consensus")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=32)
    # -3..3, null when undecided or when both-bad won.
    label = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    # Share of the votes, or posterior probability, behind the answer; 0..1.
    confidence = models.FloatField()
    votes = models.PositiveSmallIntegerField()
    posterior = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "comparison", "method", name="one_consensus_per_method"),)
        indexes = (models.Index(fields=["comparison", "-updated_at"], name="consensus_of_a_comparison"),)
