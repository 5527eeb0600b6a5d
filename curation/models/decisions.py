"""Recipes and what was decided, by rule or by hand; decisions are only ever added or undone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison


class Action(models.TextChoices):
    KEEP = "keep"
    FLIP = "flip"
    SOFTEN = "soften"
    DROP = "drop"
    REVIEW = "review"
    # By rule only: the label is a method's, on a comparison that had none.
    LABEL = "label"


class Recipe(models.Model):
    """One version of an ordered list of rules; first match wins."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="recipes")
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    document = models.JSONField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", "version", name="one_recipe_per_version"),)


class DecisionBatch(models.Model):
    """Decisions taken in one act, by a person or by a recipe; undone together."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="decision_batches")
    # Null when a recipe decided.
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    recipe = models.ForeignKey(Recipe, null=True, on_delete=models.PROTECT, related_name="batches")
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")


class Decision(models.Model):
    """What shall happen to a comparison in a release, and why."""

    batch = models.ForeignKey(DecisionBatch, on_delete=models.CASCADE, related_name="decisions")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=8, choices=Action.choices)
    # True when a person decided: a person outranks every recipe.
    is_by_hand = models.BooleanField()
    rule = models.CharField(max_length=120, blank=True)
    # The label this decision puts in force, -3..3; null where it releases nothing.
    label = models.SmallIntegerField(null=True)
    # The probability that the label holds, for soften.
    soften_to = models.FloatField(null=True)
    margin = models.FloatField(null=True)
    weight = models.FloatField(null=True)
    # The one in force: at most one by hand and one by rule, replaced by later ones and by undo.
    is_current = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "comparison", "is_by_hand", name="one_current_decision", condition=Q(is_current=True)
            ),
        )
        indexes = (models.Index(fields=["comparison", "-id"], name="decisions_of_a_comparison"),)
