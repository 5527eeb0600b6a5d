"""Text that a spreadsheet would run."""

from __future__ import annotations

# A formula, or the way out of a cell.
STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """An apostrophe before it, and no spreadsheet runs it."""
    return f"'{text}" if text.startswith(STARTS) else text


def is_neutralised(text: str) -> bool:
    """As far as one can see: somebody may have written it so."""
    return text.startswith("'") and text[1:].startswith(STARTS)
