"""How far people agree: raw agreement and Krippendorff's alpha, each with its n and a bootstrap interval.

Alpha is 1 - observed / expected disagreement over all pairs of answers to one item, with any number of answers per
item and missing ones (K. Krippendorff, "Content Analysis", 2004, chapter 11): 1 = perfect, 0 = as by chance.
nominal: any two different answers disagree fully. interval: by squared distance. ordinal: by the number of answers
that lie between.

Items with the same set of answers are interchangeable, so everything is computed on the distinct patterns of counts
with their multiplicities: exact, the bootstrap over items included, and as cheap for a million items as for ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from django.db import connection
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Metric = Literal["nominal", "ordinal", "interval"]

BOOTSTRAP_ROUNDS = 2000
# Below this a bootstrap over items tells nothing about other items.
MIN_ITEMS_FOR_INTERVAL = 10
SEED = 20_240_229
STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
DIRECTIONS = ("a", "tie", "b", "both_bad")


@dataclass(frozen=True)
class Estimate:
    """A statistic, or the reason why there is none."""

    # Items with at least two answers, and the answers on them.
    n_items: int
    n_answers: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n_items,
            "n_answers": self.n_answers,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class Patterns:
    """Distinct rows of answer counts (pattern x value) and how many items have each."""

    values: tuple[Any, ...]
    counts: Floats
    multiplicity: Floats

    @property
    def n_items(self) -> int:
        return int(self.multiplicity.sum())

    @property
    def n_answers(self) -> int:
        return int((self.counts.sum(axis=1) * self.multiplicity).sum())


def patterns_of(items: Iterable[Sequence[Any]]) -> Patterns:
    """From each item's answers; None stands for a missing one."""
    answered = [[answer for answer in answers if answer is not None] for answers in items]
    values = tuple(sorted({answer for answers in answered for answer in answers}))
    place = {value: column for column, value in enumerate(values)}
    rows: dict[tuple[int, ...], int] = {}
    for answers in answered:
        row = [0] * len(values)
        for answer in answers:
            row[place[answer]] += 1
        rows[tuple(row)] = rows.get(tuple(row), 0) + 1
    return _pairable(values, rows)


def _pairable(values: tuple[Any, ...], rows: dict[tuple[int, ...], int]) -> Patterns:
    """An item with one answer pairs with nothing, and counts in no statistic."""
    kept = {row: times for row, times in rows.items() if sum(row) >= 2}
    counts = np.array(list(kept), dtype=np.float64).reshape(len(kept), len(values))
    return Patterns(values, counts, np.array(list(kept.values()), dtype=np.float64))


def krippendorff_alpha(patterns: Patterns, metric: Metric, *, seed: int = SEED) -> Estimate:
    if reason := _too_few(patterns):
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    pairs = _coincidences(patterns)
    value = _alphas(patterns.multiplicity[None, :], pairs, patterns, metric)[0]
    if np.isnan(value):
        reason = "Everybody gave the same answer everywhere, so there is no disagreement to expect by chance."
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    return _with_interval(patterns, value, lambda weights: _alphas(weights, pairs, patterns, metric), seed)


def raw_agreement(patterns: Patterns, *, seed: int = SEED) -> Estimate:
    """The mean over items of the share of pairs of answers that are equal."""
    if reason := _too_few(patterns):
        return Estimate(patterns.n_items, patterns.n_answers, reason=reason)
    n = patterns.counts
    total = n.sum(axis=1)
    shares = (n * (n - 1)).sum(axis=1) / (total * (total - 1))

    def mean(weights: Floats) -> Floats:
        return np.asarray(weights @ shares / weights.sum(axis=1))

    return _with_interval(patterns, mean(patterns.multiplicity[None, :])[0], mean, seed)


def _too_few(patterns: Patterns) -> str:
    return "" if patterns.n_items else "No comparison has two answers yet, so nothing can be compared."


def _with_interval(patterns: Patterns, value: float, statistic: Callable[[Floats], Floats], seed: int) -> Estimate:
    if patterns.n_items < MIN_ITEMS_FOR_INTERVAL:
        reason = f"No interval: it takes {MIN_ITEMS_FOR_INTERVAL} comparisons with two answers."
        return Estimate(patterns.n_items, patterns.n_answers, float(value), reason=reason)
    rng = np.random.default_rng(seed)
    share = patterns.multiplicity / patterns.multiplicity.sum()
    drawn = statistic(rng.multinomial(patterns.n_items, share, size=BOOTSTRAP_ROUNDS).astype(np.float64))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Estimate(patterns.n_items, patterns.n_answers, float(value), float(low), float(high))


def _coincidences(patterns: Patterns) -> Floats:
    """o[p, c, k]: pairs of answers (c, k) within an item of pattern p, each divided by its answers less one."""
    n = patterns.counts
    pairs = n[:, :, None] * n[:, None, :]
    diagonal = np.arange(n.shape[1])
    pairs[:, diagonal, diagonal] -= n
    return np.asarray(pairs / (n.sum(axis=1) - 1)[:, None, None])


