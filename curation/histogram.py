"""How strongly the votes agree with the labels: counts per source and bin, and where the bars stand in the picture."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from accounts.models import Project
from curation.freshness import kept
from curation.row_filter import RowFilter, conditions
from curation.standing import Standing

BINS = 24
# Half the width of the picture, in units of strength; what lies beyond is counted into the outermost bins.
LIMITS = (0.5, 1.0, 2.0, 3.0)
WIDTH, HEIGHT = 720, 96


@dataclass(frozen=True)
class Bar:
    low: float
    high: float
    count: int
    x: float
    y: float
    width: float
    height: float

    @property
    def is_against(self) -> bool:
        return self.high <= 0


@dataclass(frozen=True)
class Histogram:
    """One source, or all that the filter lets through."""

    name: str
    limit: float
    counts: tuple[int, ...]
    # Rows without a strength: no votes, no label, or a tie.
    without: int

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def rows(self) -> int:
        return self.n + self.without

    @property
    def against(self) -> int:
        return sum(self.counts[: BINS // 2])

    @property
    def bars(self) -> list[Bar]:
        width, tallest = WIDTH / BINS, max(self.counts) or 1
        step = 2 * self.limit / BINS
        return [
            Bar(
                low=round(-self.limit + place * step, 4),
                high=round(-self.limit + (place + 1) * step, 4),
                count=count,
                x=round(place * width + 0.5, 2),
                y=round(HEIGHT * (1 - count / tallest), 2),
                width=round(width - 1, 2),
                height=round(HEIGHT * count / tallest, 2),
            )
            for place, count in enumerate(self.counts)
        ]

    @property
    def ticks(self) -> list[str]:
        """At equal distances under the bars."""
        places = (-1.0, -0.5, 0.0, 0.5, 1.0)
        beyond = {-1.0: "≤ ", 1.0: "≥ "}
        return [beyond.get(place, "") + f"{place * self.limit:g}".replace("-", "−") for place in places]


def histograms(project: Project, rows: RowFilter) -> list[Histogram]:
    """One per source that has rows under the filter, largest first; the range of strength itself is left open."""
    wide = rows.without("min_strength", "max_strength")
    return kept(project, f"histograms?{wide.query}", lambda: _counted(project, wide))


def together(parts: list[Histogram]) -> Histogram | None:
    """All of them in one picture, which says how many sources it pools."""
    if not parts:
        return None
    name = parts[0].name if len(parts) == 1 else f"{len(parts)} sources together"
    counts = tuple(sum(column) for column in zip(*(part.counts for part in parts), strict=True))
    return Histogram(name, parts[0].limit, counts, sum(part.without for part in parts))


def _counted(project: Project, rows: RowFilter) -> list[Histogram]:
    standing = Standing.of(project)
    limit = _limit(standing)
    strength = standing.field("model_vote.strength")
    low, high = standing.param(-limit), standing.param(limit)
    bucket = f"width_bucket({strength}, {low}::float8, {high}::float8, {BINS})"
    narrowed = conditions(rows, standing)
    with transaction.atomic(), connection.cursor() as cursor:
        # The planner takes the bins for as many groups as rows, and would keep them from parallel workers.
        cursor.execute("SET LOCAL parallel_tuple_cost = 0")
        cursor.execute(
            f"SELECT c.source_id, {bucket}, count(*) {standing.from_sql}{narrowed} GROUP BY 1, 2",
            standing.params,
        )
        counted = cursor.fetchall()
        cursor.execute("SELECT id, name FROM corpus_source WHERE project_id = %s", [project.pk])
        names = dict(cursor.fetchall())
    return _by_source(counted, names, limit)


def _by_source(counted: list[tuple[int, int | None, int]], names: dict[int, str], limit: float) -> list[Histogram]:
    bins: dict[int, list[int]] = {}
    without: dict[int, int] = {}
    for source, bucket, count in counted:
        columns = bins.setdefault(source, [0] * BINS)
        if bucket is None:
            without[source] = count
        else:
            columns[min(max(bucket, 1), BINS) - 1] += count
    found = [Histogram(names[key], limit, tuple(columns), without.get(key, 0)) for key, columns in bins.items()]
    return sorted(found, key=lambda part: (-part.rows, part.name))


def _limit(standing: Standing) -> float:
    """From the index alone: wide enough for the largest vote, up to 3."""
    run = standing.runs.get("model_vote")
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(value), max(value) FROM curation_signal WHERE run_id = %s", [run.pk if run else -1])
        ends = [abs(end) for end in cursor.fetchone() if end is not None]
    largest = max(ends, default=LIMITS[-1])
    return next((limit for limit in LIMITS if limit >= largest), LIMITS[-1])
