"""What is asked first: the priority of open tasks, highest first, and within one priority the order of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.problems import Invalid
from annotation.models import Campaign, Unit
from corpus.models import Source
from ledger.models import Run

PRIORITIES = range(-1_000_000, 1_000_001)
# With the campaign's id it is the key of the advisory lock that is held while an order is written.
ORDER_LOCK = 0x0DE4_0000_0000
# How many comparisons one call may name.
MAX_NAMED = 10_000


class InvalidPriority(Invalid):
    code = "invalid_priority"


def reprioritise(
    *,
    campaign: Campaign,
    by: User | None,
    priority: int = 0,
    comparisons: Sequence[int] | None = None,
    source: str | None = None,
    undecided: bool = False,
    shuffled: int | None = None,
    now: datetime | None = None,
) -> int:
    """Gives the named open tasks this priority, or (`shuffled`, a seed) every open task one by chance; how many.

    Whoever claims next begins at the start of the new order. Tasks that are full are left alone: nobody is asked.
    """
    names = {"campaign": campaign.id, "priority": priority, "seed": shuffled, "method": campaign.consensus_method}
    chosen = {"comparisons": comparisons, "source": source, "undecided": undecided or None, "shuffled": shuffled}
    which = _which(campaign, {name: value for name, value in chosen.items() if value is not None}, names)
    if priority not in PRIORITIES:
        limit = f"must be a whole number from {PRIORITIES.start} to {PRIORITIES.stop - 1}"
        raise InvalidPriority("This priority cannot be given.", {"priority": limit})
    value = _BY_CHANCE if shuffled is not None else "%(priority)s"
    with transaction.atomic(), connection.cursor() as cursor:
        _let_claims_wait(cursor, campaign)
        cursor.execute(_REPRIORITISE.format(value=value, which=which), names)
        count = int(cursor.rowcount)
        campaign.reordered_at, campaign.order_run = now or timezone.now(), None
        campaign.save(update_fields=["reordered_at", "order_run"])
        change = {"which": _said(chosen), "priority": None if shuffled is not None else priority, "tasks": count}
        record(actor=by, project=campaign.project, action="reprioritise tasks", subject=campaign, details=change)
    return count


def prioritise_by_run(*, campaign: Campaign, run: Run, ordered: Sequence[int], now: datetime | None = None) -> int:
    """Gives the open tasks of these comparisons, first = first, the order that a run found; how many it changed.

    For the transaction in which the run says that it is done: both hold, or neither. The first gets 0, as all tasks
    begin with, and each further one less, so that what a person raises afterwards comes before all of it.
    """
    if campaign.project_id != run.project_id or campaign.unit != Unit.COMPARISON:
        raise InvalidPriority(f"Run {run.pk} cannot order {campaign.name}: it is of other comparisons.")
    names: dict[str, Any] = {"campaign": campaign.pk, "comparisons": list(ordered), "lowest": PRIORITIES[0]}
    with transaction.atomic(), connection.cursor() as cursor:
        _let_claims_wait(cursor, campaign)
        cursor.execute(_ORDER, names)
        count = int(cursor.rowcount)
        campaign.reordered_at, campaign.order_run = now or timezone.now(), run
        campaign.save(update_fields=["reordered_at", "order_run"])
        change = {"run": run.pk, "ordered": len(ordered), "tasks": count}
        record(
            actor=run.requested_by, project=campaign.project, action="order tasks by run", subject=campaign,
            details=change,
        )  # fmt: skip
    return count


def has_another_order(campaign: Campaign) -> bool:
    """Whether its tasks have been put in another order since the campaign was read; waits for one that is being
    written. For whoever finds nothing to claim: claims step over tasks that are locked, and then all may be.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ORDER_LOCK | campaign.pk])
    now = Campaign.objects.filter(pk=campaign.pk).values_list("reordered_at", flat=True).first()
    is_another = now != campaign.reordered_at
    campaign.reordered_at = now
    return is_another


def _let_claims_wait(cursor: Any, campaign: Campaign) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ORDER_LOCK | campaign.pk])


def _which(campaign: Campaign, chosen: dict[str, Any], names: dict[str, Any]) -> str:
    if len(chosen) != 1:
        raise InvalidPriority(
            "Say which tasks: by comparisons, by source, undecided, or shuffled; one of these.",
            {"comparisons": "one of comparisons, source, undecided, shuffled"},
        )
    [(name, value)] = chosen.items()
    if name in {"comparisons", "undecided"} and campaign.unit != Unit.COMPARISON:
        unit = f"this campaign asks about a {campaign.unit} at a time, not about comparisons"
        raise InvalidPriority("These tasks cannot be named so.", {name: unit})
    if name == "comparisons":
        if len(value) > MAX_NAMED:
            raise InvalidPriority("Too many at once.", {"comparisons": f"at most {MAX_NAMED:,} at once"})
        names["comparisons"] = list(value)
    elif name == "source":
        names["source"] = _source(campaign, value)
        return _OF_SOURCE[Unit(campaign.unit)]
    return _WHICH[name]


def _source(campaign: Campaign, name: str) -> int:
    found = Source.objects.filter(project=campaign.project, name=name).values_list("id", flat=True).first()
    if found is None:
        raise InvalidPriority("There is no such source.", {"source": f"unknown here: {name}"})
    return int(found)


def _said(chosen: dict[str, Any]) -> dict[str, Any]:
    """For the audit trail: what was asked for, lists by their length."""
    said = {name: value for name, value in chosen.items() if value is not None}
    if "comparisons" in said:
        said["comparisons"] = len(said["comparisons"])
    return said


_REPRIORITISE = """
UPDATE annotation_task t SET priority = {value}
WHERE t.campaign_id = %(campaign)s AND t.cap > t.slots_a_first + t.slots_b_first AND t.priority <> {value} {which}
"""
# Beyond a million places all the rest share the last.
_ORDER = """
UPDATE annotation_task t SET priority = greatest(1 - ordered.place, %(lowest)s)
FROM unnest(%(comparisons)s::bigint[]) WITH ORDINALITY AS ordered (comparison, place)
WHERE t.campaign_id = %(campaign)s AND t.comparison_id = ordered.comparison
  AND t.cap > t.slots_a_first + t.slots_b_first
  AND t.priority <> greatest(1 - ordered.place, %(lowest)s)
"""
# 0 to 999,999, the same for the same seed and task.
_BY_CHANCE = "(abs(hashint8extended(t.id, %(seed)s) %% 1000000))::integer"
_WHICH = {
    "comparisons": "AND t.comparison_id = ANY(%(comparisons)s)",
    "undecided": """AND t.comparison_id IN (
        SELECT k.comparison_id FROM annotation_consensus k
        WHERE k.campaign_id = %(campaign)s AND k.method = %(method)s AND k.label IS NULL AND NOT k.is_both_bad)""",
    "shuffled": "",
}
_OF_PROMPTS = "AND t.prompt_id IN (SELECT c.prompt_id FROM corpus_comparison c WHERE c.source_id = %(source)s)"
_OF_SOURCE = {
    Unit.COMPARISON: "AND t.comparison_id IN (SELECT c.id FROM corpus_comparison c WHERE c.source_id = %(source)s)",
    Unit.PROMPT: _OF_PROMPTS,
    Unit.RESPONSE: _OF_PROMPTS,
}
