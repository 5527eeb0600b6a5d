"""What a judgment kind is: a file here, named after the kind, with the names below.

    LABEL: str                              what people read
    UNITS: tuple[Unit, ...]                 what one task of it may show; the first is the default
    SETTINGS: dict[str, Setting]            what a campaign of this kind may choose, with defaults
    validate(payload, settings, asked)      the cleaned payload, or InvalidPayload with the fields that are wrong
    presented(item, campaign)               what its fragment shows beside the item
    words(judgment)                         an answer in words, sides named as its author saw them

The form of a kind is the fragment templates/annotation/kinds/<kind>.html, and what it does in the browser is
static/js/desk/kinds/<kind>.js. The file name is stored in the database.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from accounts.problems import Invalid
from annotation.models import Campaign, Judgment, Unit

if TYPE_CHECKING:
    from annotation.desk.items import ClaimedItem

Payload = dict[str, Any]


class UnknownKind(Invalid):
    code = "unknown_kind"


class InvalidSettings(Invalid):
    code = "invalid_settings"


class InvalidPayload(Invalid):
    code = "invalid_judgment"


@dataclass(frozen=True)
class Setting:
    """One thing a campaign may choose."""

    default: Any
    help: str
    # For a text setting: what it may be.
    choices: tuple[str, ...] = ()
    # For a whole number: the least and the most.
    bounds: tuple[int, int] | None = None
    # For anything else: what is wrong with a value, or None.
    check: Callable[[Any], str | None] | None = None

    def problem_with(self, value: Any) -> str | None:
        if self.check is not None:
            return self.check(value)
        if self.bounds is not None:
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            low, high = self.bounds
            return None if is_whole and low <= value <= high else f"must be a whole number from {low} to {high}"
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else "must be true or false"
        return None if value in self.choices else f"must be one of: {', '.join(self.choices)}"


@dataclass(frozen=True)
class Asked:
    """What was shown: responses by id; where they are a comparison, which is a and which is b."""

    response_ids: tuple[int, ...]
    response_a_id: int | None = None
    response_b_id: int | None = None
    # The criteria in force, for the kinds that have a rubric.
    rubric: list[dict[str, Any]] | None = None
    rubric_version: int | None = None


@dataclass(frozen=True)
class Answer:
    """A valid answer: the payload as it is stored, and the columns it is counted by."""

    payload: Payload
    choice: int | None = None
    is_both_bad: bool = field(default=False)


class Kind(Protocol):
    LABEL: str
    UNITS: tuple[Unit, ...]
    SETTINGS: dict[str, Setting]

    @staticmethod
    def validate(payload: Payload, settings: dict[str, Any], asked: Asked) -> Answer: ...

    @staticmethod
    def presented(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]: ...

    @staticmethod
    def words(judgment: Judgment) -> str: ...


@lru_cache
def kinds() -> dict[str, Kind]:
    """Every kind by its file name."""
    folder = Path(__file__).parent
    found = pkgutil.iter_modules([str(folder)])
    names = sorted(module.name for module in found if not module.ispkg and not module.name.startswith("_"))
    return {name: cast(Kind, import_module(f"annotation.kinds.{name}")) for name in names}


def kind_named(name: str) -> Kind:
    try:
        return kinds()[name]
    except KeyError:
        known = ", ".join(kinds())
        raise UnknownKind(f"There is no judgment kind {name!r}.", {"kind": f"must be one of: {known}"}) from None


def settings_with_defaults(kind: Kind, given: dict[str, Any]) -> dict[str, Any]:
    problems = {name: "is not a setting of this kind" for name in given if name not in kind.SETTINGS}
    for name, setting in kind.SETTINGS.items():
        if name in given and (problem := setting.problem_with(given[name])):
            problems[name] = problem
    if problems:
        raise InvalidSettings("These settings cannot be used.", problems)
    return {name: given.get(name, setting.default) for name, setting in kind.SETTINGS.items()}
