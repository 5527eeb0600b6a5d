"""What a judgment kind is: a file here, named after the kind, with the names below.

    LABEL: str                                  what people read
    SETTINGS: dict[str, Setting]                what a campaign of this kind may choose, with defaults
    validate(payload, settings, comparison)     the cleaned payload, or InvalidPayload with the fields that are wrong

The form of a kind is the fragment templates/annotation/kinds/<kind>.html. The file name is stored in the database.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from accounts.problems import Invalid

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

    default: bool | str
    help: str
    # For a text setting: what it may be.
    choices: tuple[str, ...] = ()

    def problem_with(self, value: object) -> str | None:
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else "must be true or false"
        return None if value in self.choices else f"must be one of: {', '.join(self.choices)}"


@dataclass(frozen=True)
class Sides:
    """The two responses of a comparison, by id."""

    response_a_id: int
    response_b_id: int


@dataclass(frozen=True)
class Answer:
    """A valid answer: the payload as it is stored, and the columns it is counted by."""

    payload: Payload
    choice: int | None = None
    is_both_bad: bool = field(default=False)


class Kind(Protocol):
    LABEL: str
    SETTINGS: dict[str, Setting]

    @staticmethod
    def validate(payload: Payload, settings: dict[str, Any], comparison: Sides) -> Answer: ...


@lru_cache
def kinds() -> dict[str, Kind]:
    """Every kind by its file name."""
    folder = Path(__file__).parent
    names = sorted(module.name for module in pkgutil.iter_modules([str(folder)]) if not module.name.startswith("_"))
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
