"""Work in the order of where a minute is worth most: a run finds it, by wish or after so many judgments.

The web process computes nothing here: the run writes the priorities when it is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from accounts.audit import record
from accounts.models import User
from accounts.problems import Invalid
from annotation.models import Campaign, CampaignState, Judgment, Unit
from ledger import catalogue
from ledger.models import FINISHED_STATES, Run, RunKind
from ledger.runs import request_run

METHOD = "next_to_annotate"
MOST_BETWEEN = 1_000_000
MOST_COUNTED = 10_000


class CannotBeOrdered(Invalid):
    code = "cannot_be_ordered"


class InvalidReorderEvery(Invalid):
    code = "invalid_reorder_every"


@dataclass(frozen=True)
class WorkOrder:
    """How the order of a campaign's tasks came about."""

    # None where nobody has changed it since the campaign was made.
    set_at: datetime | None
    # None where a person set it.
    run: Run | None
    # The run that is finding the next one.
    under_way: Run | None
    # Judgments since an order was last asked for, counted up to MOST_COUNTED.
    newer: int
    can_be_ordered: bool


def order_of(campaign: Campaign) -> WorkOrder:
    return WorkOrder(
        set_at=campaign.reordered_at,
        run=campaign.order_run,
        under_way=_under_way(campaign),
        newer=_newer(campaign)[:MOST_COUNTED].count(),
        can_be_ordered=campaign.unit == Unit.COMPARISON,
    )


def request_order(*, campaign: Campaign, requested_by: User | None) -> Run:
    """A queued run; the one that is under way already, if there is one."""
    if campaign.unit != Unit.COMPARISON:
        raise CannotBeOrdered(f"{campaign.name} asks about a {campaign.unit} at a time, not about comparisons.")
    card = catalogue.entry(METHOD)
    if card is None:
        raise CannotBeOrdered("No worker has published the method that orders work yet; start a worker first.")
    with transaction.atomic():
        # Not a plain lock, on which every claim would wait.
        held = Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        if under_way := _under_way(held):
            return under_way
        held.ordered_up_to = Judgment.objects.aggregate(newest=Max("id"))["newest"] or 0
        held.save(update_fields=["ordered_up_to"])
        return request_run(
            project=held.project,
            kind=RunKind.METHOD,
            method=METHOD,
            queue=card.card.queue,
            params={"campaign": held.pk},
            requested_by=requested_by,
        )


def change_reorder_every(*, campaign: Campaign, reorder_every: int, by: User | None) -> Campaign:
    """From now on a fresh run orders the open tasks after so many judgments; 0 = never."""
    if not 0 <= reorder_every <= MOST_BETWEEN:
        raise InvalidReorderEvery("This cannot be used.", {"reorder_every": f"must be 0 to {MOST_BETWEEN:,}"})
    if reorder_every and campaign.unit != Unit.COMPARISON:
        unit = f"this campaign asks about a {campaign.unit} at a time, not about comparisons"
        raise InvalidReorderEvery("This campaign cannot be ordered so.", {"reorder_every": unit})
    change = {"from": campaign.reorder_every, "to": reorder_every}
    with transaction.atomic():
        campaign.reorder_every = reorder_every
        campaign.save(update_fields=["reorder_every"])
        record(actor=by, project=campaign.project, action="change reordering", subject=campaign, details=change)
    return campaign


def request_due_orders() -> list[Run]:
    """A run for every open campaign that has had its number of judgments since the last one was asked for, whatever
    became of that; beat calls it."""
    wanting = Campaign.objects.filter(state=CampaignState.OPEN, reorder_every__gt=0, unit=Unit.COMPARISON)
    if catalogue.entry(METHOD) is None:
        return []
    return [
        request_order(campaign=campaign, requested_by=None)
        for campaign in wanting.select_related("project").order_by("id")
        if _is_due(campaign) and _under_way(campaign) is None
    ]


def _is_due(campaign: Campaign) -> bool:
    return _newer(campaign)[: campaign.reorder_every].count() >= campaign.reorder_every


def _newer(campaign: Campaign) -> QuerySet[Judgment]:
    """By number, not by time: votes of a file bear the times at which they were given."""
    return Judgment.objects.counting().filter(campaign=campaign, pk__gt=campaign.ordered_up_to)


def _under_way(campaign: Campaign) -> Run | None:
    runs = Run.objects.filter(project=campaign.project_id, method=METHOD, params__campaign=campaign.pk)
    return runs.exclude(state__in=FINISHED_STATES).order_by("-id").first()
