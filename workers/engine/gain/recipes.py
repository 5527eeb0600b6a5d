"""A recipe's rules over columns of values, with the semantics of the database: the first rule that matches wins.

A comparison with a missing value is false, `not` turns that true, and `is null` asks. A number that is no number (NaN)
counts as larger than every other, as PostgreSQL orders it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
ReadAs = Literal["number", "text", "boolean"]
# A field's name and how it is read: a key of the metadata may be read in several ways.
Key = tuple[str, ReadAs]


@dataclass(frozen=True)
class Compare:
    field: str
    operator: str
    value: Any
    read_as: ReadAs


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
    """`action` is keep, flip, soften, label, drop or review; `soften_to` the probability that the label holds; `given`
    the number whose sign is the label that the rule gives."""

    name: str
    when: Condition | None
    action: str
    soften_to: float | None = None
    weight: float | None = None
    given: Key | None = None


@dataclass(frozen=True)
class Column:
    """A value per row; where it is not `known` it is missing, and the value means nothing."""

    values: NDArray[Any]
    known: Flags


NUMPY: dict[ReadAs, type] = {"number": np.float64, "text": np.object_, "boolean": np.bool_}
BLANK: dict[ReadAs, Any] = {"number": 0.0, "text": "", "boolean": False}


def column(values: Sequence[Any], read_as: ReadAs) -> Column:
    """From what the database said; None is missing."""
    known = np.array([value is not None for value in values], np.bool_)
    filled = [BLANK[read_as] if value is None else value for value in values]
    return Column(np.array(filled, NUMPY[read_as]), known)


def numbers(values: NDArray[np.float64]) -> Column:
    """NaN is missing."""
    known = ~np.isnan(values)
    return Column(np.where(known, values, 0.0), known)


def keys_of(rules: Sequence[Rule]) -> list[Key]:
    """What the conditions read, each once."""
    found: dict[Key, None] = {}
    waiting: list[Condition | None] = [rule.when for rule in reversed(rules)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Compare):
            found[(part.field, part.read_as)] = None
        elif isinstance(part, Negation):
            waiting.append(part.part)
        elif part is not None:
            waiting.extend(reversed(part.parts))
    return list(found)


def first_match(rules: Sequence[Rule], columns: Mapping[Key, Column], n: int) -> NDArray[np.int64]:
    """The number of the first rule that matches each of n rows, -1 where none does."""
    matched = np.full(n, -1, np.int64)
    for number, rule in enumerate(rules):
        matched[(matched < 0) & matches(rule.when, columns, n)] = number
    return matched


def matches(when: Condition | None, columns: Mapping[Key, Column], n: int) -> Flags:
    if when is None:
        return np.ones(n, np.bool_)
    if isinstance(when, Negation):
        return ~matches(when.part, columns, n)
    if isinstance(when, Compare):
        return _compare(when, columns[when.field, when.read_as])
    found = [matches(part, columns, n) for part in when.parts]
    return np.asarray(np.all(found, axis=0) if isinstance(when, Every) else np.any(found, axis=0))


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}


def _compare(compare: Compare, read: Column) -> Flags:
    if compare.operator == "is null":
        return ~read.known if compare.value else read.known
    values = read.values
    if compare.read_as == "number":
        values = np.where(np.isnan(values), np.inf, values)
    if compare.operator == "in":
        says = np.any([np.equal(values, wanted) for wanted in compare.value], axis=0)
    else:
        says = COMPARISONS[compare.operator](values, compare.value)
    return np.asarray(read.known & says.astype(np.bool_))
