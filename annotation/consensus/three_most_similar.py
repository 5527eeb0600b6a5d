"""The three most similar votes on a comparison, as HelpSteer aggregates them.

Idea
    Of three to five careful votes one is often a slip; the three that lie closest together are kept, and where even
    those lie apart the comparison has no answer.
Rule
    Among the votes that are numbers (-3..3) take the three with the smallest spread (largest less smallest); among
    equal ones the smallest variance, then the median nearest to the median of all, then the mean nearest to 0. Where
    triples with different means are left, which mirror each other, nothing is decided. A spread above MAX_SPREAD leaves
    it undecided. Else the label is the mean of the three, rounded (a third of a whole number is never a half). "Both
    bad" is no number and enters no mean; where such votes outnumber the numbers, both are bad. With fewer than three
    numbers: undecided.
Paper
    Z. Wang et al., "HelpSteer2-Preference: Complementing Ratings with Preferences", 2024.
Range
    -3..3, negative = response_a better. A mean that rounds to 0 is a tie; the published data leaves those pairs out.
Limits
    Dropping what people dispute raises every figure of agreement, and hides that they dispute: raw votes stay, and are
    exported. Not for two votes, nor for crowds whose members differ in care: fit Dawid-Skene there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from statistics import median
from typing import Any

from django.db import connection
from django.utils import timezone

from annotation.consensus.majority import BOTH_BAD, direction
from annotation.statements import first_row

METHOD = "three_most_similar"
MAX_SPREAD = 2
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Similar:
    # None when undecided or when both are bad.
    label: int | None
    is_both_bad: bool
    # Share of all votes that say what the answer says, or the most frequent thing where there is none; 0..1.
    confidence: float
    votes: int
    # The three votes kept, in ascending order; none when undecided.
    kept: Triple | None


def three_most_similar(answers: Iterable[int | str]) -> Similar:
    """The rule on one comparison's answers (-3..3 or "both_bad"), in whatever order."""
    given = list(answers)
    numbers = tuple(sorted(answer for answer in given if isinstance(answer, int)))
    return _decided(numbers, len(given) - len(numbers))


@lru_cache(maxsize=65536)
def _decided(numbers: tuple[int, ...], both_bad: int) -> Similar:
    votes = len(numbers) + both_bad
    said = Counter(map(direction, numbers)) + Counter({BOTH_BAD: both_bad})
    if both_bad > len(numbers):
        return Similar(None, True, both_bad / votes, votes, None)
    kept = closest(numbers)
    if kept is None:
        return Similar(None, False, max(said.values()) / votes, votes, None)
    label = round(sum(kept) / 3)
    return Similar(label, False, said[direction(label)] / votes, votes, kept)


def closest(numbers: tuple[int, ...]) -> Triple | None:
    """Of sorted numbers; the closest three are neighbours in that order."""
    triples = {(numbers[i], numbers[i + 1], numbers[i + 2]) for i in range(len(numbers) - 2)}
    if not triples:
        return None
    middle = Fraction(median(map(Fraction, numbers)))
    ranked = {triple: _distance(triple, middle) for triple in triples}
    nearest = min(ranked.values())
    best = sorted(triple for triple in triples if ranked[triple] == nearest)
    if best[0][2] - best[0][0] > MAX_SPREAD or len({sum(triple) for triple in best}) > 1:
        return None
    return best[0]


def _distance(triple: Triple, middle: Fraction) -> tuple[Fraction, ...]:
    mean = Fraction(sum(triple), 3)
    variance = sum(((number - mean) ** 2 for number in triple), Fraction(0))
    return Fraction(triple[2] - triple[0]), variance, abs(triple[1] - middle), abs(mean)


def refresh_similar(*, campaign_id: int, now: datetime | None = None) -> int:
    """Writes the consensus of a whole campaign; how many comparisons."""
    names: dict[str, Any] = {"campaign": campaign_id, "now": now or timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(_VOTES.format(where=""), names)
        rows = [_columns(*row) for row in cursor.fetchall()]
        if not rows:
            return 0
        columns = list(zip(*rows, strict=True))
        cursor.execute(_WRITE, names | dict(zip(_NAMES, map(list, columns), strict=True)))
        return len(rows)


def refresh_similar_comparison(*, campaign_id: int, comparison_id: int, now: datetime) -> None:
    """The caller holds the lock of the task, so that of two simultaneous votes the second sees the first."""
    names: dict[str, Any] = {"campaign": campaign_id, "comparison": comparison_id, "now": now}
    row = first_row(_VOTES_OF_ONE, names)
    if row is not None:
        found = zip(_NAMES, _columns(*row), strict=True)
        first_row(_WRITE + " RETURNING 1", names | {name: [value] for name, value in found})


def _columns(comparison_id: int, numbers: list[int] | None, both_bad: int) -> tuple[Any, ...]:
    decided = _decided(tuple(numbers or ()), both_bad)
    return (
        comparison_id,
        decided.label,
        decided.is_both_bad,
        decided.confidence,
        decided.votes,
        None if decided.kept is None else 3.0,
        _posterior(tuple(numbers or ()), both_bad),
    )


@lru_cache(maxsize=65536)
def _posterior(numbers: tuple[int, ...], both_bad: int) -> str:
    """The share of each answer among all votes."""
    said = Counter(map(direction, numbers)) + Counter({BOTH_BAD: both_bad})
    return json.dumps({name: round(count / said.total(), 6) for name, count in sorted(said.items())})


_NAMES = ("comparisons", "labels", "both_bad", "confidences", "votes", "effective", "posteriors")
_VOTES = """
SELECT comparison_id, array_agg(choice ORDER BY choice) FILTER (WHERE choice IS NOT NULL),
       count(*) FILTER (WHERE is_both_bad)
FROM annotation_judgment
WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
      AND comparison_id IS NOT NULL AND (is_both_bad OR choice IS NOT NULL) {where}
GROUP BY comparison_id
"""
_VOTES_OF_ONE = _VOTES.format(where="AND comparison_id = %(comparison)s")
_WRITE = """
INSERT INTO annotation_consensus AS held
    (campaign_id, comparison_id, method, label, is_both_bad, confidence, votes, effective_votes, posterior, updated_at)
SELECT %(campaign)s::bigint, comparison_id, 'three_most_similar', label, both_bad, confidence, votes, effective,
       posterior::jsonb, %(now)s::timestamptz
FROM unnest(%(comparisons)s::bigint[], %(labels)s::smallint[], %(both_bad)s::boolean[], %(confidences)s::float8[],
            %(votes)s::smallint[], %(effective)s::float8[], %(posteriors)s::text[])
     AS found (comparison_id, label, both_bad, confidence, votes, effective, posterior)
ON CONFLICT (campaign_id, comparison_id, method) DO UPDATE
    SET label = excluded.label, is_both_bad = excluded.is_both_bad, confidence = excluded.confidence,
        votes = excluded.votes, effective_votes = excluded.effective_votes, posterior = excluded.posterior,
        updated_at = excluded.updated_at
    -- Votes never become fewer: a refresh of the campaign that began before the newest one leaves its row alone.
    WHERE held.votes <= excluded.votes
"""
