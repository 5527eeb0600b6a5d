from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_save


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        from accounts.models import Membership

        post_save.connect(_joined, sender=Membership, dispatch_uid="take up campaign invitations")


def _joined(instance: Any, created: bool, **_ignored: Any) -> None:
    """An area below cannot call this one; a membership that a link made may lead into a campaign."""
    from annotation.campaigns.invite import take_up

    if created:
        take_up(instance)
