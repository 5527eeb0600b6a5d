"""How known answers and people do; each list has a total order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from annotation.desk.presentation import opening_of
from annotation.models import Campaign, GoldAnswer, Participant, ParticipantState, Purpose
from annotation.quality.gold import PHASES
from annotation.quality.qualify import Marked, marked_answers
from annotation.quality.right import in_words
from ledger.shares import Share

SHOWN = 200


@dataclass(frozen=True)
class GoldRow:
    gold: GoldAnswer
    # How often it was answered as expected.
    share: Share

    @property
    def opening(self) -> str:
        shown = self.gold.task.comparison or self.gold.task
        return opening_of(list(shown.prompt.messages) if shown.prompt else []) or "(no text)"

    @property
    def words(self) -> str:
        """Sides as response_a and response_b, since a curator sees no order."""
        comparison = self.gold.task.comparison
        if comparison is None:
            return in_words(self.gold.campaign.kind, self.gold.expected, list(self.gold.task.response_ids or []), None)
        sides = [comparison.response_a_id, comparison.response_b_id]
        return in_words(self.gold.campaign.kind, self.gold.expected, sides, sides[0])

    @property
    def is_missed(self) -> bool:
        """Most people miss it, and not by chance: look at it again."""
        return self.share.interval is not None and self.share.interval[1] < 0.5


@dataclass(frozen=True)
class GoldList:
    """The surest misses first; `counts` are of all, by phase."""

    rows: list[GoldRow]
    counts: dict[str, int]

    @property
    def count(self) -> int:
        return sum(self.counts.values())


def gold_list(campaign: Campaign, answers: list[Marked], *, limit: int = SHOWN) -> GoldList:
    given, right = Counter(a.gold_id for a in answers), Counter(a.gold_id for a in answers if a.is_right)
    phases = dict(GoldAnswer.objects.filter(campaign=campaign).values_list("id", "phase"))
    shares = {number: Share(right[number], given[number]) for number in phases}
    first = sorted(phases, key=lambda number: (_upper(shares[number]), number))[:limit]
    shown = GoldAnswer.objects.select_related("campaign__rubric", "task__comparison__prompt", "task__prompt")
    found = shown.in_bulk(first)
    counts = Counter(phases.values())
    rows = [GoldRow(found[number], shares[number]) for number in first if number in found]
    return GoldList(rows, {phase.value: counts[phase] for phase in PHASES})


def _upper(share: Share) -> float:
    """What nobody has answered comes last."""
    return share.interval[1] if share.interval else 2.0


@dataclass(frozen=True)
class SeatRow:
    """One person, and how they did on what has a known answer."""

    person: Participant
    training: Share
    gold: Share

    @property
    def qualification(self) -> Share | None:
        result = self.person.qualification
        return Share(result["right"], result["n"]) if result else None


def seat_rows(campaign: Campaign, answers: list[Marked], *, limit: int = SHOWN) -> list[SeatRow]:
    """Those who failed first, then those on their way, those at work, those sent away; by number within."""
    order = [
        ParticipantState.FAILED,
        ParticipantState.QUALIFYING,
        ParticipantState.TRAINING,
        ParticipantState.INVITED,
        ParticipantState.ACTIVE,
        ParticipantState.REMOVED,
    ]
    people = Participant.objects.filter(campaign=campaign).select_related("annotator")
    listed = sorted(people, key=lambda one: (order.index(ParticipantState(one.state)), one.annotator_id))[:limit]
    return [SeatRow(one, _share(answers, one, Purpose.TRAINING), _share(answers, one, Purpose.GOLD)) for one in listed]


def _share(answers: list[Marked], person: Participant, purpose: Purpose) -> Share:
    own = [a.is_right for a in answers if a.annotator_id == person.annotator_id and a.purpose == purpose]
    return Share(sum(own), len(own))


@dataclass(frozen=True)
class Part:
    """One part of the quality settings in words; a problem when it cannot work as it stands."""

    words: str
    problem: str = ""


def parts_of(campaign: Campaign, counts: dict[str, int]) -> list[Part]:
    quality: dict[str, Any] = campaign.quality
    parts = []
    if training := quality.get("training"):
        words = f"Training: {_items(training['items'])} first, with feedback after each."
        parts.append(Part(words, _short(counts, "training", training["items"])))
    if qualification := quality.get("qualification"):
        needed = f"{100 * qualification['threshold']:.0f} %"
        words = f"Qualification: {_items(qualification['items'])}, of which {needed} must be as expected."
        parts.append(Part(words, _short(counts, "qualification", qualification["items"])))
    if gold := quality.get("gold"):
        words = f"Gold: about one after every {_items(gold['every'], 'work item')}."
        parts.append(Part(words, _short(counts, "gold", 1)))
    if repeats := quality.get("repeats"):
        since = _items(repeats["after_items"], "later item") if "after_items" in repeats else ""
        since = since or f"{repeats['after_days']} day{'s' * (repeats['after_days'] != 1)}"
        words = (
            f"Quiet repeats: one after every {_items(repeats['every'], 'work item')}, of answers at least {since} old."
        )
        parts.append(Part(words))
    return parts


def _short(counts: dict[str, int], phase: str, wanted: int) -> str:
    there = counts.get(phase, 0)
    if there >= wanted:
        return ""
    if there == 0:
        without = {
            "training": "it is passed over.",
            "qualification": "nobody new gets to the work.",
            "gold": "none is given.",
        }
        return f"No item is marked for it, so {without[phase]}"
    return f"Only {_items(there)} marked for it."


def _items(count: int, what: str = "item") -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def all_marked(campaign: Campaign) -> list[Marked]:
    return list(marked_answers(campaign))
