"""Draw the sample of an audit: once, of a size that is fixed before anybody looks, by a seed that is kept.

The rows a rule acts on are cut into bands of equal size by the strength of the models' vote, most against the label
first (rows without a strength last), and as many are drawn from each. So the sample is in proportion, and the share of
wrong labels in it estimates that of the rule.

A rule that drops for what the text is claims nothing of the label: its sample is of all rows that it acts on, labelled
or not, in bands by how strongly its method claims, strongest first. So is that of a rule that labels, in bands by how
far apart its method's scores are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts import audit as trail
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from curation.audits.claims import strength_sql
from curation.audits.evidence import question_of
from curation.audits.rule_key import rule_key, runs_read
from curation.models import Audit, AuditItem, Question, Recipe
from curation.rules import Rule, Rules, parse
from curation.rules_sql import given_sql, matched_rule_sql
from curation.standing import Standing

PER_BAND, BANDS = 50, 2
MAX_PER_BAND, MAX_BANDS = 1_000, 10
MAX_SEED = 2**31 - 1


class CannotAudit(Invalid):
    code = "cannot_audit"


class AuditIsOpen(Conflict):
    code = "audit_is_open"


@dataclass(frozen=True)
class Sampling:
    per_band: int = PER_BAND
    bands: int = BANDS
    seed: int = 0

    def check(self) -> None:
        if not 1 <= self.per_band <= MAX_PER_BAND:
            raise CannotAudit(f"Draw 1 to {MAX_PER_BAND:,} rows a band.", fields={"per_band": "out of range"})
        if not 1 <= self.bands <= MAX_BANDS:
            raise CannotAudit(f"Cut into 1 to {MAX_BANDS} bands.", fields={"bands": "out of range"})
        if not 0 <= self.seed <= MAX_SEED:
            raise CannotAudit(f"A seed is a number from 0 to {MAX_SEED:,}.", fields={"seed": "out of range"})


def draw_rule(*, recipe: Recipe, rule: str, sampling: Sampling, by: User | None) -> Audit:
    """A sample of the rows that the rule acts on and that nobody decided by hand; without a claim, of the labelled."""
    rules = parse(recipe.document)
    position = _position(rules, rule)
    asked = rules.rules[position]
    if not asked.needs_audit:
        raise CannotAudit(
            f"The rule {rule!r} needs no audit: it neither labels, flips nor drops on an opinion.",
            fields={"rule": "no opinion"},
        )
    standing = Standing.of(recipe.project, sees="base", is_whole=True)
    upto = Rules(rules.rules[: position + 1], {})
    condition = f"{matched_rule_sql(upto, standing)} = {standing.param(position)}"
    question = question_of(asked)
    return _draw(
        Audit(
            project=recipe.project,
            recipe=recipe,
            rule=rule,
            action=asked.action,
            question=question,
            rule_key=rule_key(rules, position),
            runs=runs_read(rules, position, standing.runs),
            seed=sampling.seed,
            created_by=by,
        ),
        standing,
        _drawn(condition, asked, standing),
        sampling,
    )


def draw_labels(*, project: Project, sampling: Sampling, by: User | None) -> Audit:
    """A sample of all labelled rows that nobody decided by hand: how many labels are wrong?"""
    standing = Standing.of(project, sees="base", is_whole=True)
    return _draw(Audit(project=project, seed=sampling.seed, created_by=by), standing, _Drawn("true"), sampling)


def _position(rules: Rules, name: str) -> int:
    names = [rule.name for rule in rules.rules]
    if name not in names:
        raise CannotAudit(f"The recipe has no rule {name[:120]!r}.", fields={"rule": "unknown"})
    return names.index(name)


@dataclass(frozen=True)
class _Drawn:
    """Which rows; without the strength of a claim, labelled ones by the strength of the votes. `given`: the SQL of the
    label that the rule gives, if it does."""

    condition: str
    claimed: str = ""
    given: str = ""


def _drawn(condition: str, rule: Rule, standing: Standing) -> _Drawn:
    if rule.label_by:
        given = given_sql(rule.label_by, standing)
        return _Drawn(condition, f"abs({standing.field(f'{rule.label_by}.mean')})", given)
    return _Drawn(condition, strength_sql(rule.claim, standing) if rule.claim else "")


def _draw(audit: Audit, standing: Standing, drawn: _Drawn, sampling: Sampling) -> Audit:
    sampling.check()
    with transaction.atomic():
        rows = _sample(standing, drawn, sampling)
        if not rows:
            raise CannotAudit(
                "This acts on no row that nobody decided by hand; nothing to draw."
                if drawn.claimed
                else "No row that this acts on has a label of its own that could be wrong; nothing to draw."
            )
        audit.bands = _bands(rows)
        audit.population = sum(band["population"] for band in audit.bands)
        _keep(audit)
        AuditItem.objects.bulk_create(_item(audit, position, row) for position, row in enumerate(rows))
        details = {"rule": audit.rule, "rows": len(rows), "of": audit.population, "seed": audit.seed}
        trail.record(actor=audit.created_by, project=audit.project, action="draw audit", subject=audit, details=details)
    return audit


def _keep(audit: Audit) -> None:
    try:
        with transaction.atomic():
            audit.save()
    except IntegrityError as error:
        what = f"the rule {audit.rule!r}" if audit.rule else "all labels"
        raise AuditIsOpen(f"An audit of {what} is open already; finish it or cancel it first.") from error


_SAMPLE = """
WITH acted AS (
    SELECT c.id, COALESCE({label}, 0)::smallint AS label, {strength} AS strength {from_sql}
    AND {decision} IS NULL AND {labelled} AND {condition}
), banded AS (
    SELECT *, ntile({bands}) OVER (ORDER BY strength {order} NULLS LAST, md5({seed} || ':' || id), id) - 1 AS band
    FROM acted
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY band ORDER BY md5({seed} || ':draw:' || id), id) AS rank,
           count(*) OVER (PARTITION BY band) AS population,
           min(strength) OVER (PARTITION BY band) AS low, max(strength) OVER (PARTITION BY band) AS high
    FROM banded
)
SELECT id, label, band, rank, population, low, high FROM ranked WHERE rank <= {per_band}
ORDER BY md5({seed} || ':ask:' || id), id
"""


def _sample(standing: Standing, drawn: _Drawn, sampling: Sampling) -> list[dict[str, Any]]:
    parts = {
        "label": drawn.given or standing.label,
        "labelled": "true" if drawn.claimed else f"({standing.label}) <> 0",
        "strength": drawn.claimed or standing.field("model_vote.strength"),
        "order": "DESC" if drawn.claimed else "ASC",
        "decision": standing.decision,
        "bands": f"{standing.param(sampling.bands)}::int",
        "per_band": f"{standing.param(sampling.per_band)}::int",
        "seed": f"{standing.param(str(sampling.seed))}::text",
    }
    sql = _SAMPLE.format(**parts, condition=drawn.condition, from_sql=standing.from_sql)
    with connection.cursor() as cursor:
        cursor.execute(sql, standing.params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _bands(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each band that holds a row: how many it holds, how many were drawn, and which strengths it spans."""
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        band = found.setdefault(row["band"], {name: row[name] for name in ("population", "low", "high")} | {"size": 0})
        band["size"] += 1
    return [found[number] for number in sorted(found)]


def _item(audit: Audit, position: int, row: dict[str, Any]) -> AuditItem:
    """Every other row of a band shows the response that the label prefers first; of a claim, response_b."""
    is_first = row["rank"] % 2 == 1
    return AuditItem(
        audit=audit,
        comparison_id=row["id"],
        position=position,
        band=row["band"],
        label=row["label"],
        is_b_first=is_first if audit.question == Question.CLAIM else (row["label"] > 0) == is_first,
    )
