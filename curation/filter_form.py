"""The filter as the page offers it: choices, and chips that take a part away again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from curation.row_filter import RowFilter
from curation.words import label_words, signed

CHOICES = {
    "label": [
        ("a", "A is better"),
        ("tie", "tie"),
        ("b", "B is better"),
        ("none", "no label"),
        *((str(label), label_words(label)) for label in range(-3, 4) if label),
    ],
    "band": [(band, band) for band in ("incorrect", "ambiguous", "normal", "strong")] + [("none", "no band")],
    "decision": [("any", "decided"), ("none", "undecided")]
    + [(action, action) for action in ("keep", "flip", "soften", "label", "drop", "review")],
    "order": [("id", "by number"), ("strength", "votes against first"), ("-strength", "votes for first")],
    "flags": [
        ("people_disagree", "People disagree"),
        ("contradicted", "Contradicted"),
        ("duplicate", "Duplicate"),
        ("judged", "Judged"),
        ("voted", "Voted"),
    ],
}
_WORDS = {name: dict(choices) for name, choices in CHOICES.items()}


@dataclass(frozen=True)
class Chip:
    words: str
    # The page without it.
    query: str


def filter_context(rows: RowFilter, order: str) -> dict[str, Any]:
    kept_order = {} if order == "id" else {"order": order}
    return {
        "filter": rows,
        "order": order,
        "choices": CHOICES,
        "chosen": rows.chosen,
        "flagged": [name for name, _ in CHOICES["flags"] if getattr(rows, name)],
        "chips": [Chip(words, urlencode({**rows.without(*names).chosen, **kept_order})) for names, words in _set(rows)],
        "here": urlencode({**rows.chosen, **kept_order}),
    }


def _set(rows: RowFilter) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    for name, value in rows.chosen.items():
        if name in _WORDS["flags"]:
            word = _WORDS["flags"][name]
            found.append(((name,), word if value == "true" else f"not {word.lower()}"))
        elif name in {"label", "band", "decision"}:
            found.append(((name,), f"{name}: {_WORDS[name].get(value, value)}"))
        elif name in {"people", "models"}:
            found.append(((name,), f"{name} prefer {value.upper()}"))
        elif name in {"source", "release", "q"}:
            found.append(((name,), f"{'id has' if name == 'q' else name} {value}"))
    if rows.min_strength is not None or rows.max_strength is not None:
        low = "any" if rows.min_strength is None else signed(rows.min_strength)
        high = "any" if rows.max_strength is None else signed(rows.max_strength)
        found.append((("min_strength", "max_strength"), f"strength {low} to {high}"))
    return found
