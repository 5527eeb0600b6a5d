"""How far a person's answers can be trusted: by the consensus that was fitted, else by the truth of biases.py."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotation.models import AnnotatorReliability, Campaign
from annotation.statistics.columns import Column
from annotation.statistics.people import CampaignPeople

LABELS = {"dawid_skene": "Dawid-Skene", "mace": "MACE", "glad": "GLAD", "bradley_terry": "Bradley-Terry"}


@dataclass(frozen=True)
class Reliability:
    column: Column
    # Who says so.
    by: str
    # Whether it is a share, 0..1.
    is_share: bool


def reliability_of(campaign: Campaign, people: CampaignPeople) -> Reliability:
    """Of the method in force if it was fitted, else of the one fitted last."""
    held = AnnotatorReliability.objects.filter(campaign=campaign)
    in_force = held.filter(method=campaign.consensus_method)
    newest = in_force.first() or held.order_by("-updated_at", "-id").first()
    if newest is None:
        return Reliability(people.columns["accuracy"], "share of preferences for the likely better one", True)
    rows = list(held.filter(method=newest.method).values_list("annotator_id", "value", "low", "high", "n"))
    places = {int(annotator): place for place, annotator in enumerate(people.annotators)}
    table = np.full((len(places), 3), np.nan)
    n = np.zeros(len(places), dtype=np.int64)
    for annotator, value, low, high, votes in rows:
        if annotator in places and value is not None:
            table[places[annotator]] = [value, value if low is None else low, value if high is None else high]
            n[places[annotator]] = votes
    is_share = not len(rows) or bool(np.all((table >= 0) & (table <= 1) | np.isnan(table)))
    name = LABELS.get(newest.method, newest.method)
    reason = f"{name} has not been fitted to this person's answers."
    return Reliability(Column(table[:, 0], table[:, 1], table[:, 2], n, reason), name, is_share)
