"""What people said of single responses: each attribute of a rating and each criterion of a rubric by itself.

Mean
    m = S / N over all answers, a yes as 1 and a no as 0; "n/a" is no number and is counted apart. Answers to one item
    are not independent (the same prompt, often the same person on both responses), so the interval is over items:
    with s_k the sum and n_k the number of the answers to item k of K,

        m ± t(0.975, K - 1) * sqrt( K / (K - 1) * sum_k (s_k - m n_k)^2 ) / N

    which is the linearised interval of a ratio from clusters (W. Cochran, "Sampling Techniques", 1977, section 6.4 and
    9A.2). Where every answer is the same that width is 0, which says too much: of a rate the Wilson interval of K items
    is given then, of a mean none. Range: that of the scale; 0..1 for yes and no. It takes 10 items.

Agreement
    Krippendorff's alpha over (item, response) with two answers or more: ordinal on scales, "n/a" left out; nominal on
    yes / no / n/a.

Distribution
    How many answers gave each value.

Correlation
    Pearson's r of choice (positive = response_b better) with the difference of the attribute (b less a), both averaged
    per comparison; n = comparisons, interval by Fisher's z. HelpSteer2-Preference reports 0.90 for helpfulness after
    its own filtering. Both come from the same people at the same moment, so it says whether the two questions hang
    together, not whether either is right.

Cost: three statements that read the judgments of the campaign once each. Not to be used to rank models: it knows
nothing of who wrote a response.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from annotation.kinds import rating as rating_kind
from annotation.kinds.rubric import OF_PAIRS, asked_criteria
from annotation.models import Campaign, Rubric
from annotation.rubrics.document import COMPARATIVE, NOT_APPLICABLE, YES_NO, Criterion, criteria_of
from annotation.statistics.alpha import krippendorff_alpha
from annotation.statistics.estimates import MIN_ITEMS_FOR_INTERVAL, Estimate
from annotation.statistics.patterns import Patterns, pairable
from ledger.shares import Z_95, Share

FIELDS = {"rating": "ratings", "rubric": "criteria"}
# Rounding alone makes a width of zero look like this.
NO_WIDTH = 1e-9
BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 14, 2, 24


@dataclass(frozen=True)
class Bar:
    """One value of a distribution, with its place in a picture BAR_HEIGHT high."""

    value: str
    words: str
    count: int
    share: float
    x: int
    height: str
    y: str


@dataclass(frozen=True)
class Sums:
    """Over items: of s_k, s_k^2, n_k^2 and s_k n_k, as the formula above has them."""

    items: int
    answers: int
    s: float
    ss: float
    nn: float
    sn: float


@dataclass(frozen=True)
class Question:
    """An attribute, or a criterion as the newest version that has it says it."""

    name: str
    text: str
    values: tuple[str, ...]
    anchors: dict[str, str] = field(default_factory=dict)
    is_yes_no: bool = False
    is_hard: bool = False
    # Set where the version in force no longer asks it.
    last_version: int | None = None


@dataclass(frozen=True)
class QuestionSummary:
    question: Question
    # The mean, or the rate of yes.
    mean: Estimate
    alpha: Estimate
    bars: list[Bar]
    not_applicable: int
    # With the comparison that followed, where one did.
    correlation: Estimate | None

    @property
    def first_value(self) -> str:
        return self.question.values[0]

    @property
    def last_value(self) -> str:
        return self.question.values[-1]

    @property
    def width(self) -> int:
        return len(self.bars) * (BAR_WIDTH + BAR_GAP)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.question.name,
            "statistic": "rate of yes" if self.question.is_yes_no else "mean",
            "mean": self.mean.as_dict(),
            "alpha": self.alpha.as_dict(),
            "alpha_metric": "nominal" if self.question.is_yes_no else "ordinal",
            "distribution": {bar.value: bar.count for bar in self.bars},
            "not_applicable": self.not_applicable,
            "correlation_with_choice": self.correlation.as_dict() if self.correlation else None,
        }


@dataclass(frozen=True)
class RatingsSummary:
    """Nothing for campaigns of other kinds."""

    kind: str
    n_judgments: int = 0
    questions: list[QuestionSummary] = field(default_factory=list)
    is_comparative: bool = False
    has_choices: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "n_judgments": self.n_judgments,
            "questions": [question.as_dict() for question in self.questions],
        }


def ratings_summary(campaign: Campaign) -> RatingsSummary:
    """For the fragment annotation/_ratings.html, as `ratings`."""
    if campaign.kind not in FIELDS:
        return RatingsSummary(kind=campaign.kind)
    is_comparative = campaign.kind == "rubric" and campaign.settings["mode"] == OF_PAIRS
    answers = _answers(campaign, is_comparative)
    asked = [question for question in _questions(campaign) if question.last_version is None or question.name in answers]
    sums, correlations = _sums(campaign, is_comparative), _correlations(campaign, is_comparative)
    return RatingsSummary(
        kind=campaign.kind,
        n_judgments=campaign.judgments.counting().count(),
        questions=[
            _summary(question, answers.get(question.name, {}), sums.get(question.name), correlations.get(question.name))
            for question in asked
        ],
        is_comparative=is_comparative,
        has_choices=bool(correlations),
    )


def _questions(campaign: Campaign) -> list[Question]:
    if campaign.kind == "rating":
        return [
            Question(
                one.name,
                one.label,
                tuple(str(point.value) for point in one.scale.points),
                one.scale.anchors,
            )
            for one in rating_kind.attributes_of(campaign.settings)
        ]
    rubric = campaign.rubric
    if rubric is None:
        return []
    of_pairs = campaign.settings["mode"] == OF_PAIRS
    found = {one.id: _question(one, of_pairs) for one in asked_criteria(rubric.criteria, campaign.settings)}
    others = Rubric.objects.filter(project=rubric.project_id, name=rubric.name).exclude(id=rubric.id)
    for version in others.order_by("-version"):
        for one in criteria_of(version.criteria):
            found.setdefault(one.id, _question(one, of_pairs, version.version))
    return list(found.values())


def _question(one: Criterion, of_pairs: bool, last_version: int | None = None) -> Question:
    values: tuple[str, ...] = YES_NO
    anchors: dict[str, str] = {}
    if of_pairs:
        values = tuple(str(step) for step in COMPARATIVE)
    elif one.scale is not None:
        values, anchors = tuple(str(point.value) for point in one.scale.points), one.scale.anchors
    return Question(one.id, one.text, values, anchors, values == YES_NO, one.is_hard, last_version)


def _summary(
    question: Question,
    patterns: dict[tuple[str, ...], int],
    sums: Sums | None,
    correlation: Estimate | None,
) -> QuestionSummary:
    counts: dict[str, int] = {}
    for answers, times in patterns.items():
        for answer in answers:
            counts[answer] = counts.get(answer, 0) + times
    return QuestionSummary(
        question=question,
        mean=clustered_mean(sums, is_rate=question.is_yes_no) if sums else Estimate(0, 0, reason="No answer yet."),
        alpha=_alpha(question, patterns),
        bars=_bars(question, counts),
        not_applicable=counts.get(NOT_APPLICABLE, 0),
        correlation=correlation,
    )


def _alpha(question: Question, patterns: dict[tuple[str, ...], int]) -> Estimate:
    values = (*question.values, NOT_APPLICABLE) if question.is_yes_no else question.values
    rows: dict[tuple[int, ...], int] = {}
    for answers, times in patterns.items():
        row = tuple(answers.count(value) for value in values)
        rows[row] = rows.get(row, 0) + times
    return krippendorff_alpha(_used(pairable(values, rows)), "nominal" if question.is_yes_no else "ordinal")


def _used(patterns: Patterns) -> Patterns:
    """Without the values that nobody gave."""
    if not patterns.n_items:
        return patterns
    is_used = patterns.counts.sum(axis=0) > 0
    values = tuple(value for value, used in zip(patterns.values, is_used, strict=True) if used)
    return Patterns(values, patterns.counts[:, is_used], patterns.multiplicity)


def _bars(question: Question, counts: dict[str, int]) -> list[Bar]:
    total = sum(counts.get(value, 0) for value in question.values)
    most = max([counts.get(value, 0) for value in question.values] or [0])
    bars = []
    for place, value in enumerate(question.values):
        count = counts.get(value, 0)
        height = BAR_HEIGHT * count / most if most else 0.0
        bars.append(
            Bar(
                value=value,
                words=question.anchors.get(value, ""),
                count=count,
                share=count / total if total else 0.0,
                x=place * (BAR_WIDTH + BAR_GAP),
                height=f"{height:.2f}",
                y=f"{BAR_HEIGHT - height:.2f}",
            )
        )
    return bars


def _answers(campaign: Campaign, is_comparative: bool) -> dict[str, dict[tuple[str, ...], int]]:
    """By question, how often the same answers came together on a response of an item."""
    found: dict[str, dict[tuple[str, ...], int]] = {}
    for name, answers, times in _rows(_PATTERNS, campaign, is_comparative):
        found.setdefault(name, {})[tuple(answers)] = times
    return found


def _sums(campaign: Campaign, is_comparative: bool) -> dict[str, Sums]:
    return {name: Sums(*sums) for name, *sums in _rows(_MEANS, campaign, is_comparative)}


def clustered_mean(sums: Sums, *, is_rate: bool) -> Estimate:
    """The formula stands above; a rate stays within 0..1."""
    items, answers, mean = sums.items, sums.answers, sums.s / sums.answers
    if items < MIN_ITEMS_FOR_INTERVAL:
        return Estimate(items, answers, mean, reason=f"No interval: it takes {MIN_ITEMS_FOR_INTERVAL} items.")
    squares = max(0.0, sums.ss - 2 * mean * sums.sn + mean**2 * sums.nn)
    half = t_quantile(items - 1) * math.sqrt(items / (items - 1) * squares) / answers
    if half > NO_WIDTH:
        low, high = mean - half, mean + half
        return Estimate(items, answers, mean, max(0.0, low) if is_rate else low, min(1.0, high) if is_rate else high)
    wilson = Share(round(mean * items), items).interval if is_rate else None
    if wilson is None:
        return Estimate(items, answers, mean, reason="No interval: every item has the same mean.")
    return Estimate(items, answers, mean, *wilson)


def t_quantile(degrees: int) -> float:
    """Student's t at 0.975, to 0.001 from 9 degrees of freedom on (Abramowitz and Stegun, 26.7.5)."""
    z = Z_95
    terms: tuple[float, ...] = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / degrees**power for power, term in enumerate(terms, start=1))


