"""What people were asked and what they said. Judgments are only ever added."""

from __future__ import annotations

from typing import ClassVar

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
    # What the kind's own form asked, defaults filled in: tie, both bad, reason.
    settings = models.JSONField(default=dict)
    # The version annotators read here, null when the project has no guidelines.
    guidelines_version = models.PositiveIntegerField(null=True)
    overlap = models.PositiveSmallIntegerField(default=1)
    lease_seconds = models.PositiveIntegerField(default=900)
    state = models.CharField(max_length=16, choices=CampaignState.choices, default=CampaignState.OPEN)
    # The consensus method in force.
    consensus_method = models.CharField(max_length=32, default="majority")
    # The sources it took its comparisons from; empty = all of the project.
    source_ids = ArrayField(models.BigIntegerField(), default=list)
    # Written with the tasks, since counting a million of them on every page is not free.
    task_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_campaign_per_name"),)

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """A comparison in a campaign: a narrow row, since every claim reads this table.

    A slot is a live claim or a judgment. Slots are counted by the order shown, so that the same two numbers
    hold the cap and keep the orders in balance.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+", db_index=False)
    priority = models.IntegerField(default=0)
    # How many judgments may be given.
    cap = models.PositiveSmallIntegerField()
    # Slots taken with response_a shown first, and with response_b shown first.
    slots_a_first = models.PositiveSmallIntegerField(default=0)
    slots_b_first = models.PositiveSmallIntegerField(default=0)
    # Judgments in; in no index, so that a submit rewrites no index entry.
    judged = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint("campaign", "comparison", name="one_task_per_comparison"),
            models.CheckConstraint(
                condition=Q(cap__gte=F("slots_a_first") + F("slots_b_first")), name="never_more_slots_than_the_cap"
            ),
        )
        indexes = (
            # Ascending in both columns, so that "after my last one" is a single range of the index.
            models.Index(
                F("campaign"),
                F("priority") * -1,
                F("id"),
                name="open_tasks_in_order",
                condition=Q(cap__gt=F("slots_a_first") + F("slots_b_first")),
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

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=16, choices=AssignmentState.choices, default=AssignmentState.CLAIMED)
    # Response ids in the order shown, so that nothing ever has to remember a side.
    order_shown = ArrayField(models.BigIntegerField())
    is_b_first = models.BooleanField()
    claimed_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField()
    skip_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("task", "annotator", name="one_assignment_per_person_and_task"),
            models.UniqueConstraint(
                "campaign", "annotator", name="one_live_claim_per_person", condition=Q(state="claimed")
            ),
        )
        indexes = (
            models.Index(fields=["campaign", "annotator", "-claimed_at"], name="last_claim_of_a_person"),
            models.Index(
                fields=["campaign", "lease_expires_at"], name="leases_by_expiry", condition=Q(state="claimed")
            ),
        )


class Draft(models.Model):
    """An answer in the making, kept until it is submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    payload = models.JSONField()
    updated_at = models.DateTimeField(default=timezone.now)


class JudgmentQuerySet(models.QuerySet["Judgment"]):
    def standing(self) -> JudgmentQuerySet:
        """Without those that their author has replaced."""
        return self.filter(superseded_by__isnull=True)


class Judgment(models.Model):
    """What a person said, by response id; append-only."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="judgments", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.PROTECT, related_name="+", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="judgments", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=32)
    payload = models.JSONField()
    # The pairwise answer, -3..3, negative = response_a better; null for both bad and for other kinds.
    choice = models.SmallIntegerField(null=True)
    is_both_bad = models.BooleanField(default=False)
    order_shown = ArrayField(models.BigIntegerField())
    # Seconds the person was active on it, as the browser counted them.
    active_seconds = models.FloatField(null=True)
    guidelines_version = models.PositiveIntegerField(null=True)
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
    # The share of each answer: {"a": 0.67, "b": 0.33}.
    posterior = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "comparison", "method", name="one_consensus_per_method"),)
        indexes = (models.Index(fields=["comparison"], name="consensus_of_a_comparison"),)
