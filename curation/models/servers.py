"""Which model servers a project's texts may be sent to."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Project, User


class ModelServer(models.Model):
    """Listed by an owner; a row that is gone is no longer reached. Who listed and removed what is in the trail."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="model_servers")
    # As `curation.model_servers.address.canonical` writes it.
    url = models.CharField(max_length=300)
    # A folder of WINNOW_HOME/models with the model's tokenizer, for servers that do not tell token ids.
    tokenizer = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "model server"
        constraints = (models.UniqueConstraint("project", "url", name="one_model_server_per_url"),)
