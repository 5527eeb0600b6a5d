"""What a rubric asks: versioned, so that every judgment names the text it was given under."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Project, User


class Rubric(models.Model):
    """One version of a rubric; a change is a new version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rubrics")
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    # [{"id", "text", "answers": "yes_no" | "scale", "is_hard", ...}], as annotation.rubrics defines and checks it.
    criteria = models.JSONField()
    # Who wrote it: a person, a file, a model.
    origin = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", "version", name="one_text_per_rubric_version"),)

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
