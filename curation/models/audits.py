"""Blind checks of what a rule says of labels: a sample drawn once, answers that are only added, findings that stay."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison
from curation.models.decisions import Action, Recipe


class Unaudited(models.TextChoices):
    """What becomes of a rule that flips or drops on an opinion that no audit bears out."""

    MARK = "mark", "Act, and mark the rule as unaudited"
    REVIEW = "review", "Send its rows to review instead"
    REFUSE = "refuse", "Refuse to apply or freeze the recipe"


class Question(models.TextChoices):
    """What a sample is asked: whether the label is wrong, whether what the rule says of the text holds, or whether the
    label that the rule gives is right."""

    LABEL = "label"
    CLAIM = "claim"
    GIVEN = "given"


class AuditPolicy(models.Model):
    """A project without a row has the defaults."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="audit_policy")
    unaudited = models.CharField(max_length=8, choices=Unaudited.choices, default=Unaudited.MARK)
    # A rule that drops is audited once P(wrong) is shown to be above this; one that flips, above a half.
    drop_threshold = models.FloatField(default=0.35)
    # One that drops for what the text is, once P(holds) is shown to be above this.
    claim_threshold = models.FloatField(default=0.8)


class Audit(models.Model):
    """A sample of the rows that a rule acts on; without a recipe, of all labelled rows."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audits")
    recipe = models.ForeignKey(Recipe, null=True, on_delete=models.PROTECT, related_name="audits")
    rule = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=8, choices=Action.choices, blank=True)
    question = models.CharField(max_length=8, choices=Question.choices, default=Question.LABEL)
    # What the rule acts on: its condition, those before it, and its action.
    rule_key = models.CharField(max_length=64, blank=True)
    # By method that the rule reads: the run whose signals it read when the sample was drawn.
    runs = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    # Rows that could be drawn.
    population = models.PositiveIntegerField()
    # One entry per band: {"population", "size", "low", "high"}, the last two the strength it spans: of the votes, or of
    # the claim.
    bands = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    # What the answers say; empty until finished, never changed afterwards.
    findings = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "project",
                "rule_key",
                name="one_open_audit_per_rule",
                condition=Q(finished_at=None, cancelled_at=None),
            ),
        )


class AuditItem(models.Model):
    audit = models.ForeignKey(Audit, on_delete=models.CASCADE, related_name="items")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    # The order in which they are asked, from 0.
    position = models.PositiveIntegerField()
    band = models.PositiveSmallIntegerField()
    # The label that was in force before any recipe when the sample was drawn, or the one that the rule gives, hidden
    # from who answers; 0 for a tie or none, which only a sample of claims has.
    label = models.SmallIntegerField()
    # Half of each band shows the response that the label prefers first (of a claim: response_b).
    is_b_first = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint("audit", "position", name="one_item_per_place_in_an_audit"),
            models.UniqueConstraint("audit", "comparison", name="one_item_per_comparison_in_an_audit"),
        )


class Answer(models.TextChoices):
    """Which response is better, by its stored side whatever order was shown; or whether a claim holds."""

    A = "a"
    B = "b"
    TIE = "tie"
    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


class AuditAnswer(models.Model):
    """Only ever added; the one that nobody took back stands."""

    item = models.ForeignKey(AuditItem, on_delete=models.CASCADE, related_name="answers")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    answer = models.CharField(max_length=8, choices=Answer.choices)
    created_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("item", name="one_standing_answer_per_audited_item", condition=Q(undone_at=None)),
        )
