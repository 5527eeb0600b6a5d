"""How long people take for an answer, and how many they give in an hour of work.

Idea
    The clock of the browser counts a person as active while the page is in sight and something was done in the last
    minute, so breaks are not in it. The median is told, since one long look does not make a slow person.
Formula
    Median of active seconds; its 95 % interval are the order statistics number n / 2 -+ 0.98 sqrt(n), which assumes
    nothing of the distribution. Answers per hour: 3600 / mean gap from answer to answer, where a gap longer than
    BREAK_SECONDS is a break and left out; its interval is that of the mean by the normal approximation.
Units
    Seconds per answer; answers per hour.
Limits
    A slow person may be thorough, or have got the long texts; this is no measure of quality. Answers by API and from
    files often bring no clock, and then there is no figure. Neighbouring answers are taken as independent.
"""

from __future__ import annotations

import numpy as np

from annotation.statistics.columns import Column
from annotation.statistics.estimates import Floats, Ints
from ledger.shares import Z_95

MIN_TIMED = 10
BREAK_SECONDS = 300.0
NO_CLOCK = "Needs 10 answers with a clock; there are {n}."


def median_seconds(person: Ints, seconds: Floats, n_people: int) -> Column:
    known = ~np.isnan(seconds)
    person, seconds = person[known], seconds[known]
    order = np.lexsort((seconds, person))
    ranked = np.append(seconds[order], 0.0)
    n = np.bincount(person, minlength=n_people)
    start = np.cumsum(n) - n

    def at(rank: Floats) -> Floats:
        place = np.clip(rank, 0, np.maximum(n - 1, 0)).astype(np.int64)
        return np.where(n >= MIN_TIMED, ranked[np.minimum(start + place, len(ranked) - 1)], np.nan)

    middle = (n - 1) / 2
    half = Z_95 / 2 * np.sqrt(n)
    value = (at(np.floor(middle)) + at(np.ceil(middle))) / 2
    return Column(value, at(np.floor(n / 2 - half)), at(np.ceil(n / 2 + half)), n, NO_CLOCK)


def answers_per_hour(person: Ints, at: Floats, is_timed: Floats, n_people: int) -> Column:
    """`is_timed` is 1 where a browser was at work: in a file many answers bear one and the same time."""
    order = np.lexsort((at, person))
    who, when, timed = person[order], at[order], is_timed[order]
    gap = np.diff(when)
    kept = (who[1:] == who[:-1]) & (gap > 0) & (gap <= BREAK_SECONDS) & (timed[1:] > 0)
    whose, gap = who[1:][kept], gap[kept]
    n = np.bincount(whose, minlength=n_people)
    safe = np.maximum(n, 2)
    mean = np.bincount(whose, gap, n_people) / safe
    variance = np.maximum(np.bincount(whose, gap**2, n_people) / safe - mean**2, 0) * safe / (safe - 1)
    half = Z_95 * np.sqrt(variance / safe)
    known = (n >= MIN_TIMED) & (mean > 0)

    def rate(of: Floats) -> Floats:
        return np.where(known, 3600 / np.maximum(of, 1e-3), np.nan)

    return Column(rate(mean), rate(mean + half), rate(np.maximum(mean - half, mean / 10)), n, NO_CLOCK)
