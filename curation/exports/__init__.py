"""Export formats, one file each; a format's name is its file's name."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from accounts.problems import NotFound


class UnknownFormat(NotFound):
    code = "unknown_format"


def format_names() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))


def find_format(name: str) -> ModuleType:
    if name not in format_names():
        raise UnknownFormat(
            f"There is no export format {name[:60]!r}. Formats: {', '.join(format_names())}.",
            fields={"format": f"one of {', '.join(format_names())}"},
        )
    return importlib.import_module(f"{__name__}.{name}")