def _alphas(weights: Floats, pairs: Floats, patterns: Patterns, metric: Metric) -> Floats:
    """Alpha for each row of weights (one weight per pattern); nan where only one value occurs."""
    observed = np.tensordot(weights, pairs, axes=1)
    marginals = weights @ patterns.counts
    total = marginals.sum(axis=1)
    distance = _squared_distances(marginals, patterns.values, metric)
    expected_pairs = marginals[:, :, None] * marginals[:, None, :]
    within = (observed * distance).sum(axis=(1, 2)) / total
    between = (expected_pairs * distance).sum(axis=(1, 2)) / (total * (total - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(between > 0, 1 - within / between, np.nan))


def _squared_distances(marginals: Floats, values: tuple[Any, ...], metric: Metric) -> Floats:
    size = len(values)
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(size), (len(marginals), size, size))
    if metric == "interval":
        numbers = np.array(values, dtype=np.float64)
        return np.broadcast_to((numbers[:, None] - numbers[None, :]) ** 2, (len(marginals), size, size))
    # ordinal: the answers from c to k inclusive, less half of those at both ends.
    below = np.cumsum(marginals, axis=1)
    upto = np.maximum(below[:, :, None], below[:, None, :])
    before = np.minimum((below - marginals)[:, :, None], (below - marginals)[:, None, :])
    ends = (marginals[:, :, None] + marginals[:, None, :]) / 2
    distance = (upto - before - ends) ** 2
    diagonal = np.arange(size)
    distance[:, diagonal, diagonal] = 0.0
    return np.asarray(distance)


@dataclass(frozen=True)
class CampaignAgreement:
    n_judgments: int
    n_annotators: int
    # Of the judgments, those of annotators that the sample or a benchmark made up.
    n_simulated: int
    # On the direction: a, tie, b, both bad.
    raw: Estimate
    alpha_nominal: Estimate
    # On -3..3, without the answers "both bad", which are no number.
    alpha_ordinal: Estimate
    alpha_interval: Estimate
    answers: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "n_judgments": self.n_judgments,
            "n_annotators": self.n_annotators,
            "n_simulated": self.n_simulated,
            "answers": self.answers,
            "raw_agreement": self.raw.as_dict(),
            "alpha_nominal": self.alpha_nominal.as_dict(),
            "alpha_ordinal": self.alpha_ordinal.as_dict(),
            "alpha_interval": self.alpha_interval.as_dict(),
        }


def campaign_agreement(campaign_id: int) -> CampaignAgreement:
    with connection.cursor() as cursor:
        cursor.execute(_PATTERNS, {"campaign": campaign_id})
        rows: dict[tuple[int, ...], int] = {tuple(row[0]): row[1] for row in cursor.fetchall()}
        cursor.execute(_ANNOTATORS, {"campaign": campaign_id})
        annotators = int(cursor.fetchone()[0])
        cursor.execute(_SIMULATED, {"campaign": campaign_id})
        simulated = int(cursor.fetchone()[0])
    strengths = _pairable(STRENGTHS, _summed(rows, lambda row: row[:7]))
    directions = _pairable(DIRECTIONS, _summed(rows, lambda row: (sum(row[:3]), row[3], sum(row[4:7]), row[7])))
    answers = [sum(row[column] * times for row, times in rows.items()) for column in range(8)]
    return CampaignAgreement(
        n_judgments=sum(answers),
        n_annotators=annotators,
        n_simulated=simulated,
        raw=raw_agreement(directions),
        alpha_nominal=krippendorff_alpha(directions, "nominal"),
        alpha_ordinal=krippendorff_alpha(strengths, "ordinal"),
        alpha_interval=krippendorff_alpha(strengths, "interval"),
        answers=dict(zip([*(str(strength) for strength in STRENGTHS), "both_bad"], answers, strict=True)),
    )


def _summed(
    rows: dict[tuple[int, ...], int], merge: Callable[[tuple[int, ...]], tuple[int, ...]]
) -> dict[tuple[int, ...], int]:
    merged: dict[tuple[int, ...], int] = {}
    for row, times in rows.items():
        key = merge(row)
        merged[key] = merged.get(key, 0) + times
    return merged


_COUNTS = ", ".join(f"count(*) FILTER (WHERE choice = {strength})" for strength in STRENGTHS)
_PATTERNS = f"""
SELECT counts, count(*) FROM (
    SELECT ARRAY[{_COUNTS}, count(*) FILTER (WHERE is_both_bad)] AS counts
    FROM annotation_judgment
    WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
          AND comparison_id IS NOT NULL AND (is_both_bad OR choice IS NOT NULL)
    GROUP BY comparison_id
) AS item
GROUP BY counts ORDER BY counts
"""  # noqa: S608 - the strengths are the constants above
_ANNOTATORS = "SELECT count(DISTINCT annotator_id) FROM annotation_judgment WHERE campaign_id = %(campaign)s"
_SIMULATED = """
SELECT count(*) FROM annotation_judgment j JOIN accounts_user u ON u.id = j.annotator_id AND u.is_simulated
WHERE j.campaign_id = %(campaign)s AND j.superseded_by_id IS NULL AND j.purpose = 'work'
  AND (j.is_both_bad OR j.choice IS NOT NULL)
"""
