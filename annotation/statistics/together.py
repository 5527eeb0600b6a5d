"""What all people of a campaign say of a comparison: whether they say the same, and what came with the data.

Unanimous: the share of comparisons with two answers or more on which all answers are one and the same (a, tie, b, both
bad), with Wilson's interval. It falls with the number of answers, so compare only campaigns that ask as many.

Majority against the imported label: the mean over comparisons with votes and an imported label of 1 where the most
frequent answer has the sign of the label, 0 where not, and 1/k where k answers lead and one of them is it; interval by
drawing the comparisons again. An imported label is no truth: it may be made of the same votes, or be as noisy.

Two by two: Cohen's kappa of the people who share items, see cohen.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection

from accounts.models import User
from annotation.models import Campaign
from annotation.statistics.cohen import cohen_kappas
from annotation.statistics.estimates import Estimate, Floats, bootstrapped
from annotation.statistics.read import kept_until_answered, votes_of
from ledger.shares import Share

SHOWN_PAIRS = 10
# Places in a row of counts.
A, TIE, B = 0, 1, 2
NO_LABEL = "No comparison with votes has an imported label."
NO_PAIR = "No comparison has two answers yet, so nothing can be compared."


@dataclass(frozen=True)
class Together:
    unanimous: Estimate
    meets_label: Estimate


@dataclass(frozen=True)
class Two:
    first: User
    second: User
    kappa: Estimate


@dataclass(frozen=True)
class TwoByTwo:
    """The mean counts every pair alike; of the pairs those with most shared comparisons."""

    mean: Estimate
    n_pairs: int = 0
    shown: list[Two] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        pairs = [{"first": two.first.pk, "second": two.second.pk, **two.kappa.as_dict()} for two in self.shown]
        return {"mean": self.mean.as_dict(), "n_pairs": self.n_pairs, "pairs": pairs}


def together(campaign: Campaign) -> Together:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, {"campaign": campaign.id})
        rows = cursor.fetchall()
    counts = np.array([row[0] for row in rows], dtype=np.float64).reshape(len(rows), 4)
    times = np.array([row[2] for row in rows], dtype=np.float64)
    labelled = np.array([row[1] is not None for row in rows], dtype=bool)
    labels = np.array([row[1] or 0 for row in rows], dtype=np.int64)
    return Together(
        unanimous=_unanimous(counts, times),
        meets_label=_meets(counts[labelled], times[labelled], labels[labelled]),
    )


@kept_until_answered
def two_by_two(campaign: Campaign) -> TwoByTwo:
    votes = votes_of(campaign).counting
    found = cohen_kappas(votes.comparison, votes.annotator, votes.direction.astype(np.float64))
    shown = found.pairs[:SHOWN_PAIRS]
    people = User.objects.in_bulk([number for pair in shown for number in (pair.first, pair.second)])
    return TwoByTwo(
        mean=found.mean,
        n_pairs=len(found.pairs),
        shown=[Two(people[pair.first], people[pair.second], pair.kappa) for pair in shown],
    )


def _unanimous(counts: Floats, times: Floats) -> Estimate:
    several = counts.sum(axis=1) >= 2
    n_answers = int((counts[several].sum(axis=1) * times[several]).sum())
    same = several & (counts.max(axis=1, initial=0) == counts.sum(axis=1))
    share = Share(int(times[same].sum()), int(times[several].sum()))
    if share.interval is None:
        return Estimate(0, 0, reason=NO_PAIR)
    return Estimate(share.n, n_answers, share.value, *share.interval)


def _meets(counts: Floats, times: Floats, labels: Any) -> Estimate:
    if not len(counts):
        return Estimate(0, 0, reason=NO_LABEL)
    leads = counts == counts.max(axis=1, keepdims=True)
    place = np.select([labels < 0, labels > 0], [A, B], TIE)
    hits = leads[np.arange(len(counts)), place] / leads.sum(axis=1)

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ hits / weights.sum(axis=1))

    n_answers = int((counts.sum(axis=1) * times).sum())
    return bootstrapped(float(mean(times[None, :])[0]), mean, times, n_answers=n_answers)


_COUNTED = """
SELECT counts, sign(c.label)::int AS label, count(*) FROM (
    SELECT comparison_id, ARRAY[
        count(*) FILTER (WHERE choice < 0), count(*) FILTER (WHERE choice = 0), count(*) FILTER (WHERE choice > 0),
        count(*) FILTER (WHERE is_both_bad)
    ] AS counts
    FROM annotation_judgment
    WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
          AND comparison_id IS NOT NULL AND (is_both_bad OR choice IS NOT NULL)
    GROUP BY comparison_id
) AS item
JOIN corpus_comparison c ON c.id = item.comparison_id
GROUP BY 1, 2 ORDER BY 1, 2
"""
