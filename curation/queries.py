"""Lists of comparisons: first the ids of a page, in one narrow statement, then what is shown of them, set by set."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import connection

from accounts.models import Project
from accounts.paging import decode, encode
from accounts.problems import Invalid
from annotation.models import Judgment
from corpus.models import Comparison
from curation.models import Decision, Signal
from curation.row_filter import RowFilter, conditions
from curation.standing import Standing

# By number, or by strength: what the votes are most against first, or what they are most for.
Order = Literal["id", "strength", "-strength"]
VOTE_FIELDS = ("mean", "spread", "strength", "share", "z", "band", "n", "lowest", "highest", "cautious", "paper_band")


class StaleCursor(Invalid):
    code = "bad_cursor"


@dataclass(frozen=True)
class People:
    """What people said of a comparison together, by the consensus method in force."""

    label: int | None
    method: str | None
    votes: int
    confidence: float | None
    both_bad: bool
    # Of each answer that got a share: a, tie, b, both_bad.
    posterior: Mapping[str, float]
    # How many votes of equal weight would say as much; null where the method weighs none.
    effective_votes: float | None
    # Those of the votes that annotators made up by the sample or a benchmark gave.
    simulated_votes: int


@dataclass(frozen=True)
class Voice:
    """One person's standing answer, -3..3, null for both bad."""

    annotator_id: int
    choice: int | None
    is_both_bad: bool
    campaign_id: int
    is_simulated: bool


@dataclass(frozen=True)
class Row:
    """A comparison and all that is believed of it now."""

    comparison: Comparison
    # The label in force, and the one it had before any recipe.
    label: int | None
    base_label: int | None
    consensus: People | None
    # By method, each in its own documented fields.
    signals: Mapping[str, Mapping[str, Any]]
    decision: Decision | None
    voices: Sequence[Voice] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.comparison.pk

    @property
    def votes(self) -> Mapping[str, Any]:
        """What the models' vote says; empty without one."""
        return self.signals.get("model_vote", {})


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    next: str | None


def page_of(
    project: Project,
    rows: RowFilter,
    *,
    order: Order = "id",
    cursor: str | None = None,
    limit: int = 50,
    is_list: bool = False,
) -> Page:
    ids, following = ids_page(project, rows, order=order, cursor=cursor, limit=limit)
    return Page(rows_of(project, ids, is_list=is_list), following)


def ids_page(
    project: Project, rows: RowFilter, *, order: Order, cursor: str | None, limit: int
) -> tuple[list[int], str | None]:
    """The ids of a page and the cursor of the next one."""
    after = decode(cursor) if cursor else {}
    if after and (after.get("by") != order or not isinstance(after.get("id"), int)):
        raise StaleCursor("This cursor belongs to another order; leave it out to begin at the first row.")
    if order == "id":
        found = _by_id(project, rows, after.get("id"), limit + 1)
    else:
        found = _by_strength(project, rows, order, after, limit + 1)
    shown = found[:limit]
    if len(found) <= limit:
        return [key for key, _ in shown], None
    last, strength = shown[-1]
    return [key for key, _ in shown], encode({"by": order, "id": last, "s": strength})


def _by_id(project: Project, rows: RowFilter, after: int | None, count: int) -> list[tuple[int, float | None]]:
    standing = Standing.of(project)
    narrowed = conditions(rows, standing)
    if after is not None:
        narrowed += f" AND c.id > {standing.param(after)}"
    return _fetch(standing, f"SELECT c.id, NULL {standing.from_sql}{narrowed} ORDER BY c.id LIMIT {int(count)}")


def _by_strength(
    project: Project, rows: RowFilter, order: Order, after: Mapping[str, Any], count: int
) -> list[tuple[int, float | None]]:
    """Labels toward b and labels toward a each follow the index over the votes; what has no strength comes last."""
    found: list[tuple[int, float | None]] = []
    strength = after.get("s")
    if not after or isinstance(strength, int | float):
        for sign in (1, -1):
            found += _one_side(project, rows, order, sign, after, count)
        way = 1 if order == "strength" else -1
        found.sort(key=lambda row: (way * float(row[1] or 0), row[0]))
    if len(found) >= count:
        return found[:count]
    last = after.get("id") if after and strength is None else None
    return found + _without_strength(project, rows, last, count - len(found))


def _one_side(
    project: Project, rows: RowFilter, order: Order, sign: int, after: Mapping[str, Any], count: int
) -> list[tuple[int, float | None]]:
    standing = Standing.of(project)
    label, mean = standing.field("label"), standing.field("model_vote.mean")
    narrowed = conditions(rows, standing) + f" AND {label} {'>' if sign > 0 else '<'} 0 AND {mean} IS NOT NULL"
    # Rising strength is a rising mean toward b, and a falling one toward a.
    rising = (order == "strength") == (sign > 0)
    if after:
        mark, key = standing.param(sign * float(after["s"])), standing.param(after["id"])
        beyond = ">" if rising else "<"
        narrowed += f" AND ({mean} {beyond} {mark}::float8 OR ({mean} = {mark}::float8 AND c.id > {key}))"
        narrowed += f" AND {mean} {beyond}= {mark}::float8"
    direction = "ASC" if rising else "DESC"
    return _fetch(
        standing,
        f"SELECT c.id, {sign} * {mean} {standing.from_sql}{narrowed}"
        f" ORDER BY {mean} {direction}, c.id LIMIT {int(count)}",
    )


