"""Which comparison is worth a person's next minute, and why, in one sentence.

First what somebody or a rule sent here, then what the import contradicts, then where people and label prefer
different sides, then where the models' votes are against the label; in each group the votes most against the label
come first. What a person has decided is out; so is what a recipe already flips or drops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Project
from accounts.paging import decode, encode
from curation.queries import Row
from curation.row_filter import decided_as
from curation.standing import Standing
from curation.words import label_words, people_say, signed

# Counting further would cost more than it tells.
COUNTED = 1000


@dataclass(frozen=True)
class Place:
    """A comparison in the queue; `cursor` is where the queue goes on behind it."""

    comparison_id: int
    cursor: str


@dataclass(frozen=True)
class Left:
    count: int

    @property
    def is_more(self) -> bool:
        return self.count >= COUNTED


def next_in_queue(project: Project, after: str | None = None) -> Place | None:
    """The most worthwhile comparison behind the cursor."""
    position = decode(after) if after else {}
    begin = int(position.get("group", 0))
    for group in range(begin, len(_GROUPS)):
        found = _first(project, group, position if position and group == begin else None)
        if found is not None:
            key, strength = found
            return Place(key, encode({"group": group, "s": strength, "id": key}))
    return None


def left(project: Project) -> Left:
    """How many wait, counted up to `COUNTED`."""
    standing = Standing.of(project)
    any_group = " OR ".join(f"({group(standing)})" for group in _GROUPS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 {standing.from_sql} AND ({any_group}) LIMIT {COUNTED}) AS waiting",  # noqa: S608 - of the allow-list
            standing.params,
        )
        return Left(cursor.fetchone()[0])


def why(row: Row) -> str:
    """Why the comparison is in the queue; empty when it is not."""
    return next((sentence for reason in _REASONS if (sentence := reason(row))), "")


_REVIEW = "'review'"


def _sent(standing: Standing) -> str:
    return f"{standing.decision} = 'review' AND {decided_as(_REVIEW)}"


def _undecided(standing: Standing) -> str:
    left_alone = "('keep', 'soften', 'label')"
    return f"({standing.decision} IS NULL OR ({standing.decision} IN {left_alone} AND hand.action IS NULL))"


def _contradicted(standing: Standing) -> str:
    return f"{standing.field('contradicted')} AND {_undecided(standing)}"


def _disputed_by_people(standing: Standing) -> str:
    return (
        f"{standing.field('consensus.disagrees_with_label')} AND NOT {standing.field('contradicted')}"
        f" AND {_undecided(standing)}"
    )


def _disputed_by_models(standing: Standing) -> str:
    return (
        f"{standing.field('model_vote.strength')} < 0 AND NOT {standing.field('contradicted')}"
        f" AND {standing.field('consensus.disagrees_with_label')} IS NOT TRUE AND {_undecided(standing)}"
    )


_GROUPS: tuple[Callable[[Standing], str], ...] = (_sent, _contradicted, _disputed_by_people, _disputed_by_models)
_BY_MODELS = _GROUPS.index(_disputed_by_models)


def _first(project: Project, group: int, after: dict[str, Any] | None) -> tuple[int, float | None] | None:
    """The first of the group; the models' group, which may be large, follows the index over the votes."""
    if group != _BY_MODELS:
        return _first_where(project, group, after, None)
    found = [_first_where(project, group, after, sign) for sign in (1, -1)]
    return min((row for row in found if row is not None), key=lambda row: (row[1] or 0, row[0]), default=None)


def _first_where(
    project: Project, group: int, after: dict[str, Any] | None, sign: int | None
) -> tuple[int, float | None] | None:
    standing = Standing.of(project)
    mean, strength = standing.field("model_vote.mean"), standing.field("model_vote.strength")
    narrowed = f" AND {_GROUPS[group](standing)}"
    order = f"COALESCE({strength}, 0)"
    if sign is not None:
        narrowed += f" AND {standing.label} {'>' if sign > 0 else '<'} 0 AND {mean} {'<' if sign > 0 else '>'} 0"
        order = f"{mean} {'ASC' if sign > 0 else 'DESC'}"
    if after:
        mark, key = standing.param(after.get("s") or 0), standing.param(after.get("id"))
        narrowed += f" AND (COALESCE({strength}, 0), c.id) > ({mark}::float8, {key}::bigint)"
        if sign is not None:
            narrowed += f" AND {mean} {'>=' if sign > 0 else '<='} {sign} * {mark}::float8"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {strength} {standing.from_sql}{narrowed} ORDER BY {order}, c.id LIMIT 1",
            standing.params,
        )
        return cursor.fetchone()  # type: ignore[no-any-return]  # rows of a cursor are untyped


def _why_sent(row: Row) -> str:
    decision = row.decision
    if decision is None or decision.action != "review":
        return ""
    rule = f"The rule “{decision.rule}”" if decision.rule else "A recipe"
    who = str(decision.batch.author) if decision.is_by_hand else rule
    about = f": {decision.batch.reason}" if decision.is_by_hand and decision.batch.reason else ""
    return f"{who} sent it here{about}."


def _why_contradicted(row: Row) -> str:
    if not row.comparison.is_contradicted:
        return ""
    given = " and ".join(label_words(label) for label in row.comparison.labels)
    return f"The import gave two different labels: {given}."


def _why_people(row: Row) -> str:
    people, label = row.consensus, row.base_label
    if people is None or not people.label or not label or (people.label > 0) == (label > 0):
        return ""
    who = people_say(people.votes, people.simulated_votes)
    return f"{who} {label_words(people.label)}, the label says {label_words(label)}."


def _why_models(row: Row) -> str:
    votes = row.votes
    strength, share, heads = votes.get("strength"), votes.get("share"), votes.get("n")
    if strength is None or share is None or not heads or strength >= 0:
        return ""
    return f"The votes are against the label: strength {signed(strength)}, {share * heads:g} of {heads} heads agree."


_REASONS = (_why_sent, _why_contradicted, _why_people, _why_models)
