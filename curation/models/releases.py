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
    # Null until frozen; never changed afterwards.
    frozen_at = models.DateTimeField(null=True)
    content_sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_release_per_name"),)


class ReleaseRow(models.Model):
    """Where a comparison stands in a release, and which rule or person put it there."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="rows")
    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="+")
    split = models.CharField(max_length=10, choices=Split.choices)
    action = models.CharField(max_length=8, choices=Action.choices)
    label = models.SmallIntegerField()
    reason = models.TextField()

    class Meta:
        constraints = (models.UniqueConstraint("release", "comparison", name="one_row_per_release_and_comparison"),)
        indexes = (models.Index(fields=["comparison"], name="releases_of_a_comparison"),)
