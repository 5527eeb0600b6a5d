"""A recipe document, validated into rules; `curation.rules_sql` compiles them.

The first rule that matches wins. A condition on a missing value is false, and `not` turns it true; `is null` asks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from accounts.problems import Invalid
from curation.fields import FieldType, UnknownField, find_field
from curation.labellers import LABELLERS
from curation.models import Action

OPERATORS = ["<", "<=", ">", ">=", "==", "!=", "in", "is null"]
PLAIN_ACTIONS = [Action.KEEP, Action.FLIP, Action.DROP, Action.REVIEW]
LABELLED = frozenset({Action.KEEP, Action.FLIP, Action.SOFTEN, Action.LABEL})

MAX_DOCUMENT_CHARACTERS = 200_000
MAX_RULES = 200
MAX_CONDITIONS = 1_000
MAX_DEPTH = 20
MAX_VALUES = 10_000
# Margins are exported as float32.
MAX_NUMBER = 3e38

# Facts of the text, exact to the letter: who drops on one of these claims nothing that an audit could refute.
FACTS = frozenset({"identical_sides", "empty_side", "near_duplicates.exact", "degenerate.empty", "degenerate.key"})
# Opinions of the text: who drops on one of these says nothing of the label, but something that a reader may deny.
CLAIMS = frozenset({
    "near_duplicates.is_duplicate", "near_duplicates.near_exact", "contamination.contaminated", "degenerate.echo",
    "degenerate.refusal", "degenerate.truncated", "degenerate.repetitive", "degenerate.wrong_language",
    "degenerate.any",
})  # fmt: skip
# Numbers that say the same when they are above 0.
CLAIMED_ABOVE_0 = frozenset({
    "near_duplicates.similarity", "near_duplicates.overlap", "contamination.overlap", "contamination.cosine",
    "degenerate.flags_preferred",
})  # fmt: skip


class InvalidRecipe(Invalid):
    code = "invalid_recipe"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}", fields={path: message})


@dataclass(frozen=True)
class Compare:
    field: str
    operator: str
    value: Any
    read_as: FieldType


@dataclass(frozen=True)
class Every:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    part: Condition


Condition = Compare | Every | Some | Negation


@dataclass(frozen=True)
class Rule:
    name: str
    when: Condition | None
    action: Action
    # The probability that the label holds, for soften.
    soften_to: float | None
    margin: float | str | None
    weight: float | None
    # The method that gives the label, for label.
    label_by: str | None = None

    @property
    def matching(self) -> Condition | None:
        """When it matches: its condition, and for a label that there is none and the method has one to give."""
        if self.label_by is None:
            return self.when
        asked = (self.when,) if self.when is not None else ()
        return Every(asked + has_to_give(self.label_by))

    @property
    def needs_audit(self) -> bool:
        """It labels, flips or drops on an opinion, which a sample of what it does has to bear out."""
        if self.action in {Action.FLIP, Action.LABEL}:
            return True
        return self.action == Action.DROP and not states_a_fact(self.when)

    @property
    def claim(self) -> Condition | None:
        """What a drop says of the text, which its audit asks about; without one the audit asks about the label."""
        return claim_of(self.when) if self.action == Action.DROP and self.needs_audit else None


@dataclass(frozen=True)
class Rules:
    rules: tuple[Rule, ...]
    # What was written, without anything that was not understood.
    document: dict[str, Any]

    @property
    def fields(self) -> set[str]:
        return self.asked | {rule.margin for rule in self.rules if isinstance(rule.margin, str)}

    @property
    def asked(self) -> set[str]:
        """The fields of the conditions alone."""
        return {name for rule in self.rules for name in fields_of(rule.matching)}


def read_text(text: str) -> Any:
    """The document that a person wrote as YAML or JSON."""
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise InvalidRecipe("recipe", f"longer than {MAX_DOCUMENT_CHARACTERS:,} characters.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise InvalidRecipe(
            "recipe", f'neither YAML nor JSON{line}. In YAML, put operators in quotes: op: "<".'
        ) from error


def parse(document: Any) -> Rules:
    """The rules of a document; InvalidRecipe names the place of the first thing that is wrong."""
    if not isinstance(document, dict):
        raise InvalidRecipe("recipe", 'must be an object with the list "rules".')
    _only_keys(document, "recipe", {"name", "description", "rules"})
    listed = document.get("rules")
    if not isinstance(listed, list) or not listed:
        raise InvalidRecipe("rules", "must be a list with at least one rule.")
    if len(listed) > MAX_RULES:
        raise InvalidRecipe("rules", f"has {len(listed)} rules; at most {MAX_RULES} are read.")
    reader = _Reader()
    rules = [reader.rule(entry, position) for position, entry in enumerate(listed)]
    seen: set[str] = set()
    for position, rule in enumerate(rules):
        if rule.name in seen:
            raise InvalidRecipe(f"rules[{position}].name", f"{rule.name!r} is the name of an earlier rule.")
        seen.add(rule.name)
    texts = {key: _text(document[key], key, 2_000) for key in ("name", "description") if document.get(key) is not None}
    return Rules(tuple(rules), {**texts, "rules": [_written(entry, rule) for entry, rule in zip(listed, rules)]})  # noqa: B905 - one each


class _Reader:
    def __init__(self) -> None:
        self.conditions = 0

    def rule(self, entry: Any, position: int) -> Rule:
        path = f"rules[{position}]"
        if not isinstance(entry, dict):
            raise InvalidRecipe(path, 'must be an object such as {"when": ..., "then": "keep"}.')
        _only_keys(entry, path, {"name", "when", "then", "margin", "weight"})
        name = entry.get("name")
        when = entry.get("when")
        action, soften_to, label_by = _action(entry.get("then"), f"{path}.then")
        return Rule(
            name=f"rule {position + 1}" if name is None else _text(name, f"{path}.name", 120),
            when=None if when is None else self.condition(when, f"{path}.when", 0),
            action=action,
            soften_to=soften_to,
            margin=_margin(entry.get("margin"), f"{path}.margin"),
            weight=_weight(entry.get("weight"), f"{path}.weight"),
            label_by=label_by,
        )

    def condition(self, entry: Any, path: str, depth: int) -> Condition:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS or depth > MAX_DEPTH:
            raise InvalidRecipe(path, f"more than {MAX_CONDITIONS} conditions, or {MAX_DEPTH} inside each other.")
        if not isinstance(entry, dict):
            raise InvalidRecipe(
                path, 'must be {"field", "op", "value"}, {"all": [...]}, {"any": [...]} or {"not": ...}.'
            )
        for word, joined in (("all", Every), ("any", Some)):
            if word in entry:
                _only_keys(entry, path, {word})
                parts = entry[word]
                if not isinstance(parts, list) or not parts:
                    raise InvalidRecipe(f"{path}.{word}", "must be a list with at least one condition.")
                return joined(
                    tuple(self.condition(part, f"{path}.{word}[{n}]", depth + 1) for n, part in enumerate(parts))
                )
        if "not" in entry:
            _only_keys(entry, path, {"not"})
            return Negation(self.condition(entry["not"], f"{path}.not", depth + 1))
        return _compare(entry, path)


def _compare(entry: dict[str, Any], path: str) -> Compare:
    _only_keys(entry, path, {"field", "op", "value"})
    if "field" not in entry:
        raise InvalidRecipe(f"{path}.field", "is missing.")
    operator, value = entry.get("op"), entry.get("value")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise InvalidRecipe(f"{path}.op", f"must be one of {', '.join(OPERATORS)}.")
    name = entry["field"]
    if isinstance(name, str):
        _storable(name, f"{path}.field")
    sample = value[0] if isinstance(value, list) and value else value
    try:
        field = find_field(name, wanted="text" if operator == "is null" else _type_of(sample) or "text")
    except UnknownField as error:
        raise InvalidRecipe(f"{path}.field", error.message) from error
    if operator == "is null":
        if value not in (None, True, False):
            raise InvalidRecipe(f"{path}.value", "of `is null` is true (the default) or false.")
        return Compare(field.name, operator, value is not False, field.type)
    if operator not in {"==", "!=", "in"} and field.type != "number":
        raise InvalidRecipe(f"{path}.op", f"{operator} needs a number; {field.name} is {field.type}.")
    if operator == "in" and (not isinstance(value, list) or not 0 < len(value) <= MAX_VALUES):
        raise InvalidRecipe(f"{path}.value", f"of `in` is a list of 1 to {MAX_VALUES:,} values.")
    for each in value if isinstance(value, list) else [value]:
        if _type_of(each) != field.type:
            hint = ' Ask for a missing value with {"op": "is null"}.' if each is None else ""
            raise InvalidRecipe(f"{path}.value", f"must be {field.type}, as {field.name} is.{hint}")
        if isinstance(each, str):
            _storable(each, f"{path}.value")
    return Compare(field.name, operator, value, field.type)


def _type_of(value: Any) -> FieldType | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number" if abs(value) <= MAX_NUMBER else None
    return "text" if isinstance(value, str) else None


def _action(then: Any, path: str) -> tuple[Action, float | None, str | None]:
    """With the probability of soften, and the method of label."""
    if isinstance(then, str) and then in PLAIN_ACTIONS:
        return Action(then), None, None
    if isinstance(then, dict) and set(then) == {"soften"}:
        chance = then["soften"]
        if _type_of(chance) != "number" or not 0 <= chance <= 1:
            raise InvalidRecipe(f"{path}.soften", "must be the probability that the label holds, 0 to 1.")
        return Action.SOFTEN, float(chance), None
    if isinstance(then, dict) and set(then) == {"label"}:
        if not isinstance(then["label"], str) or then["label"] not in LABELLERS:
            raise InvalidRecipe(f"{path}.label", f"must be a method that can give labels: {', '.join(LABELLERS)}.")
        return Action.LABEL, None, then["label"]
    raise InvalidRecipe(path, 'must be keep, flip, drop, review, {"soften": probability} or {"label": method}.')


def _margin(margin: Any, path: str) -> float | str | None:
    if margin is None:
        return None
    if isinstance(margin, str):
        try:
            _storable(margin, path)
            field = find_field(margin, wanted="number")
        except UnknownField as error:
            raise InvalidRecipe(path, error.message) from error
        if field.type != "number":
            raise InvalidRecipe(path, f"needs a number; {margin} is {field.type}.")
        return margin
    if _type_of(margin) != "number":
        raise InvalidRecipe(path, "must be a finite number or the name of a field.")
    return float(margin)


def _weight(weight: Any, path: str) -> float | None:
    if weight is None:
        return None
    if _type_of(weight) != "number" or weight < 0:
        raise InvalidRecipe(path, "must be a finite number, 0 or more.")
    return float(weight)


def _only_keys(entry: dict[Any, Any], path: str, known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise InvalidRecipe(f"{path}.{str(key)[:80]}", f"is not known here; known: {', '.join(sorted(known))}.")


def _text(value: Any, path: str, limit: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise InvalidRecipe(path, f"must be a text of 1 to {limit} characters.")
    _storable(value, path)
    return value


def _storable(value: str, path: str) -> None:
    if any(letter == "\x00" or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        raise InvalidRecipe(path, "holds a character that the database cannot.")


def _written(entry: dict[str, Any], rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        **{key: entry[key] for key in ("when", "then", "margin", "weight") if entry.get(key) is not None},
    }


def has_to_give(method: str) -> tuple[Compare, ...]:
    """The comparison has no label and two texts, and the method tells them apart without a flag."""
    return (
        Compare("has_label", "==", False, "boolean"),
        Compare("identical_sides", "==", False, "boolean"),
        Compare(f"{method}.flagged", "==", False, "boolean"),
        Compare(f"{method}.mean", "!=", 0, "number"),
        # A number: NaN counts as larger than every other.
        Compare(f"{method}.mean", "<=", MAX_NUMBER, "number"),
        Compare(f"{method}.mean", ">=", -MAX_NUMBER, "number"),
    )


def states_a_fact(when: Condition | None) -> bool:
    """Whether a match implies a fact of the text."""
    if isinstance(when, Compare):
        return when.field in FACTS and when.operator == "==" and when.value is True
    if isinstance(when, Every):
        return any(states_a_fact(part) for part in when.parts)
    if isinstance(when, Some):
        return all(states_a_fact(part) for part in when.parts)
    return False


def claim_of(when: Condition | None) -> Condition | None:
    """The part of a condition that speaks of the text alone, if every match implies it."""
    if isinstance(when, Compare):
        return when if states_a_fact(when) or _claims(when) else None
    if isinstance(when, Every | Some):
        claims = tuple(claim for part in when.parts if (claim := claim_of(part)) is not None)
        if not claims or (isinstance(when, Some) and len(claims) < len(when.parts)):
            return None
        return claims[0] if len(claims) == 1 else type(when)(claims)
    return None


def _claims(when: Compare) -> bool:
    if when.field in CLAIMS:
        return when.operator == "==" and when.value is True
    if when.field in CLAIMED_ABOVE_0 and when.operator in {">", ">=", "=="}:
        return bool(when.value > 0 or (when.operator == ">" and when.value == 0))
    return False


def fields_of(when: Condition | None) -> set[str]:
    if isinstance(when, Compare):
        return {when.field}
    if isinstance(when, Negation):
        return fields_of(when.part)
    if isinstance(when, Every | Some):
        return set().union(*(fields_of(part) for part in when.parts))
    return set()
