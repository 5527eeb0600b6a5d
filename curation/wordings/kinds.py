"""The kinds of words there are, and what each of them checks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import yaml

from accounts.problems import Invalid, NotFound

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


class UnknownKind(NotFound):
    code = "unknown_wording"


class InvalidWording(Invalid):
    code = "invalid_wording"


class Kind(Protocol):
    """A file of this room, seen as an object."""

    LABEL: str
    QUESTION: str
    HELP: str
    ORDER: Sequence[str]

    def problems(self, document: Any) -> dict[str, str]:
        """By path (`aspects.0.positive.2`), what is wrong there; nothing else is ever kept."""
        ...

    def shaped(self, document: Any) -> dict[str, Any]:
        """A document without problems in its one shape: two that mean the same are the same."""
        ...


def kind_of(name: str) -> Kind:
    if name not in NAMES:
        raise UnknownKind(f"There are no words of the kind {name[:40]!r}; there are {', '.join(NAMES)}.")
    return cast(Kind, import_module(f"curation.wordings.{name}"))


def checked(name: str, document: Any) -> dict[str, Any]:
    kind = kind_of(name)
    if wrong := kind.problems(document):
        place, words = next(iter(wrong.items()))
        said = f": {place} {words}." if len(wrong) == 1 else f"; {len(wrong)} places are wrong."
        raise InvalidWording(f"These words cannot be used{said}", wrong)
    return kind.shaped(document)


@cache
def bundled(name: str) -> dict[str, Any]:
    kind_of(name)
    return checked(name, yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))