def _correlations(campaign: Campaign, is_comparative: bool) -> dict[str, Estimate]:
    if campaign.settings.get("compare", "off") == "off":
        return {}
    statement = _COMPARATIVE_CORRELATIONS if is_comparative else _CORRELATIONS
    return {name: correlation(r, items, judgments) for name, items, judgments, r in _rows(statement, campaign)}


def correlation(r: float | None, items: int, judgments: int) -> Estimate:
    """Pearson's r with its interval by Fisher's z."""
    if r is None:
        return Estimate(items, judgments, reason="Nothing to correlate: one of the two never varies.")
    if items < MIN_ITEMS_FOR_INTERVAL or abs(r) >= 1:
        return Estimate(items, judgments, r, reason=f"No interval: it takes {MIN_ITEMS_FOR_INTERVAL} comparisons.")
    half = Z_95 / math.sqrt(items - 3)
    return Estimate(items, judgments, r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))


def _rows(statement: str, campaign: Campaign, is_comparative: bool = False) -> list[Any]:
    names: dict[str, int | str] = {"campaign": campaign.id, "field": FIELDS[campaign.kind]}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(given=_GIVEN_OF_PAIRS if is_comparative else _GIVEN), names)
        return list(cursor.fetchall())


_COUNTING = "j.campaign_id = %(campaign)s AND j.superseded_by_id IS NULL AND j.purpose = 'work'"
_GIVEN = f"""
SELECT s.task_id AS task, of_response.key AS response, of_question.key AS name, of_question.value AS value
FROM annotation_judgment j JOIN annotation_assignment s ON s.id = j.assignment_id
CROSS JOIN LATERAL jsonb_each(j.payload->%(field)s) AS of_response
CROSS JOIN LATERAL jsonb_each_text(of_response.value) AS of_question
WHERE {_COUNTING}
"""  # noqa: S608 - the text above
_GIVEN_OF_PAIRS = f"""
SELECT s.task_id AS task, '' AS response, of_question.key AS name, of_question.value AS value
FROM annotation_judgment j JOIN annotation_assignment s ON s.id = j.assignment_id
CROSS JOIN LATERAL jsonb_each_text(j.payload->%(field)s) AS of_question
WHERE {_COUNTING}
"""  # noqa: S608 - the text above
_PATTERNS = """
WITH given AS ({given}), item AS (
    SELECT name, array_agg(value ORDER BY value) AS answers FROM given GROUP BY name, task, response
)
SELECT name, answers, count(*) FROM item GROUP BY name, answers ORDER BY name, answers
"""
_NUMBER = "CASE {value} WHEN 'yes' THEN 1 WHEN 'no' THEN 0 WHEN 'n/a' THEN NULL ELSE ({value})::float8 END"
_MEANS = f"""
WITH given AS ({{given}}), item AS (
    SELECT name, task, count(number) AS n, sum(number) AS s
    FROM (SELECT *, {_NUMBER.format(value="value")} AS number FROM given) AS numbered
    WHERE number IS NOT NULL GROUP BY name, task
)
SELECT name, count(*), sum(n)::bigint, sum(s), sum(s * s), sum(n * n)::float8, sum(s * n)
FROM item GROUP BY name ORDER BY name
"""  # noqa: S608 - the texts above
_CORRELATIONS = f"""
WITH item AS (
    SELECT of_b.key AS name, j.comparison_id, count(*) AS n, avg(j.choice) AS choice,
           avg({_NUMBER.format(value="of_b.value")} - {_NUMBER.format(value="of_a.value")}) AS difference
    FROM annotation_judgment j JOIN corpus_comparison c ON c.id = j.comparison_id
    CROSS JOIN LATERAL jsonb_each_text(j.payload->%(field)s->c.response_b_id::text) AS of_b
    JOIN LATERAL jsonb_each_text(j.payload->%(field)s->c.response_a_id::text) AS of_a ON of_a.key = of_b.key
    WHERE {_COUNTING} AND j.choice IS NOT NULL
    GROUP BY of_b.key, j.comparison_id
)
SELECT name, count(*), sum(n)::bigint, corr(choice, difference)
FROM item WHERE difference IS NOT NULL GROUP BY name ORDER BY name
"""  # noqa: S608 - the texts above
_COMPARATIVE_CORRELATIONS = f"""
WITH item AS (
    SELECT of_question.key AS name, j.comparison_id, count(*) AS n, avg(j.choice) AS choice,
           avg({_NUMBER.format(value="of_question.value")}) AS difference
    FROM annotation_judgment j
    CROSS JOIN LATERAL jsonb_each_text(j.payload->%(field)s) AS of_question
    WHERE {_COUNTING} AND j.choice IS NOT NULL AND j.comparison_id IS NOT NULL
    GROUP BY of_question.key, j.comparison_id
)
SELECT name, count(*), sum(n)::bigint, corr(choice, difference)
FROM item WHERE difference IS NOT NULL GROUP BY name ORDER BY name
"""  # noqa: S608 - the texts above
