"""Rows to import, and the rows that were refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage

Import = Callable[..., dict[str, Any]]


def pair(
    prompt: Any = "How do I boil an egg?", a: Any = "In water.", b: Any = "In oil.", **more: Any
) -> dict[str, Any]:
    return {"prompt": prompt, "response_a": a, "response_b": b, **more}


def rejects_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    if not result["rejects"]:
        return []
    with default_storage.open(result["rejects"]) as file:
        return [json.loads(line) for line in file]
