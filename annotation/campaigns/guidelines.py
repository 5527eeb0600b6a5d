"""What annotators are told: every text is a version, and every judgment names the one it was given under."""

from __future__ import annotations

from django.db import transaction

from accounts.audit import record
from accounts.models import Project, User
from annotation.models import Campaign, Guidelines


def change_guidelines(*, campaign: Campaign, text: str, by: User | None) -> Campaign:
    """From now on the campaign shows this text; what was judged before keeps the version it was judged under."""
    before = campaign.guidelines_version
    held = Guidelines.objects.filter(project=campaign.project, version=before) if before else Guidelines.objects.none()
    if held.filter(text=text).exists():
        return campaign
    with transaction.atomic():
        campaign.guidelines_version = guidelines_version(project=campaign.project, text=text, created_by=by)
        if campaign.guidelines_version != before:
            campaign.save(update_fields=["guidelines_version"])
            change = {"from": before, "to": campaign.guidelines_version}
            record(actor=by, project=campaign.project, action="change guidelines", subject=campaign, details=change)
    return campaign


def guidelines_version(*, project: Project, text: str | None, created_by: User | None) -> int | None:
    """The newest version, or a new one if the text differs from it; None text leaves them as they are."""
    newest = Guidelines.objects.filter(project=project).order_by("-version").first()
    if text is None or not text.strip() or (newest is not None and newest.text == text):
        return newest.version if newest else None
    version = newest.version + 1 if newest else 1
    Guidelines.objects.create(project=project, version=version, text=text, created_by=created_by)
    return version
