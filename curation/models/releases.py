"""Immutable, content-hashed versions of the curated dataset."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Project, User
from corpus.models import Comparison
from curation.models.decisions import Action, Recipe
from ledger.models import Run


class Split(models.TextChoices):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Release(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="releases")
    name = models.CharField(max_length=120)
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="releases")
    run = models.OneToOneField(Run, null=True, on_delete=models.PROTECT, related_name="release")
    # Decisions, judgments and runs up to this moment count.
    as_of = models.DateTimeField(default=timezone.now)
    # Percent of the prompts per split.
    shares = models.JSONField(default=dict)
    # Null until frozen; never changed afterwards.
    frozen_at = models.DateTimeField(null=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_release_per_name"),)


class ReleaseRow(models.Model):
    """Where a comparison stands in a release, and which rule or person put it there.

    It holds whatever may change after the freeze, so that the files can be written again to the same bytes.
    """

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="rows", db_index=False)
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+", db_index=False)
    split = models.CharField(max_length=10, choices=Split.choices)
    # Its place in the files of its split, from 0.
    position = models.PositiveIntegerField()
    action = models.CharField(max_length=8, choices=Action.choices)
    label = models.SmallIntegerField()
    reason = models.TextField()
    # Blank where a person decided and no rule matched.
    rule = models.CharField(max_length=120, blank=True)
    is_by_hand = models.BooleanField()
    soften_to = models.FloatField(null=True)
    margin = models.FloatField(null=True)
    weight = models.FloatField(null=True)
    imported_label = models.SmallIntegerField(null=True)
    consensus_label = models.SmallIntegerField(null=True)
    consensus_confidence = models.FloatField(null=True)
    votes = models.PositiveSmallIntegerField()
    # How many of the votes were made up by the sample or a benchmark.
    simulated_votes = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint("release", "comparison", name="one_row_per_release_and_comparison"),
            models.UniqueConstraint("release", "split", "position", name="one_row_per_place_in_a_split"),
        )
        indexes = (models.Index(fields=["comparison"], name="releases_of_a_comparison"),)
