"""One comparison as a curator adjudicates it: the pair, and what everybody said of it and why."""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from accounts.problems import NotFound
from annotation.consensus.adjudicate import standing_adjudication
from annotation.consensus.asked_in import answers_on, choice_on, tasks_asking
from annotation.desk.presentation import Turn, turns_of
from annotation.desk.rendering import rendered
from annotation.kinds.pairwise import THREE_WAY
from annotation.kinds.ranking import Sides
from annotation.models import Adjudication, Campaign, Consensus, Judgment, Unit
from corpus.models import Comparison

BOTH_BAD = "both_bad"
# In a/b orientation; sides are named as the page shows them, response_a at the left.
WORDS = {
    -3: "A much better",
    -2: "A better",
    -1: "A slightly better",
    0: "Tie",
    1: "B slightly better",
    2: "B better",
    3: "B much better",
}
# On a scale of three answers nobody said how much.
THREE_WORDS = {-1: "A better", 0: "Tie", 1: "B better"}


@dataclass(frozen=True)
class Vote:
    """One person's standing answer; `letter` stands for them on this page only."""

    letter: str
    judgment: Judgment
    words: str
    reason: str
    tags: list[str]


@dataclass(frozen=True)
class Pile:
    """How many gave an answer; piles come in the order of the scale."""

    words: str
    count: int

    @property
    def said(self) -> str:
        """Within a sentence; the letters of the sides stay what they are."""
        return self.words if self.words[:2] in {"A ", "B "} else self.words.lower()


@dataclass(frozen=True)
class Text:
    content: str
    html: SafeString


@dataclass(frozen=True)
class Dispute:
    comparison: Comparison
    turns: list[Turn]
    a: Text
    b: Text
    votes: list[Vote]
    piles: list[Pile]
    # What the method in force makes of the votes; None before any.
    consensus: Consensus | None
    adjudication: Adjudication | None

    @property
    def decision(self) -> str:
        held = self.adjudication
        return "" if held is None else answer_words(held.label, held.is_both_bad)

    @property
    def is_made_up(self) -> bool:
        return any(vote.judgment.annotator.is_simulated for vote in self.votes)


def dispute_of(campaign: Campaign, comparison_id: int) -> Dispute:
    comparison = (
        Comparison.objects.filter(id=comparison_id, project=campaign.project_id)
        .select_related("prompt", "response_a", "response_b")
        .first()
    )
    if comparison is None or not tasks_asking(campaign, comparison_id).exists():
        raise NotFound(f"There is no comparison {comparison_id} in {campaign.name}.")
    judgments = list(answers_on(campaign, comparison_id).select_related("annotator").order_by("id"))
    words = step_words(campaign)
    sides = Sides(comparison.pk, comparison.response_a_id, comparison.response_b_id)
    choices = [choice_on(judgment, sides) for judgment in judgments]
    said = [
        _vote(_letter(place), judgment, answer_words(choice, judgment.is_both_bad, words))
        for place, (judgment, choice) in enumerate(zip(judgments, choices, strict=True))
    ]
    return Dispute(
        comparison=comparison,
        turns=turns_of(comparison.prompt.messages),
        a=_text(comparison.response_a.content),
        b=_text(comparison.response_b.content),
        votes=said,
        piles=_piles(said, words),
        consensus=Consensus.objects.filter(
            campaign=campaign, comparison=comparison, method=campaign.consensus_method
        ).first(),
        adjudication=standing_adjudication(campaign, comparison.pk),
    )


def step_words(campaign: Campaign) -> dict[int, str]:
    is_three_way = campaign.settings.get("scale") == THREE_WAY or campaign.unit == Unit.PROMPT
    return WORDS | THREE_WORDS if is_three_way else WORDS


def answer_words(label: int | None, is_both_bad: bool, words: dict[int, str] = WORDS) -> str:
    return "Both bad" if is_both_bad else "No preference given" if label is None else words[label]


def _text(content: str) -> Text:
    return Text(content, rendered(content))


def _vote(letter: str, judgment: Judgment, words: str) -> Vote:
    payload: dict[str, Any] = judgment.payload
    reason, tags = payload.get("reason", ""), payload.get("tags", [])
    return Vote(
        letter=letter,
        judgment=judgment,
        words=words,
        reason=reason if isinstance(reason, str) else "",
        tags=[str(tag) for tag in tags] if isinstance(tags, list) else [],
    )


def _piles(votes: list[Vote], words: dict[int, str]) -> list[Pile]:
    counted = Counter(vote.words for vote in votes)
    order = [*(words[step] for step in WORDS), answer_words(None, True), answer_words(None, False)]
    # On a scale of three answers several steps have the same words.
    return [Pile(said, counted[said]) for said in dict.fromkeys(order) if counted[said]]


def _letter(place: int) -> str:
    """P to Z first, so that nobody is taken for a side; then with numbers."""
    letters = string.ascii_uppercase[15:]
    rounds, number = divmod(place, len(letters))
    return letters[number] + (str(rounds + 1) if rounds else "")
