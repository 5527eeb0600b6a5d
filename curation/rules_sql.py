"""Rules as SQL over the standing query: every value a parameter, every field from the allow-list."""

from __future__ import annotations

from collections.abc import Callable

from curation.fields import FieldType
from curation.models import Action
from curation.rules import Compare, Condition, Every, Negation, Rule, Rules, Some
from curation.standing import Standing

COMPARISONS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=", "!=": "<>"}


def matched_rule_sql(rules: Rules, standing: Standing) -> str:
    """The number of the first rule that matches, from 0, or NULL."""
    cases = [f"WHEN {_condition_sql(rule.matching, standing)} THEN {n}" for n, rule in enumerate(rules.rules)]
    return f"(CASE {' '.join(cases)} END)"


def margins_sql(rules: Rules, standing: Standing) -> str:
    """A column `margin_N` per rule with a margin, for a query in which `margin_sql` then picks the matched one's.

    It is measured toward the label that is released: a flip turns it, and a label that a method gives is that one.
    """
    columns = []
    for n, rule in enumerate(rules.rules):
        if isinstance(rule.margin, str):
            flipped = rule.action == Action.FLIP
            toward = given_sql(rule.label_by, standing) if rule.label_by else ""
            sql = standing.field(rule.margin, wanted="number", flipped=flipped, toward=toward)
            columns.append(f", ({sql})::float8 AS margin_{n}")
        elif rule.margin is not None:
            columns.append(f", {standing.param(rule.margin)}::float8 AS margin_{n}")
    return "".join(columns)


def given_sql(method: str, standing: Standing) -> str:
    """The label that a method gives: the sign of its signal, where a rule that labels by it matches."""
    return f"sign({standing.field(f'{method}.mean')})"


def given_columns_sql(rules: Rules, standing: Standing) -> str:
    """A column `given_N` per rule that labels, for a query in which `label_sql` then picks the matched one's."""
    labelling = [(n, rule.label_by) for n, rule in enumerate(rules.rules) if rule.action == Action.LABEL]
    return "".join(f", ({given_sql(by, standing)})::smallint AS given_{n}" for n, by in labelling if by)


def label_sql(rules: Rules) -> str:
    """The label that the matched rule itself gives; null where it leaves a row the one that it has."""
    given = {n: f"given_{n}" for n, rule in enumerate(rules.rules) if rule.action == Action.LABEL}
    return _by_rule(given, "smallint")


def label_by_sql(rules: Rules, standing: Standing) -> str:
    """The method that gives it."""
    return _bound(rules, standing, lambda rule: rule.label_by if rule.action == Action.LABEL else None, "text")


def margin_sql(rules: Rules) -> str:
    return _by_rule({n: f"margin_{n}" for n, rule in enumerate(rules.rules) if rule.margin is not None}, "float8")


def weight_sql(rules: Rules, standing: Standing) -> str:
    return _bound(rules, standing, lambda rule: rule.weight, "float8")


def soften_sql(rules: Rules, standing: Standing) -> str:
    return _bound(rules, standing, lambda rule: rule.soften_to, "float8")


def action_sql(rules: Rules, standing: Standing) -> str:
    return _bound(rules, standing, lambda rule: rule.action.value, "text")


def name_sql(rules: Rules, standing: Standing) -> str:
    return _bound(rules, standing, lambda rule: rule.name, "text")


def _bound(rules: Rules, standing: Standing, value: Callable[[Rule], float | str | None], kind: str) -> str:
    found = {n: value(rule) for n, rule in enumerate(rules.rules)}
    return _by_rule({n: f"{standing.param(each)}::{kind}" for n, each in found.items() if each is not None}, kind)


def _by_rule(cases: dict[int, str], kind: str) -> str:
    """What the matched rule says, in a query over `matched`."""
    whens = " ".join(f"WHEN {n} THEN {sql}" for n, sql in cases.items())
    return f"(CASE matched {whens} END)" if whens else f"NULL::{kind}"


def _condition_sql(when: Condition | None, standing: Standing) -> str:
    if when is None:
        return "true"
    if isinstance(when, Every):
        return "(" + " AND ".join(_condition_sql(part, standing) for part in when.parts) + ")"
    if isinstance(when, Some):
        return "(" + " OR ".join(_condition_sql(part, standing) for part in when.parts) + ")"
    if isinstance(when, Negation):
        return f"(NOT {_condition_sql(when.part, standing)})"
    return compare_sql(when, standing)


_CASTS: dict[FieldType, str] = {"number": "float8", "text": "text", "boolean": "boolean"}


def compare_sql(compare: Compare, standing: Standing) -> str:
    """Never NULL: a missing value makes it false."""
    sql = standing.field(compare.field, wanted=compare.read_as)
    if compare.operator == "is null":
        return f"({sql} IS {'NULL' if compare.value else 'NOT NULL'})"
    cast = _CASTS[compare.read_as]
    if compare.operator == "in":
        values = [float(each) for each in compare.value] if compare.read_as == "number" else compare.value
        return f"COALESCE({sql} = ANY({standing.param(values)}::{cast}[]), false)"
    return f"COALESCE({sql} {COMPARISONS[compare.operator]} {standing.param(compare.value)}::{cast}, false)"
