"""Parameters of a method against its published JSON schema; the page, the API and the worker check alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from accounts.problems import Invalid

TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
}
WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}


class InvalidParameters(Invalid):
    code = "invalid_parameters"


def checked(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the defaults filled in, or every mistake at once."""
    known = properties_of(schema)
    wrong = {name: _unknown(name, known) for name in given if name not in known}
    wrong |= {
        name: mistake for name, rule in known.items() if name in given and (mistake := _mistake(rule, given[name]))
    }
    if wrong:
        raise InvalidParameters("Please check: " + ", ".join(sorted(wrong)) + ".", fields=wrong)
    return {name: given.get(name, rule.get("default")) for name, rule in known.items()}


def from_texts(schema: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """What a form or `--param k=v` gives, as the types of the schema; what does not fit stays text."""
    known: Mapping[str, Any] = schema.get("properties", {})
    return {name: _typed(known.get(name, {}).get("type", "string"), text) for name, text in texts.items()}


def properties_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """In the order that the method gave them."""
    known: Mapping[str, Any] = schema.get("properties", {})
    return {name: known[name] for name in schema.get("propertyOrder", known) if name in known}


def _typed(kind: str, text: str) -> Any:
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    if kind == "boolean":
        return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False, "": False}.get(
            text.strip().lower(), text
        )
    return text


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    names = ", ".join(known) or "none"
    return f"This method has no parameter {name!r}; it knows {names}."


def _mistake(rule: Mapping[str, Any], value: Any) -> str:
    kind = rule.get("type", "string")
    is_right = isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not is_right or (isinstance(value, float) and not math.isfinite(value)):
        return f"This must be {WORDS[kind]}."
    if "enum" in rule and value not in rule["enum"]:
        return "This must be one of " + ", ".join(map(str, rule["enum"])) + "."
    if "minimum" in rule and value < rule["minimum"]:
        return f"This must be {rule['minimum']} or more."
    if "maximum" in rule and value > rule["maximum"]:
        return f"This must be {rule['maximum']} or less."
    return ""
