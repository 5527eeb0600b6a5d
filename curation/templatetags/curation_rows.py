"""How a comparison, its votes and its label look wherever they are shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.safestring import SafeString

from annotation.desk.rendering import rendered
from corpus.models import Prompt
from curation.queries import Row
from curation.words import label_words, signed

register = template.Library()

LINE_CHARACTERS = 240
# Pixels: -3 stands at 8, 3 at 104.
CENTRE, STEP = 56, 16
PEOPLE_Y, MODELS_Y = 6, 15

register.filter("signed", signed)


@register.filter
def words(label: int | None) -> str:
    return label_words(label)


@register.filter
def words_or(label: int | None, nothing: str) -> str:
    return label_words(label, nothing)


@register.filter
def opposite(label: int) -> int:
    return -label


@register.filter
def side(label: int | None) -> str:
    """The side that a label prefers, for its colour."""
    return "" if not label else "a" if label < 0 else "b"


@register.filter
def markdown(text: object) -> SafeString:
    return rendered(text if isinstance(text, str) else "")


@register.filter
def prompt_line(prompt: Prompt) -> str:
    """The last thing that was asked, on one line."""
    asked = [message.get("content") for message in prompt.messages if message.get("role") == "user"]
    spoken = asked or [message.get("content") for message in prompt.messages]
    text = spoken[-1] if spoken and isinstance(spoken[-1], str) else ""
    line = " ".join(text[: 4 * LINE_CHARACTERS].split())
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]}…"


@register.filter
def turns_before(prompt: Prompt) -> int:
    return max(0, len(prompt.messages) - 1)


@register.inclusion_tag("curation/_strength_bar.html")
def strength_bar(strength: float | str | None) -> dict[str, Any]:
    """A bar from the centre line: right for the label, left against it; empty text is a template's missing value."""
    if not isinstance(strength, float | int):
        return {"strength": None}
    drawn = max(-3.0, min(3.0, strength))
    return {
        "strength": strength,
        "x": round(min(drawn, 0.0), 3),
        "width": round(abs(drawn), 3),
        "is_against": strength < 0,
    }


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    radius: float
    points: str = ""
    is_simulated: bool = False


@register.inclusion_tag("curation/_dots.html")
def dots(row: Row) -> dict[str, Any]:
    """People's answers and the models' mean on one line from "a much better" to "b much better"."""
    counted = Counter(voice.choice for voice in row.voices if voice.choice is not None)
    real = {voice.choice for voice in row.voices if not voice.is_simulated}
    people = [
        Dot(_x(choice), PEOPLE_Y, min(3 + 0.7 * (count - 1), 5), is_simulated=choice not in real)
        for choice, count in sorted(counted.items())
    ]
    means = [fields["mean"] for fields in row.signals.values() if isinstance(fields.get("mean"), int | float)]
    models = [Dot(_x(mean), MODELS_Y, 4, _diamond(_x(mean), MODELS_Y, 4)) for mean in means]
    return {"people": people, "models": models, "said": _said(row, means), "centre": CENTRE}


def _x(value: float) -> float:
    return round(CENTRE + STEP * max(-3.0, min(3.0, value)), 1)


def _diamond(x: float, y: float, reach: float) -> str:
    return f"{x},{y - reach} {x + reach},{y} {x},{y + reach} {x - reach},{y}"


def _said(row: Row, means: list[float]) -> str:
    """The same in words, for whoever cannot see the dots."""
    answers = [
        label_words(voice.choice, "both bad") + (" (simulated)" if voice.is_simulated else "") for voice in row.voices
    ]
    people = ", ".join(answers) or "nobody yet"
    models = ", ".join(signed(mean) for mean in means) or "none yet"
    return f"People: {people}. Models, positive = B: {models}."
