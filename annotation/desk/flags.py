"""What an annotator wants the curator to see. A flag changes nothing about the item: it can still be answered."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.problems import Invalid
from annotation.models import Assignment, Campaign, Flag

MAX_NOTE_CHARACTERS = 2000
FLAG_REASONS = (
    "The text is broken or missing",
    "It holds personal or private data",
    "It is harmful, or asks for harm",
    "The guidelines do not cover it",
    "It is a duplicate",
)
OTHER_REASON = "Something else"


class FlagRefused(Invalid):
    code = "invalid_flag"


def raise_flag(*, assignment: Assignment, reason: str = "", note: str = "", now: datetime | None = None) -> Flag:
    """The same flag again, unresolved, is the same flag."""
    problems = {}
    if not reason.strip() and not note.strip():
        problems["reason"] = "needs a reason or a note"
    if len(reason) > 200 or "\0" in reason:
        problems["reason"] = "must be at most 200 characters, without NUL"
    if len(note) > MAX_NOTE_CHARACTERS or "\0" in note:
        problems["note"] = f"must be at most {MAX_NOTE_CHARACTERS} characters, without NUL"
    if problems:
        raise FlagRefused("This flag cannot be taken.", problems)
    flag, _ = Flag.objects.get_or_create(
        campaign_id=assignment.campaign_id,
        task_id=assignment.task_id,
        annotator_id=assignment.annotator_id,
        reason=reason.strip() or OTHER_REASON,
        note=note.strip(),
        resolved_at=None,
        defaults={"created_at": now or timezone.now()},
    )
    return flag


def resolve_flag(*, flag: Flag, by: User, now: datetime | None = None) -> bool:
    """False when somebody has done so before."""
    held = Flag.objects.filter(id=flag.id, resolved_at=None)
    return bool(held.update(resolved_by=by, resolved_at=now or timezone.now()))


def open_flags(campaign: Campaign) -> QuerySet[Flag]:
    """Oldest first."""
    held = Flag.objects.filter(campaign=campaign, resolved_at=None)
    return held.select_related("annotator", "task__comparison__prompt", "task__prompt").order_by("id")
