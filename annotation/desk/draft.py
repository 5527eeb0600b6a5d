"""An answer in the making, kept for the next visit."""

from __future__ import annotations

import re
from datetime import datetime

import orjson
from django.db import transaction
from django.utils import timezone

from accounts.problems import Conflict, Invalid
from annotation.kinds._base import Payload
from annotation.models import Assignment, AssignmentState, Draft

# Also an answer that is refused for its length is kept: 100,000 characters of any script.
MAX_DRAFT_BYTES = 512 * 1024
# Behind an even number of backslashes; an odd one writes of it, as code does.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class InvalidDraft(Invalid):
    code = "invalid_draft"


class NothingToDraft(Conflict):
    code = "not_claimed"


def save_draft(*, assignment: Assignment, payload: Payload, now: datetime | None = None) -> Draft:
    """Not validated as an answer: a draft may be half of one."""
    try:
        text = orjson.dumps(payload)
    except orjson.JSONEncodeError as error:
        raise InvalidDraft("A draft cannot hold half of a surrogate pair, or a number of more than 64 bits.") from error
    if len(text) > MAX_DRAFT_BYTES:
        raise InvalidDraft(f"A draft may hold {MAX_DRAFT_BYTES // 1024} KiB at most.")
    if _NUL.search(text):
        raise InvalidDraft("A draft cannot hold a NUL character.")
    with transaction.atomic():
        held = Assignment.objects.select_for_update(no_key=True).get(id=assignment.id)
        if held.state in {AssignmentState.SUBMITTED, AssignmentState.SKIPPED}:
            raise NothingToDraft(f"This item is {held.state}, so there is nothing to draft.")
        draft, _ = Draft.objects.update_or_create(
            assignment=held, defaults={"payload": payload, "updated_at": now or timezone.now()}
        )
    return draft
