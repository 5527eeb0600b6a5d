"""A claimed item as the page shows it: sides named by the order shown, nothing that gives a model away."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from accounts.models import User
from annotation.desk.items import ClaimedItem
from annotation.desk.keys import ACTIONS, Action, actions_of, keys_of
from annotation.desk.rendering import rendered
from annotation.kinds._base import kind_named
from annotation.models import Campaign, Consensus, Judgment, Purpose

HISTORY_ROWS = 50
LETTERS = "ABCDEFGHIJKL"
SKIP_REASONS = (
    "I cannot tell",
    "The text is broken or missing",
    "I do not know the subject",
    "I do not read this language",
    "It is upsetting",
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


def shown_item(item: ClaimedItem, campaign: Campaign) -> dict[str, Any]:
    turns = turns_of(item.messages)
    return {
        "campaign": campaign,
        "item": item,
        "earlier_turns": turns[:-1],
        "last_turn": turns[-1] if turns else None,
        "sides": [
            Side(letter, response.id, response.content, rendered(response.content))
            for letter, response in zip(LETTERS, item.responses, strict=False)
        ],
        "is_revision": item.answer is not None,
        "why": why_shown(item, campaign),
        "filled_in": item.draft or item.answer or {},
        **kind_named(campaign.kind).presented(item, campaign),
    }


def why_shown(item: ClaimedItem, campaign: Campaign) -> str:
    """Never tells gold or a second look from work."""
    if item.answer is not None:
        return "You answered this one before; a change is kept beside the old answer."
    if item.purpose == Purpose.TRAINING:
        return f"Training for {campaign.name}: after your answer you are told what was expected, and why."
    if item.purpose == Purpose.QUALIFICATION:
        return f"The qualification round of {campaign.name}: it decides whether you go on to the work itself."
    order = "Which response comes first is balanced over people. " if len(item.responses) > 1 else ""
    return (
        f"It is the next item of {campaign.name} with a place for you. {order}"
        "Nobody sees your answer before giving their own, nor you theirs."
    )


def turns_of(messages: list[dict[str, Any]]) -> list[Turn]:
    return [_turn(message) for message in messages]


def _turn(message: dict[str, Any]) -> Turn:
    content = message.get("content")
    text = content if isinstance(content, str) else ""
    return Turn(role=str(message.get("role", "")), content=text, html=rendered(text))


def desk_keys(user: User, kind: str) -> dict[str, Any]:
    """For the page of a desk: every key by its action, what the script binds, and the list that ? shows."""
    keys = keys_of(user)
    there = actions_of(kind)
    return {
        "keys": keys,
        "bindings": [{"action": action.name, "keys": [keys[action.name]]} for action in there],
        "key_list": [
            (keys[action.name].split("+") if len(keys[action.name]) > 1 else [keys[action.name]], action.words)
            for action in there
        ],
    }


@dataclass(frozen=True)
class KeyRow:
    action: Action
    key: str
    is_changed: bool
    problem: str


def key_groups(user: User, typed: dict[str, str], problems: dict[str, str]) -> dict[str, list[KeyRow]]:
    """Every action by its group, with what was typed last."""
    held = keys_of(user)
    groups: dict[str, list[KeyRow]] = {}
    for action in ACTIONS:
        key = typed.get(action.name, held[action.name])
        row = KeyRow(action, key, held[action.name] != action.key, problems.get(action.name, ""))
        groups.setdefault(action.group, []).append(row)
    return groups


@dataclass(frozen=True)
class HistoryRow:
    judgment: Judgment
    opening: str
    answer: str


def history_rows(judgments: list[Judgment]) -> list[HistoryRow]:
    return [
        HistoryRow(judgment, opening_of(messages_of(judgment)), kind_named(judgment.kind).words(judgment))
        for judgment in judgments
    ]


def messages_of(judgment: Judgment) -> list[dict[str, Any]]:
    """The conversation that was shown; of a comparison, or of a task's prompt."""
    shown = judgment.comparison or judgment.assignment.task
    return list(shown.prompt.messages) if shown.prompt else []


def opening_of(messages: list[dict[str, Any]], length: int = 160) -> str:
    """The beginning of the last turn, to recognise a prompt by."""
    content = messages[-1].get("content") if messages else ""
    text = " ".join(str(content).split())
    return text if len(text) <= length else f"{text[:length].rstrip()}…"


@dataclass(frozen=True)
class SplitRow:
    """A comparison on which the votes differ."""

    comparison_id: int
    opening: str
    # Beginnings of both responses.
    a: str
    b: str
    # "2 A better, 1 tie"
    votes: str


def split_rows(rows: list[Consensus]) -> list[SplitRow]:
    said = _said_of(rows)
    return [
        SplitRow(
            comparison_id=row.comparison_id,
            opening=opening_of(row.comparison.prompt.messages) or "(no text)",
            a=_beginning(row.comparison.response_a.content) or "(empty)",
            b=_beginning(row.comparison.response_b.content) or "(empty)",
            votes=_counted(said[row.comparison_id]),
        )
        for row in rows
    ]


def _said_of(rows: list[Consensus]) -> dict[int, Counter[str]]:
    said: dict[int, Counter[str]] = {row.comparison_id: Counter() for row in rows}
    if not rows:
        return said
    votes = Judgment.objects.counting().filter(campaign=rows[0].campaign_id, comparison__in=list(said))
    for comparison_id, choice, is_both_bad in votes.values_list("comparison", "choice", "is_both_bad"):
        if comparison_id is not None and (is_both_bad or choice is not None):
            said[comparison_id][_direction(choice, is_both_bad)] += 1
    return said


def _direction(choice: int | None, is_both_bad: bool) -> str:
    return "both bad" if is_both_bad else "tie" if not choice else "A better" if choice < 0 else "B better"


def _counted(said: Counter[str]) -> str:
    """Most frequent first: "2 A better, 1 tie"."""
    return ", ".join(f"{count} {words}" for words, count in sorted(said.items(), key=lambda pair: (-pair[1], pair[0])))


def _beginning(text: str, length: int = 90) -> str:
    text = " ".join(text[: 4 * length].split())
    return text if len(text) <= length else f"{text[:length].rstrip()}…"
