"""Comparisons of one source as the trial of a recipe reads them: label by label of where it came from, and the fields.

Which rows: whole prompts in an order that the seed scatters, as many as fit into the number asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Project
from curation.fields import FieldType
from curation.handoff.pairs import PairRow
from curation.standing import Standing
from ledger.models import Run

BATCH = 2000
# id * (a power of FACTOR, by the seed) mod PRIME scatters the ids of prompts.
PRIME, FACTOR = 2_147_483_647, 1_103_515_245


@dataclass(frozen=True)
class Sample:
    """The rows of a source whose prompt has a place up to `cut`."""

    source_id: int
    total: int
    rows: int
    cut: int


@dataclass(frozen=True, slots=True)
class TrialRow:
    """`raw`: the label as it came, or what people said where none came. `verified`: what people say of it, and how:
    by hand (one decision on this row alone), audit, adjudicated, consensus; "simulated" where the votes are made up."""

    pair: PairRow
    # Of the fields asked for.
    values: tuple[Any, ...]
    raw: int | None
    hand: str | None
    hand_label: int | None
    hand_soften_to: float | None
    verified: int | None
    origin: str
    # The first comparison of its group of near duplicates.
    copies: int | None


def samples(project: Project, *, max_rows: int, seed: int) -> list[Sample]:
    """Of every source of the project."""
    with connection.cursor() as cursor:
        cursor.execute(SAMPLES, {"project": project.pk, "most": max_rows, **_scatter(seed)})
        return [Sample(*row) for row in cursor.fetchall()]


def read_trial(
    project: Project,
    *,
    source_id: int,
    cut: int,
    seed: int,
    runs: Mapping[str, Run],
    fields: Sequence[tuple[str, FieldType]],
) -> Iterator[TrialRow]:
    """In order of id; `fields` as the rules read them, of the signals of `runs`."""
    standing = Standing.of(project, sees="base")
    standing.runs = runs
    label = standing.label
    for table in ("prompt", "response_a", "response_b"):
        standing.join(table)
    columns = [
        "c.id", "c.source_id", "c.prompt_id", "prompt.messages::text", "c.response_a_id", "response_a.content",
        "c.response_b_id", "response_b.content", f"({label})::int", "COALESCE(c.label, consensus.label)::int",
        "hand.action", "hand.label::int", "hand.soften_to", *_verified(standing),
        standing.field("near_duplicates.group"),
    ]  # fmt: skip
    first = len(columns)
    columns += [f"({standing.field(name, wanted=read_as)})::{CASTS[read_as]}" for name, read_as in fields]
    bound = {key: standing.param(value) for key, value in _scatter(seed).items()}
    place = f"mod(c.prompt_id * {bound['factor']}, {bound['prime']})"
    source, last = standing.param(source_id), standing.param(cut)
    after = standing.param(0)
    sql = (
        f"SELECT {', '.join(columns)} {standing.from_sql} AND c.source_id = {source} AND {place} <= {last}"
        f" AND c.id > {after} ORDER BY c.id LIMIT {BATCH}"
    )
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, standing.params)
            rows = cursor.fetchall()
        for row in rows:
            pair = PairRow(row[0], row[1], row[2], json.loads(row[3]), *row[4:9])
            yield TrialRow(pair, tuple(row[first:]), *row[9:first])
        if len(rows) < BATCH:
            return
        standing.params[after.removeprefix("%(").removesuffix(")s")] = rows[-1][0]


CASTS: dict[FieldType, str] = {"number": "float8", "text": "text", "boolean": "boolean"}


def _scatter(seed: int) -> dict[str, int]:
    return {"factor": pow(FACTOR, seed + 1, PRIME), "prime": PRIME}


def _verified(standing: Standing) -> tuple[str, str]:
    """The label of people, and where it comes from. A decision on many rows at once verified none of them."""
    is_adjudicated = "consensus.method = 'adjudicated'" if standing.campaigns else "false"
    cases = [
        (
            "hand.label IS NOT NULL AND hand.action <> 'soften' AND NOT EXISTS (SELECT 1 FROM curation_decision other"
            " WHERE other.batch_id = hand.batch_id AND other.id <> hand.id)",
            "hand.label::int",
            "by hand",
        ),
        (f"{AUDITED} IS NOT NULL", f"CASE {AUDITED} WHEN 'a' THEN -1 ELSE 1 END", "audit"),
        (f"consensus.label IS NOT NULL AND {is_adjudicated}", "consensus.label::int", "adjudicated"),
        (f"consensus.label IS NOT NULL AND {SIMULATED}", "NULL::int", "simulated"),
        ("consensus.label IS NOT NULL", "consensus.label::int", "consensus"),
    ]
    said = " ".join(f"WHEN {when} THEN {what}" for when, what, _ in cases)
    origin = " ".join(f"WHEN {when} THEN '{where}'" for when, _, where in cases)
    return f"(CASE {said} END)", f"(CASE {origin} ELSE '' END)"


# The answer of a blind sample that says which side is better; one about the text has other words.
AUDITED = (
    "(SELECT answer.answer FROM curation_auditanswer answer JOIN curation_audititem item ON item.id = answer.item_id"
    " WHERE item.comparison_id = c.id AND answer.undone_at IS NULL AND answer.answer IN ('a', 'b')"
    " ORDER BY answer.id DESC LIMIT 1)"
)
SIMULATED = (
    "EXISTS (SELECT 1 FROM annotation_judgment judgment JOIN accounts_user annotator"
    " ON annotator.id = judgment.annotator_id AND annotator.is_simulated"
    " WHERE judgment.comparison_id = c.id AND judgment.superseded_by_id IS NULL AND judgment.purpose = 'work')"
)
SAMPLES = """
    WITH prompts AS (
        SELECT source_id, prompt_id, count(*) AS rows, mod(prompt_id * %(factor)s, %(prime)s) AS place
          FROM corpus_comparison WHERE project_id = %(project)s GROUP BY 1, 2
    ), summed AS (
        SELECT *, sum(rows) OVER (PARTITION BY source_id ORDER BY place, prompt_id) AS so_far FROM prompts
    )
    SELECT source_id, sum(rows)::bigint, COALESCE(sum(rows) FILTER (WHERE so_far <= %(most)s), 0)::bigint,
           COALESCE(max(place) FILTER (WHERE so_far <= %(most)s), -1)
      FROM summed GROUP BY source_id ORDER BY source_id
"""