def _without_strength(
    project: Project, rows: RowFilter, after: int | None, count: int
) -> list[tuple[int, float | None]]:
    if rows.min_strength is not None or rows.max_strength is not None:
        return []
    standing = Standing.of(project)
    narrowed = conditions(rows, standing) + f" AND {standing.field('model_vote.strength')} IS NULL"
    if after is not None:
        narrowed += f" AND c.id > {standing.param(after)}"
    return _fetch(standing, f"SELECT c.id, NULL {standing.from_sql}{narrowed} ORDER BY c.id LIMIT {int(count)}")


def all_ids(project: Project, rows: RowFilter) -> list[int]:
    """Every row that the filter holds for, to decide them together."""
    standing = Standing.of(project)
    narrowed = conditions(rows, standing)
    return [key for key, _ in _fetch(standing, f"SELECT c.id, NULL {standing.from_sql}{narrowed} ORDER BY c.id")]


def count_of(project: Project, rows: RowFilter) -> int:
    standing = Standing.of(project)
    narrowed = conditions(rows, standing)
    return int(_fetch(standing, f"SELECT count(*), NULL {standing.from_sql}{narrowed}")[0][0])


def _fetch(standing: Standing, sql: str) -> list[tuple[int, float | None]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, standing.params)
        return list(cursor.fetchall())


def rows_of(project: Project, ids: Sequence[int], *, is_list: bool = False) -> list[Row]:
    """The rows of these ids, in their order, in a number of statements that does not grow with them.

    A list does not read the responses, which may be long.
    """
    if not ids:
        return []
    standing = Standing.of(project)
    facts = _facts(standing, ids)
    shown = ("prompt", "source") if is_list else ("prompt", "source", "response_a", "response_b")
    comparisons = Comparison.objects.select_related(*shown).in_bulk(ids)
    signals = _signals(standing, ids)
    decisions = _decisions(ids)
    voices = _voices(ids) if standing.campaigns else {}
    return [
        Row(
            comparison=comparisons[key],
            label=facts[key]["label"],
            base_label=facts[key]["base_label"],
            consensus=_people(facts[key], voices.get(key, [])),
            signals=_with_votes_toward_label(signals[key], facts[key]),
            decision=decisions.get(key),
            voices=voices.get(key, []),
        )
        for key in ids
        if key in facts and key in comparisons
    ]


# What no field names.
_PEOPLE = ("method", "campaign_id", "posterior", "effective_votes")


def _facts(standing: Standing, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    names = {
        "id": "id",
        "label": "label",
        "base_label": "base_label",
        "people_label": "consensus.label",
        "confidence": "consensus.confidence",
        "people": "consensus.votes",
        "both_bad": "consensus.both_bad",
        **{name: f"model_vote.{name}" for name in VOTE_FIELDS},
    }
    columns = ", ".join(f'{standing.field(path)} AS "{name}"' for name, path in names.items())
    asked = ", ".join(f"consensus.{name}" if standing.campaigns else "NULL" for name in _PEOPLE)
    chosen = standing.param(list(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}, {asked} {standing.from_sql} AND c.id = ANY({chosen})",
            standing.params,
        )
        keys = [*names, *_PEOPLE]
        return {row[0]: dict(zip(keys, row, strict=True)) for row in cursor.fetchall()}


def _people(facts: Mapping[str, Any], voices: Sequence[Voice]) -> People | None:
    if not facts["people"]:
        return None
    return People(
        label=facts["people_label"],
        method=facts["method"],
        votes=facts["people"],
        confidence=facts["confidence"],
        both_bad=bool(facts["both_bad"]),
        posterior=json.loads(facts["posterior"]),
        effective_votes=facts["effective_votes"],
        simulated_votes=sum(voice.is_simulated and voice.campaign_id == facts["campaign_id"] for voice in voices),
    )


def _signals(standing: Standing, ids: Sequence[int]) -> dict[int, dict[str, dict[str, Any]]]:
    methods = {run.pk: method for method, run in standing.runs.items()}
    found: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    rows = Signal.objects.filter(run_id__in=methods, comparison_id__in=ids)
    for comparison_id, run_id, fields in rows.values_list("comparison_id", "run_id", "fields"):
        found[comparison_id][methods[run_id]] = fields
    return found


def _with_votes_toward_label(
    signals: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The contract's own fields for the models' vote: what is toward the label follows the label in force."""
    shown = dict(signals)
    if "model_vote" in shown:
        votes = {name: facts[name] for name in VOTE_FIELDS}
        shown["model_vote"] = {**votes, "n": None if votes["n"] is None else int(votes["n"])}
    return shown


def _decisions(ids: Sequence[int]) -> dict[int, Decision]:
    """The decision in force of each row: a person outranks a recipe."""
    current = Decision.objects.filter(comparison_id__in=ids, is_current=True)
    ordered = current.select_related("batch__author", "batch__recipe").order_by("is_by_hand", "pk")
    return {decision.comparison_id: decision for decision in ordered}


def _voices(ids: Iterable[int]) -> dict[int, list[Voice]]:
    standing = Judgment.objects.filter(comparison_id__in=ids, superseded_by__isnull=True, purpose="work")
    found: dict[int, list[Voice]] = defaultdict(list)
    columns = ("annotator_id", "choice", "is_both_bad", "campaign_id", "annotator__is_simulated")
    voiced = standing.exclude(choice__isnull=True, is_both_bad=False)
    for key, *said in voiced.order_by("pk").values_list("comparison_id", *columns):
        if key is not None:
            found[key].append(Voice(*said))
    return found
