"""The words that methods put to models: what a person might say next, what a domain asks for."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Project, User


class Wording(models.Model):
    """One version, never changed: a run names the one it used. Version 0 is the bundled one, which has no row."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="wordings")
    # A file of `curation.wordings`.
    kind = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    document = models.JSONField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "kind", "version", name="one_wording_per_version"),)
