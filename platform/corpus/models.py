"""What is compared and how it came in. Payload text lives here only."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models import Project


class Source(models.Model):
    """Where rows came from; sources are never silently pooled."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=120)
    format = models.CharField(max_length=32)
    licence = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("project", "name", name="one_source_per_name"),)

    def __str__(self) -> str:
        return self.name


class SourceFile(models.Model):
    """A file that was imported into a source, by the hash of its bytes."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    imported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("source", "sha256", name="one_row_per_file_content"),)


class Prompt(models.Model):
    """A conversation up to the assistant's turn."""

    # The unique constraints below already index by their first column; a second index would only slow the import.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    # [{"role": "user", "content": "..."}, ...]
    messages = models.JSONField()
    # sha256 of the canonical JSON of the messages.
    content_hash = models.BinaryField(max_length=32)
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint("project", "content_hash", name="one_prompt_per_content"),)


class Response(models.Model):
    """One assistant answer to a prompt."""

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="responses", db_index=False)
    content = models.TextField()
    generator = models.CharField(max_length=200, blank=True)
    # sha256 of the content.
    content_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (models.UniqueConstraint("prompt", "content_hash", name="one_response_per_content"),)


class Comparison(models.Model):
    """Two responses to one prompt; response_a has the smaller content hash, so the order tells nothing."""

    # The source's project and the responses' prompt once more, for queries. The constraints on source and responses
    # vouch for both; two more checks a row would cost the import a third of its speed.
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="comparisons", db_index=False)
    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    response_a = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="+")
    response_b = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="+")
    # The distinct imported labels, -3..3, negative = response_a better; two of them = contradicted.
    labels = ArrayField(models.SmallIntegerField(), default=list)
    # The one imported label, null without one or when contradicted. Kept beside `labels` for the index.
    label = models.SmallIntegerField(null=True)
    row_number = models.BigIntegerField()
    external_id = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint("source", "response_a", "response_b", name="one_comparison_per_pair_and_source"),
            models.CheckConstraint(
                condition=models.Q(label__isnull=True) | models.Q(label__gte=-3, label__lte=3),
                name="label_is_on_the_signed_scale",
            ),
        )
        indexes = (
            models.Index(fields=["project", "id"], name="comparisons_of_a_project"),
            models.Index(fields=["source", "id"], name="comparisons_of_a_source"),
            models.Index(fields=["prompt"], name="comparisons_of_a_prompt"),
        )

    @property
    def is_contradicted(self) -> bool:
        return len(self.labels) > 1
