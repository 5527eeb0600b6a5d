"""What a recipe would do, counted over every comparison of a project; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.models import Project
from curation.audits.evidence import Checked, Evidence, checked, closed_gates, refusal
from curation.audits.probed import Probed
from curation.fields import FIELDS
from curation.models import Action
from curation.rules import LABELLED, Rule, Rules
from curation.rules_sql import matched_rule_sql
from curation.standing import Standing

EXAMPLES = 4
# Examples are the rows with the smallest scattered ids: (id * FACTOR) mod PRIME runs over all ids without a pattern.
PRIME = 2_147_483_647
FACTOR = 1_103_515_245


@dataclass
class RuleCount:
    """One rule's matches; `released` leaves out those that a person decided and those without a label."""

    name: str
    action: Action
    soften_to: float | None
    margin: float | str | None
    # What audits say of a rule that labels, flips or drops on an opinion; null for one that needs none.
    evidence: Evidence | None
    # The method that gives the label, and what probes say of the methods by whose word it acts.
    label_by: str | None = None
    gates: tuple[Probed, ...] = ()
    count: int = 0
    by_hand: int = 0
    without_label: int = 0
    examples: list[int] = field(default_factory=list)
    # By how much it grew since the former version; null when that had no rule of this name.
    change: int | None = None

    @property
    def is_unaudited(self) -> bool:
        return self.evidence is not None and not self.evidence.is_audited

    @property
    def releases(self) -> bool:
        return self.action in LABELLED

    @property
    def released(self) -> int:
        return self.count - self.by_hand - self.without_label if self.releases else 0


@dataclass
class Preview:
    total: int
    rules: list[RuleCount]
    unmatched: int
    unmatched_by_hand: int
    unmatched_examples: list[int]
    # What people decided, which outranks every rule.
    by_hand: dict[str, int]
    # Rows that a person or a rule releases.
    released: int
    warnings: list[str]
    # Rows to which the former version does something else; null without one.
    changed: int | None = None


def preview(*, project: Project, rules: Rules, against: Rules | None = None) -> Preview:
    standing = Standing.of(project, sees="base", is_whole=True)
    found = checked(project, rules, runs=standing.runs)
    warnings = _warnings(standing, rules) + refusal(found) + closed_gates(found)
    return _Counted(found, against, _counted(standing, rules, against), rules).preview(warnings)


def count_groups(rules: Checked, groups: list[dict[str, Any]]) -> Preview:
    """The same counts from groups that were worked out elsewhere."""
    return _Counted(rules, None, groups).preview([])


def _counted(standing: Standing, rules: Rules, against: Rules | None) -> list[dict[str, Any]]:
    """Counts by rule, former rule, decision by hand and label: one pass, which PostgreSQL may split over processes."""
    matched = matched_rule_sql(rules, standing)
    former = matched_rule_sql(against, standing) if against else "NULL::int"
    scattered = f"mod(c.id * {FACTOR}, {PRIME})"
    examples = ", ".join(
        f"min({scattered}) FILTER (WHERE mod({scattered}, {EXAMPLES}) = {bucket})" for bucket in range(EXAMPLES)
    )
    sql = (
        f"SELECT {matched} AS matched, {former} AS former, {standing.decision} AS hand,"
        f" ({standing.label}) IS NOT NULL AS has_label, count(*) AS rows, ARRAY[{examples}] AS examples"
        f" {standing.from_sql} GROUP BY 1, 2, 3, 4"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, standing.params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class _Counted:
    """Sums over the groups that the database counted."""

    def __init__(
        self, found: Checked, against: Rules | None, groups: list[dict[str, Any]], proposed: Rules | None = None
    ) -> None:
        self.rules = found.rules
        # As they are written, whatever the project and its probes let them do: only these are set beside a version.
        self.proposed = proposed or found.rules
        self.evidence = found.evidence
        self.gates = found.gates or ((),) * len(found.rules.rules)
        self.against = against
        self.groups = groups

    def preview(self, warnings: list[str]) -> Preview:
        counts = [self._rule(n, rule) for n, rule in enumerate(self.rules.rules)]
        by_hand = {str(action): self._sum(hand=action) for action in Action.values}
        released_by_hand = sum(
            group["rows"] for group in self.groups if group["hand"] in LABELLED and group["has_label"]
        )
        return Preview(
            total=sum(group["rows"] for group in self.groups),
            rules=counts,
            unmatched=self._sum(matched=None),
            unmatched_by_hand=sum(g["rows"] for g in self.groups if g["matched"] is None and g["hand"] is not None),
            unmatched_examples=self._examples(None),
            by_hand={action: count for action, count in by_hand.items() if count},
            released=released_by_hand + sum(count.released for count in counts),
            warnings=warnings,
            changed=self._changed(),
        )

    def _rule(self, n: int, rule: Rule) -> RuleCount:
        groups = [group for group in self.groups if group["matched"] == n]
        count = RuleCount(
            rule.name, rule.action, rule.soften_to, rule.margin, self.evidence[n], rule.label_by, self.gates[n]
        )
        count.count = sum(group["rows"] for group in groups)
        count.by_hand = sum(group["rows"] for group in groups if group["hand"] is not None)
        if rule.action != Action.LABEL:
            count.without_label = sum(g["rows"] for g in groups if g["hand"] is None and not g["has_label"])
        count.examples = self._examples(n)
        former = self._former_position(rule.name)
        count.change = None if former is None else count.count - self._sum(former=former)
        return count

    def _former_position(self, name: str) -> int | None:
        names = [rule.name for rule in self.against.rules] if self.against else []
        return names.index(name) if name in names else None

    def _sum(self, **wanted: Any) -> int:
        return sum(g["rows"] for g in self.groups if all(g[key] == value for key, value in wanted.items()))

    def _examples(self, matched: int | None) -> list[int]:
        inverse = pow(FACTOR, -1, PRIME)
        found = {
            scattered
            for group in self.groups
            if group["matched"] == matched
            for scattered in group["examples"]
            if scattered is not None
        }
        return [scattered * inverse % PRIME for scattered in sorted(found)[:EXAMPLES]]

    def _changed(self) -> int | None:
        if self.against is None:
            return None
        by_rule = [group for group in self.groups if group["hand"] is None]
        return sum(int(group["rows"]) for group in by_rule if self._moved(group["matched"], group["former"]))

    def _moved(self, matched: int | None, former: int | None) -> bool:
        assert self.against is not None  # noqa: S101 - only asked with one
        now = None if matched is None else self.proposed.rules[matched]
        then = None if former is None else self.against.rules[former]
        if now is None or then is None:
            return now is not then
        return (now.action, now.soften_to, now.margin, now.weight, now.label_by) != (
            then.action, then.soften_to, then.margin, then.weight, then.label_by,
        )  # fmt: skip


def _warnings(standing: Standing, rules: Rules) -> list[str]:
    methods = sorted({FIELDS[name].method for name in rules.fields if name in FIELDS} - {None}, key=str)
    return [
        f"{method} has not run here yet: conditions on it are false and margins from it are missing."
        for method in methods
        if method not in standing.runs
    ]
