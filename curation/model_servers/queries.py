from __future__ import annotations

from django.db.models import QuerySet

from accounts.models import Project
from curation.models import ModelServer


def servers_of(project: Project) -> QuerySet[ModelServer]:
    return ModelServer.objects.filter(project=project).select_related("added_by").order_by("url", "id")
