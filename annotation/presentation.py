"""A claimed item as the page shows it: sides named by the order shown, nothing that gives a model away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from annotation.models import Campaign, Consensus, Judgment
from annotation.queries import ClaimedItem
from annotation.rendering import rendered

HISTORY_ROWS = 50
SKIP_REASONS = (
    "I cannot tell",
    "The text is broken or missing",
    "I do not know the subject",
    "I do not read this language",
    "It is upsetting",
)
STEP_WORDS = (
    "A much better",
    "A better",
    "A slightly better",
    "Tie",
    "B slightly better",
    "B better",
    "B much better",
)


# Where there is no room for the words, on a phone.
STEP_MARKS = ("A+++", "A++", "A+", "=", "B+", "B++", "B+++")


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
    mark: str


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
        Step(key=str(place + 1), choice=sign * strength, words=STEP_WORDS[place], mark=STEP_MARKS[place])
        for place, strength in enumerate(range(-3, 4))
    ]
    return [step for step in offered if step.choice or campaign.settings.get("tie", True)]


def _turn(message: dict[str, Any]) -> Turn:
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    return Turn(role=str(message.get("role", "")), content=text, html=rendered(text))


@dataclass(frozen=True)
class HistoryRow:
    judgment: Judgment
    opening: str
    answer: str


def history_rows(judgments: list[Judgment]) -> list[HistoryRow]:
    return [
        HistoryRow(judgment, opening_of(judgment.comparison.prompt.messages), words_of(judgment))
        for judgment in judgments
    ]


def opening_of(messages: list[dict[str, Any]], length: int = 160) -> str:
    """The beginning of the last turn, to recognise a prompt by."""
    content = messages[-1].get("content") if messages else ""
    text = " ".join(str(content).split())
    return text if len(text) <= length else f"{text[:length].rstrip()}…"


def words_of(judgment: Judgment) -> str:
    """The answer in the letters that its author saw."""
    if judgment.is_both_bad:
        return "Both bad"
    if judgment.choice is None:
        return judgment.kind
    sign = 1 if judgment.order_shown[0] == judgment.comparison.response_a_id else -1
    return STEP_WORDS[3 + sign * judgment.choice]


@dataclass(frozen=True)
class SplitRow:
    """A comparison on which the votes differ."""

    comparison_id: int
    opening: str
    votes: int
    shares: str


def split_rows(rows: list[Consensus]) -> list[SplitRow]:
    return [
        SplitRow(row.comparison_id, opening_of(row.comparison.prompt.messages) or "(no text)", row.votes, _shares(row))
        for row in rows
    ]


def _shares(row: Consensus) -> str:
    """Most frequent first: "response_a better 0.67, tie 0.33"."""
    words = {"a": "response_a better", "tie": "tie", "b": "response_b better", "both_bad": "both bad"}
    ranked = sorted(row.posterior.items(), key=lambda pair: (-float(pair[1]), pair[0]))
    return ", ".join(f"{words.get(name, name)} {float(share):.2f}" for name, share in ranked)
