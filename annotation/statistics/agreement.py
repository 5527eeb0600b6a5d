"""How far the people of one campaign agree: all together, over time, and per subject.

An item counts with its standing answers given as work: of a revised answer only the newest. Both figures and
intervals are those of alpha.py and fleiss.py. The direction of an answer is a, tie, b or both bad; its strength -3..3
leaves "both bad" out, which is no number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection

from annotation.models import Campaign
from annotation.statistics.alpha import krippendorff_alpha, raw_agreement
from annotation.statistics.estimates import Estimate
from annotation.statistics.fleiss import fleiss_kappa
from annotation.statistics.patterns import Patterns, Row, merged, pairable

STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
DIRECTIONS = ("a", "tie", "b", "both_bad")
# Days that are told one by one; a longer campaign is told by ISO weeks.
MOST_DAYS = 21
# Items with two answers that a period or a subject needs before a figure of it means anything.
MIN_ITEMS = 10
# One of many curves needs no third digit of its band.
ROUNDS_EACH = 400


@dataclass(frozen=True)
class CampaignAgreement:
    n_judgments: int
    n_annotators: int
    # Of the judgments, those of annotators that the sample or a benchmark made up.
    n_simulated: int
    # On the direction.
    raw: Estimate
    alpha_nominal: Estimate
    fleiss: Estimate
    # On the strength.
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
            "fleiss_kappa": self.fleiss.as_dict(),
            "alpha_ordinal": self.alpha_ordinal.as_dict(),
            "alpha_interval": self.alpha_interval.as_dict(),
        }


@dataclass(frozen=True)
class AgreementPoint:
    """The items whose newest answer came in the period that begins on this day (UTC)."""

    start: date
    raw: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class AgreementOverTime:
    # day or week (ISO, from Monday)
    period: str
    # Oldest first; a period without items has no point.
    points: list[AgreementPoint]


@dataclass(frozen=True)
class SubjectAgreement:
    """`subject` is what the prompt's metadata says, else the name of the source."""

    subject: str
    raw: Estimate
    alpha: Estimate


def campaign_agreement(campaign: Campaign) -> CampaignAgreement:
    with connection.cursor() as cursor:
        cursor.execute(_PATTERNS, {"campaign": campaign.id})
        rows: dict[Row, int] = {tuple(row[0]): row[1] for row in cursor.fetchall()}
        cursor.execute(_PEOPLE, {"campaign": campaign.id})
        annotators, simulated = cursor.fetchone()
    directions = _directions(rows)
    strengths = pairable(STRENGTHS, merged(rows, lambda row: row[:7]))
    answers = [sum(row[column] * times for row, times in rows.items()) for column in range(8)]
    return CampaignAgreement(
        n_judgments=sum(answers),
        n_annotators=annotators,
        n_simulated=simulated,
        raw=raw_agreement(directions),
        alpha_nominal=krippendorff_alpha(directions, "nominal"),
        fleiss=fleiss_kappa(directions),
        alpha_ordinal=krippendorff_alpha(strengths, "ordinal"),
        alpha_interval=krippendorff_alpha(strengths, "interval"),
        answers=dict(zip([*(str(strength) for strength in STRENGTHS), "both_bad"], answers, strict=True)),
    )


def agreement_over_time(campaign: Campaign) -> AgreementOverTime:
    """Nominal alpha and raw agreement per day, or per week once the campaign is long."""
    by_day: dict[date, dict[Row, int]] = {}
    for day, row, times in _grouped(_PATTERNS_BY_DAY, campaign):
        by_day.setdefault(day, {})[row] = times
    if len(by_day) <= MOST_DAYS:
        return AgreementOverTime("day", [_point(day, by_day[day]) for day in sorted(by_day)])
    by_week: dict[date, dict[Row, int]] = {}
    for day, rows in by_day.items():
        week = by_week.setdefault(day - timedelta(days=day.weekday()), {})
        for row, times in rows.items():
            week[row] = week.get(row, 0) + times
    return AgreementOverTime("week", [_point(day, by_week[day]) for day in sorted(by_week)])


def agreement_per_subject(campaign: Campaign) -> list[SubjectAgreement]:
    """Most items first."""
    by_subject: dict[str, dict[Row, int]] = {}
    for subject, row, times in _grouped(_PATTERNS_BY_SUBJECT, campaign):
        by_subject.setdefault(subject, {})[row] = times
    found = [SubjectAgreement(subject, *_two(rows)) for subject, rows in by_subject.items()]
    return sorted(found, key=lambda one: (-one.raw.n_items, one.subject))


def _point(start: date, rows: dict[Row, int]) -> AgreementPoint:
    return AgreementPoint(start, *_two(rows))


def _two(rows: dict[Row, int]) -> tuple[Estimate, Estimate]:
    directions = _directions(rows)
    if 0 < directions.n_items < MIN_ITEMS:
        reason = f"Fewer than {MIN_ITEMS} comparisons with two answers."
        few = Estimate(directions.n_items, directions.n_answers, reason=reason)
        return few, few
    return (
        raw_agreement(directions, rounds=ROUNDS_EACH),
        krippendorff_alpha(directions, "nominal", rounds=ROUNDS_EACH),
    )


def _directions(rows: dict[Row, int]) -> Patterns:
    return pairable(DIRECTIONS, merged(rows, lambda row: (sum(row[:3]), row[3], sum(row[4:7]), row[7])))


def _grouped(statement: str, campaign: Campaign) -> list[tuple[Any, Row, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"campaign": campaign.id})
        return [(key, tuple(row), times) for key, row, times in cursor.fetchall()]


_COUNTS = ", ".join(f"count(*) FILTER (WHERE choice = {strength})" for strength in STRENGTHS)
_COUNTING = """
    FROM annotation_judgment
    WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL AND purpose = 'work'
          AND comparison_id IS NOT NULL AND (is_both_bad OR choice IS NOT NULL)
"""
_ITEMS = f"""(
    SELECT comparison_id, max(created_at) AS last_at, ARRAY[{_COUNTS}, count(*) FILTER (WHERE is_both_bad)] AS counts
    {_COUNTING}
    GROUP BY comparison_id
) AS item"""
_PATTERNS = f"SELECT counts, count(*) FROM {_ITEMS} GROUP BY counts ORDER BY counts"  # noqa: S608
_PATTERNS_BY_DAY = f"""
SELECT (last_at AT TIME ZONE 'UTC')::date AS day, counts, count(*) FROM {_ITEMS} GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608
_PATTERNS_BY_SUBJECT = f"""
SELECT coalesce(nullif(p.metadata->>'subject', ''), s.name) AS subject, counts, count(*)
FROM {_ITEMS}
JOIN corpus_comparison c ON c.id = item.comparison_id
JOIN corpus_prompt p ON p.id = c.prompt_id
JOIN corpus_source s ON s.id = c.source_id
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608
_PEOPLE = f"""
SELECT count(DISTINCT annotator_id),
       count(*) FILTER (WHERE annotator_id IN (SELECT id FROM accounts_user WHERE is_simulated))
{_COUNTING}
"""  # noqa: S608
