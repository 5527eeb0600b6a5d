"""While the areas are being written: mount what can be imported, and say aloud what cannot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any


def routers_of(*areas: str) -> Iterator[Any]:
    for area in areas:
        module = _module(f"{area}.api")
        if module is not None:
            yield module.router


def url_modules_of(*areas: str) -> Iterator[ModuleType]:
    for area in areas:
        module = _module(f"{area}.urls")
        if module is not None:
            yield module


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError as unfinished:
        sys.stderr.write(f"NOT MOUNTED {name}: {unfinished}\n")
        return None
