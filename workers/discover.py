"""The methods of this installation: every file of `workers.methods` whose name has no leading underscore."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import typing
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import workers.methods
from ledger.catalogue import Card
from workers.methods._base import Method, as_method

CAUSAL_MODEL = "causal-model"
JSON_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}


@lru_cache
def methods() -> dict[str, Method]:
    names = (info.name for info in pkgutil.iter_modules(workers.methods.__path__) if not info.name.startswith("_"))
    return {name: as_method(import_module(f"workers.methods.{name}")) for name in sorted(names)}


def schema_of(params: Any) -> dict[str, Any]:
    """JSON schema of a Params dataclass; the form and every check are made from it."""
    types = typing.get_type_hints(params)
    properties = {field.name: _property(types[field.name], field) for field in dataclasses.fields(params)}
    # A jsonb column keeps no order of keys, and a form wants one.
    order = list(properties)
    return {"type": "object", "properties": properties, "propertyOrder": order, "additionalProperties": False}


def _property(kind: type, field: dataclasses.Field[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": JSON_TYPES[kind],
        "default": field.default,
        "description": field.metadata["help"],
    }
    named = {"ge": "minimum", "le": "maximum", "choices": "enum"}
    return found | {word: field.metadata[key] for key, word in named.items() if key in field.metadata}


def card_of(name: str, method: Method) -> Card:
    return Card(
        method=name,
        label=method.LABEL,
        queue=method.QUEUE,
        shape=method.SHAPE,
        documentation=inspect.cleandoc(method.__doc__),
        parameters=_told_of_models(schema_of(method.Params), getattr(method, "MODELS", ())),
        code_version=code_version(),
        needs=list(method.NEEDS),
        yields=list(method.YIELDS),
        embeds=hasattr(method, "texts"),
    )


def _told_of_models(schema: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Which parameters name causal models: what such a method costs hangs on them."""
    for name in names:
        schema["properties"][name]["format"] = CAUSAL_MODEL
    return schema


@lru_cache
def code_version() -> str:
    """The release, and a hash of the code that computes, so that a changed formula shows."""
    folder = Path(__file__).resolve().parent
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    try:
        release = version("winnow")
    except PackageNotFoundError:
        release = "0"
    return f"{release}+{digest.hexdigest()[:12]}"
