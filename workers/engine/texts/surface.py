"""What a text looks like before anybody reads it: its length and its form, as log(1 + n) of plain counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from workers.engine.heads.bradley_terry import Floats

NAMES = ("length", "lists", "markdown", "code")
LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
MARKDOWN = re.compile(r"^#{1,6} |\*\*\S|__\S|^\s*\|.*\|\s*$|^>\s|\[[^\]\n]+\]\([^)\n]+\)", re.MULTILINE)
CODE = re.compile(r"```|(?<!`)`[^`\n]+`(?!`)")


def counts(text: str) -> list[float]:
    """Of NAMES: characters, list items, marks of markdown (headings, bold, tables, quotes, links), pieces of code."""
    found = (len(text), *(len(pattern.findall(text)) for pattern in (LIST_ITEM, MARKDOWN, CODE)))
    return [float(np.log1p(number)) for number in found]


def differences(sides: Sequence[tuple[str, str]]) -> Floats:
    """Response b minus response a, [n, 4]."""
    looked = {text: counts(text) for both in sides for text in both}
    rows = [np.subtract(looked[b], looked[a]) for a, b in sides]
    return np.array(rows, dtype=np.float64).reshape(len(sides), len(NAMES))
