"""When a comparison has votes enough: `overlap` for each, then one more only while undecided, up to a most."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import User
from accounts.problems import Invalid
from annotation.models import Campaign, Unit
from annotation.quality.stop_rule import apply_stop_rule

MAX_JUDGMENTS = 100


class InvalidStopRule(Invalid):
    code = "invalid_stop_rule"


def change_stop_rule(*, campaign: Campaign, stop_rule: dict[str, Any] | None, by: User | None) -> Campaign:
    """Holds from the next answer on; None takes the rule away, and what it has asked for stays asked."""
    if problem := stop_rule_problem(stop_rule, overlap=campaign.overlap, unit=campaign.unit):
        raise InvalidStopRule("This stop rule cannot be used.", {"stop_rule": problem})
    change = {"from": campaign.stop_rule, "to": stop_rule}
    with transaction.atomic():
        campaign.stop_rule = stop_rule
        campaign.save(update_fields=["stop_rule"])
        apply_stop_rule(campaign)
        record(actor=by, project=campaign.project, action="change stop rule", subject=campaign, details=change)
    return campaign


def stop_rule_problem(rule: dict[str, Any] | None, *, overlap: int, unit: str) -> str | None:
    """What is wrong with {"max": judgments at most, "until": posterior of the leading answer}; None is no rule."""
    if rule is None:
        return None
    if unit != Unit.COMPARISON:
        return "goes with comparisons only: one more is asked for while their majority is undecided"
    if set(rule) != {"max", "until"}:
        return 'must be {"max": judgments at most, "until": posterior of the leading answer}, or null'
    most, until = rule["max"], rule["until"]
    if not isinstance(most, int) or isinstance(most, bool) or not overlap <= most <= MAX_JUDGMENTS:
        return f"max must be a whole number from {overlap} (what every task gets) to {MAX_JUDGMENTS}"
    if not isinstance(until, int | float) or isinstance(until, bool) or not 0.5 <= until < 1:
        return "until must be a number from 0.5 to below 1"
    return None
