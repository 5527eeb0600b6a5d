"""The form of a method, made from the schema that a worker published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curation.parameters import properties_of


@dataclass(frozen=True)
class FormField:
    name: str
    label: str
    kind: str
    value: Any
    help: str
    minimum: float | None
    maximum: float | None
    choices: list[Any]
    error: str

    @property
    def bounds(self) -> str:
        if self.minimum is None or self.maximum is None:
            return ""
        return f"{self.minimum:,} to {self.maximum:,}"


def fields_of(
    schema: Mapping[str, Any], *, values: Mapping[str, Any] | None = None, errors: Mapping[str, str] | None = None
) -> list[FormField]:
    """One per parameter; what the person typed stays, beside what is wrong with it."""
    typed, wrong = values or {}, errors or {}
    return [
        FormField(
            name=name,
            label=name.replace("_", " ").capitalize(),
            kind=rule.get("type", "string"),
            value=typed.get(name, rule.get("default")),
            help=rule.get("description", ""),
            minimum=rule.get("minimum"),
            maximum=rule.get("maximum"),
            choices=rule.get("enum", []),
            error=wrong.get(name, ""),
        )
        for name, rule in properties_of(schema).items()
    ]


def texts_in(schema: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, str]:
    """What a browser sent, by parameter; a checkbox that is not ticked sends nothing."""
    known = schema.get("properties", {})
    ticked = {name: "" for name, rule in known.items() if rule.get("type") == "boolean"}
    return ticked | {name: sent[name] for name in known if name in sent}
