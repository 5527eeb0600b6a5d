"""The input formats there are, found by file name, and which of them a file is."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import cast

from accounts.problems import Invalid
from corpus import importers
from corpus.importers._base import InputFormat, ReadOptions, Row
from corpus.importers.generic import FIELDS

AUTO = "auto"


class UnknownFormat(Invalid):
    code = "unknown_format"


class NotRecognised(Invalid):
    code = "format_not_recognised"


class BadMapping(Invalid):
    code = "bad_mapping"


@dataclass(frozen=True)
class Recognised:
    name: str
    format: InputFormat
    # A sentence that says what was found.
    found: str


@lru_cache
def formats() -> dict[str, InputFormat]:
    """Every input format by its file name."""
    names = sorted(module.name for module in pkgutil.iter_modules(importers.__path__) if module.name[0] != "_")
    return {name: cast(InputFormat, import_module(f"corpus.importers.{name}")) for name in names}


def check_format(name: str) -> None:
    if name != AUTO and name not in formats():
        known = ", ".join([AUTO, *formats()])
        raise UnknownFormat(f"There is no input format {name!r}; there are {known}.", {"format": "unknown"})


def check_mapping(mapping: dict[str, str]) -> None:
    for name, column in mapping.items():
        if name not in FIELDS:
            raise BadMapping(f"A mapping cannot set {name!r}; it can set {', '.join(FIELDS)}.", {"mapping": name})
        if not column:
            raise BadMapping(f"The mapping of {name!r} names no column.", {"mapping": name})
    if ("chosen" in mapping) != ("rejected" in mapping):
        raise BadMapping(
            "A mapping of `chosen` needs one of `rejected`, and the other way round.", {"mapping": "chosen"}
        )


def recognise(rows: Sequence[Row], name: str, options: ReadOptions) -> Recognised:
    """The format that was asked for, or for `auto` the one that reads the most of these first rows."""
    check_format(name)
    if name != AUTO:
        return Recognised(name, formats()[name], f"{formats()[name].LABEL}, as asked for")
    confidences = {name: form.recognises(rows, options) for name, form in formats().items()}
    best = max(confidences, key=lambda name: confidences[name])
    if not confidences[best]:
        raise NotRecognised(_what_is_missing(rows, options))
    form = formats()[best]
    return Recognised(best, form, f"{form.LABEL}, recognised by the first {len(rows)} rows")


def _what_is_missing(rows: Sequence[Row], options: ReadOptions) -> str:
    columns = ", ".join(repr(column[:40]) for column in list(dict.fromkeys(key for row in rows for key in row))[:12])
    if options.mapping:
        wanted = ", ".join(f"{column!r} ({name})" for name, column in options.mapping.items())
        return f"The mapping names {wanted}, but the file has the columns {columns or 'none'}."
    return (
        f"No input format reads the columns {columns or 'none'}. It needs `chosen` and `rejected`, or `prompt`, "
        "`response_a` and `response_b`; a mapping such as prompt=question names other columns."
    )
