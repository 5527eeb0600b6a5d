"""Figures over a large campaign are kept for a minute; of a small one they are of this moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

KEPT_SECONDS = 60
# Tasks from which on counting takes longer than a page may.
LARGE = 5_000

Figures = TypeVar("Figures")


def kept(key: str, size: int, compute: Callable[[], Figures]) -> Figures:
    """`size` is the number of tasks that are counted; the key holds all that the figures depend on."""
    if size < LARGE:
        return compute()
    return cache.get_or_set(f"campaigns:{key}", compute, KEPT_SECONDS)  # type: ignore[return-value]  # the stub says Any | None
