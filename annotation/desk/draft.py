"""An answer in the making, kept for the next visit."""

from __future__ import annotations

from datetime import datetime

import orjson
from django.db import transaction
from django.utils import timezone

from accounts.problems import Conflict, Invalid
from annotation.kinds._base import Payload
from annotation.models import Assignment, AssignmentState, Draft

MAX_DRAFT_BYTES = 64 * 1024


class DraftTooLarge(Invalid):
    code = "invalid_draft"


class NothingToDraft(Conflict):
    code = "not_claimed"


def save_draft(*, assignment: Assignment, payload: Payload, now: datetime | None = None) -> Draft:
    """Not validated as an answer: a draft may be half of one."""
    text = orjson.dumps(payload)
    if len(text) > MAX_DRAFT_BYTES:
        raise DraftTooLarge(f"A draft may hold {MAX_DRAFT_BYTES // 1024} KiB at most.")
    if b"\\u0000" in text:
        raise DraftTooLarge("A draft cannot hold a NUL character.")
    with transaction.atomic():
        held = Assignment.objects.select_for_update(no_key=True).get(id=assignment.id)
        if held.state in {AssignmentState.SUBMITTED, AssignmentState.SKIPPED}:
            raise NothingToDraft(f"This item is {held.state}, so there is nothing to draft.")
        draft, _ = Draft.objects.update_or_create(
            assignment=held, defaults={"payload": payload, "updated_at": now or timezone.now()}
        )
    return draft
