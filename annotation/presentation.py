"""A claimed item as the page shows it: sides named by the order shown, nothing that gives a model away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from annotation.models import Campaign
from annotation.queries import ClaimedItem
from annotation.rendering import rendered

STEP_WORDS = (
    "A much better",
    "A better",
    "A slightly better",
    "Tie",
    "B slightly better",
    "B better",
    "B much better",
)


@dataclass(frozen=True)
class Side:
    letter: str
    response_id: int
    content: str
    html: SafeString


@dataclass(frozen=True)
class Turn:
    role: str
    content: str
    html: SafeString


@dataclass(frozen=True)
class Step:
    """A button of the answer bar: `choice` is signed in a/b orientation, `words` speak of the sides as shown."""

    key: str
    choice: int
    words: str


def shown_item(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    turns = [_turn(message) for message in item.messages]
    return {
        "campaign": campaign,
        "item": item,
        "earlier_turns": turns[:-1],
        "last_turn": turns[-1] if turns else None,
        "sides": [
            Side(letter, response.id, response.content, rendered(response.content))
            for letter, response in zip("AB", item.responses, strict=True)
        ],
        "steps": steps(item, campaign),
        "is_revision": item.answer is not None,
        "filled_in": item.draft or item.answer or {},
    }


def steps(item: ClaimedItem, campaign: Campaign) -> list[Step]:
    """The keys follow the hands, left to right; the choice behind a key depends on which response is at the left."""
    sign = 1 if item.responses[0].id == item.response_a_id else -1
    offered = [
        Step(key=str(place + 1), choice=sign * strength, words=STEP_WORDS[place])
        for place, strength in enumerate(range(-3, 4))
    ]
    return [step for step in offered if step.choice or campaign.settings.get("tie", True)]


def _turn(message: dict[str, Any]) -> Turn:
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    return Turn(role=str(message.get("role", "")), content=text, html=rendered(text))
