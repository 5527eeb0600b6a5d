"""Taking a skip back: the item returns to its annotator, while there is still a place for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.problems import Conflict
from annotation.desk.assign import CampaignNotOpen, release, take_slot_again
from annotation.desk.items import ClaimedItem, claimed_item
from annotation.models import Assignment, AssignmentState, CampaignState, Purpose, Unit
from annotation.quality.seat import Seat, is_governed


class NotSkipped(Conflict):
    code = "not_skipped"


class PlaceTaken(Conflict):
    code = "place_taken"


def take_skip_back(*, assignment: Assignment, now: datetime | None = None) -> ClaimedItem:
    """Gives back the item that is held instead, whose draft stays; raises PlaceTaken when others have the places."""
    now = now or timezone.now()
    campaign = assignment.campaign
    if campaign.state != CampaignState.OPEN:
        raise CampaignNotOpen(f"The campaign {campaign.name!r} is {campaign.state}, so it gives out no work.")
    try:
        with transaction.atomic():
            # Locked before the assignment, as a claim does it.
            seat = Seat.take(campaign, assignment.annotator_id) if is_governed(campaign) else None
            if seat is not None and seat.refusal is not None:
                raise seat.refusal
            _return_to_annotator(assignment, now + timedelta(seconds=campaign.lease_seconds))
    except IntegrityError:
        raise Conflict("Another window of yours is claiming work at the same moment; try again.") from None
    return claimed_item(assignment.id, Unit(campaign.unit))


def _return_to_annotator(assignment: Assignment, expires_at: datetime) -> None:
    held = Assignment.objects.select_for_update(no_key=True).get(id=assignment.id)
    if held.state == AssignmentState.CLAIMED:
        return
    if held.state != AssignmentState.SKIPPED:
        raise NotSkipped(f"This item is {held.state}, so there is no skip to take back.")
    mine = Assignment.objects.filter(campaign_id=held.campaign_id, annotator_id=held.annotator_id)
    for other in mine.filter(state=AssignmentState.CLAIMED):
        release(assignment=other)
    if held.purpose == Purpose.WORK and not take_slot_again(assignment_id=held.id):
        raise PlaceTaken("Others have taken the places of this item meanwhile; it needs no answer from you.")
    held.state, held.skip_reason, held.lease_expires_at = AssignmentState.CLAIMED, "", expires_at
    held.save(update_fields=["state", "skip_reason", "lease_expires_at"])
