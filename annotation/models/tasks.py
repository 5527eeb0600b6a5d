"""Who works on what."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from annotation.models.campaigns import Campaign
from corpus.models import Comparison, Prompt


class Task(models.Model):
    """Something to judge in a campaign: a narrow row, since every claim reads this table.

    A slot is a live claim or a judgment. Slots are counted by the order shown, so that the same two numbers
    hold the cap and keep the orders in balance. Of more than two responses, "a first" means in the order of
    `response_ids` and "b first" in the reverse of it, turned by as many places as the task's id and its slots say.

    A task of gold, training or qualification has cap 0, so that it is never dealt as work.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    comparison = models.ForeignKey(Comparison, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Where the unit is no comparison: the prompt, and those of its responses that are judged.
    prompt = models.ForeignKey(Prompt, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    response_ids = ArrayField(models.BigIntegerField(), null=True)
    priority = models.IntegerField(default=0)
    # How many judgments may be given.
    cap = models.PositiveSmallIntegerField()
    # Slots taken with response_a shown first, and with response_b shown first.
    slots_a_first = models.PositiveSmallIntegerField(default=0)
    slots_b_first = models.PositiveSmallIntegerField(default=0)
    # Judgments in; in no index, so that a submit rewrites no index entry.
    judged = models.PositiveSmallIntegerField(default=0)
    # When a place in it came free again, for those who had gone past it.
    returned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("campaign", "comparison", name="one_task_per_comparison"),
            models.UniqueConstraint(
                "campaign", "prompt", "response_ids", name="one_task_per_responses", condition=Q(prompt__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(comparison__isnull=False, prompt__isnull=True, response_ids__isnull=True)
                | Q(comparison__isnull=True, prompt__isnull=False, response_ids__isnull=False),
                name="a_comparison_or_responses_of_a_prompt",
            ),
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
            models.Index(
                fields=["campaign", "returned_at", "id"],
                name="tasks_that_came_back",
                condition=Q(returned_at__isnull=False, cap__gt=F("slots_a_first") + F("slots_b_first")),
            ),
        )


class Purpose(models.TextChoices):
    """Why somebody was given an item. Only work takes a slot and counts in what people said together."""

    WORK = "work"
    TRAINING = "training"
    QUALIFICATION = "qualification"
    GOLD = "gold"
    # A second look by the same person, sides swapped.
    REPEAT = "repeat"


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
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.WORK)
    # Response ids in the order shown, so that nothing ever has to remember a side.
    order_shown = ArrayField(models.BigIntegerField())
    is_b_first = models.BooleanField()
    claimed_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField()
    skip_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "task", "annotator", name="one_first_look_per_person_and_task", condition=~Q(purpose="repeat")
            ),
            models.UniqueConstraint(
                "task", "annotator", name="one_second_look_per_person_and_task", condition=Q(purpose="repeat")
            ),
            models.UniqueConstraint(
                "campaign", "annotator", name="one_live_claim_per_person", condition=Q(state="claimed")
            ),
        )
        indexes = (
            models.Index(fields=["campaign", "annotator", "-claimed_at"], name="last_claim_of_a_person"),
            models.Index(
                fields=["campaign", "lease_expires_at"], name="leases_by_expiry", condition=Q(state="claimed")
            ),
            # Few per person, so that counting them costs the same for somebody who has done a million.
            models.Index(fields=["campaign", "annotator"], name="looks_beside_work", condition=~Q(purpose="work")),
        )


class Passed(models.Model):
    """Up to where somebody has looked for open tasks in vain: what came free there since has a `returned_at`.

    Without it, the last claims of somebody who has done 200,000 tasks would look at all of them each time.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+", db_index=False)
    annotator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    # A place in the order of tasks: priority * -1, then id.
    rank = models.BigIntegerField()
    task = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("campaign", "annotator", name="one_mark_per_person"),)


class Draft(models.Model):
    """An answer in the making, kept until it is submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    payload = models.JSONField()
    updated_at = models.DateTimeField(default=timezone.now)
