"""How far a campaign is, how fast it goes, and when it may be done."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from annotation.campaigns.freshness import kept
from annotation.models import Campaign, CampaignState

# Whole days behind the forecast, at most; today is not over and does not count.
FORECAST_DAYS = 7
# Two-sided 95 % quantiles of Student's t by degrees of freedom.
T_95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}
# More days than this are shown by the week.
MOST_DAYS = 60


@dataclass(frozen=True)
class Period:
    """Judgments given from this day on: of one day or one week (UTC)."""

    start: date
    judgments: int


@dataclass(frozen=True)
class Pace:
    """Judgments per day or week, without gaps; a period that has not ended is the last one."""

    unit: str
    periods: Sequence[Period]

    @property
    def n(self) -> int:
        return sum(period.judgments for period in self.periods)


@dataclass(frozen=True)
class Forecast:
    """Days until all wanted judgments are in, at the rate of the last whole days; or the reason why there is none."""

    # Judgments a day: their mean, with the interval of the mean at 95 %.
    rate: float | None = None
    low_rate: float | None = None
    high_rate: float | None = None
    # Whole days that the rate is of.
    n_days: int = 0
    days: int | None = None
    least_days: int | None = None
    # None where the slowest rate is no rate at all.
    most_days: int | None = None
    reason: str = ""


def judgments_by_day(campaign: Campaign) -> dict[date, int]:
    """Standing judgments given as work, by the day (UTC) they were given on."""
    return kept(f"{campaign.pk}:days", campaign.task_count, lambda: _by_day(campaign))


def pace_of(by_day: dict[date, int], *, today: date) -> Pace:
    """From the first day with a judgment to the last one, and up to today while that is near."""
    if not by_day:
        return Pace("day", ())
    first, last = min(by_day), max(by_day)
    if (today - last).days <= FORECAST_DAYS:
        last = max(last, today)
    if (last - first).days < MOST_DAYS:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return Pace("day", [Period(day, by_day.get(day, 0)) for day in days])
    weeks: dict[date, int] = {}
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        weeks[monday] = sum(by_day.get(monday + timedelta(days=number), 0) for number in range(7))
        monday += timedelta(days=7)
    return Pace("week", [Period(start, judgments) for start, judgments in weeks.items()])


def forecast(campaign: Campaign, by_day: dict[date, int], *, left: int, now: datetime) -> Forecast:
    """The mean rate of the last whole days with its t interval; the range of days follows from the range of rates."""
    if campaign.state == CampaignState.CLOSED or left <= 0:
        return Forecast(reason="Nothing more is asked for." if left <= 0 else "The campaign is closed.")
    today = now.astimezone(UTC).date()
    first = min(by_day, default=today)
    days = [today - timedelta(days=number) for number in range(1, FORECAST_DAYS + 1)]
    counts = [by_day.get(day, 0) for day in days if day >= first]
    if len(counts) < 2:
        return Forecast(n_days=len(counts), reason="A forecast takes two whole days of judgments.")
    rate = statistics.fmean(counts)
    if not rate:
        return Forecast(n_days=len(counts), reason=f"Nobody judged in the last {len(counts)} whole days.")
    half = T_95[len(counts) - 1] * statistics.stdev(counts) / math.sqrt(len(counts))
    low, high = max(0.0, rate - half), rate + half
    return Forecast(
        rate=rate,
        low_rate=low,
        high_rate=high,
        n_days=len(counts),
        days=math.ceil(left / rate),
        least_days=math.ceil(left / high),
        most_days=math.ceil(left / low) if low else None,
    )


def _by_day(campaign: Campaign) -> dict[date, int]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, {"campaign": campaign.pk})
        return dict(cursor.fetchall())


_BY_DAY = """
SELECT (created_at AT TIME ZONE 'UTC')::date, count(*) FROM annotation_judgment
WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
GROUP BY 1 ORDER BY 1
"""
