"""What annotators are told about themselves, in words that help; never anything about somebody else.

Agreement with others could give away what others said: with one shared item it would be their answer. So it is told
from MIN_SHARED items on, only of items one has answered, in the order one's own answers came, and moves in steps of
STEP items. Right or wrong on gold is not told, since a figure that moves after an answer would show what is gold.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from annotation.models import Campaign
from annotation.statistics.columns import Figure
from annotation.statistics.people import people_of_campaign
from annotation.statistics.words import Cell, cell


@dataclass(frozen=True)
class Told:
    """A figure and what it means for the person."""

    name: str
    figure: Figure
    cell: Cell
    sentence: str


@dataclass(frozen=True)
class OwnWork:
    campaign: Campaign
    answers: int
    told: list[Told]


def own_work(campaign: Campaign, person: User) -> OwnWork | None:
    """None where the person has given no answer."""
    people = people_of_campaign(campaign)
    place = people.place_of(person.id)
    if place is None:
        return None
    figures = people.figures(place)
    together = figures["agreement_in_steps"]
    told = [
        _told("seconds", "Time for one answer", figures["seconds"], _pace(figures)),
        _told("first", "Choosing the first shown", figures["first"], _side(figures["first"])),
        _told("longer", "Choosing the longer", figures["longer"], _length(figures["longer"])),
        _told("consistency", "Same answer at a second look", figures["consistency"], _consistency(figures)),
        _told("agreement", "Same answer as most others", together, _together(together)),
    ]
    return OwnWork(campaign, figures["answers"].n, told)


def _told(name: str, label: str, figure: Figure, sentence: str) -> Told:
    return Told(name, figure, cell(name, label, figure), sentence)


def _pace(figures: dict[str, Figure]) -> str:
    hourly = figures["per_hour"].value
    rate = f" That is about {hourly:,.0f} an hour." if hourly else ""
    return "Half of your answers took longer, half less; breaks do not count." + rate + " There is no right pace."


def _side(figure: Figure) -> str:
    return _SIDE[figure.side_of(0.5)] if figure.value is not None else _LATER


def _length(figure: Figure) -> str:
    return _LENGTH[figure.side_of(0.5)] if figure.value is not None else _LATER


def _consistency(figures: dict[str, Figure]) -> str:
    if figures["consistency"].value is None:
        return "Now and then an item comes back with the sides swapped. " + _LATER
    stuck = figures["stuck_to_side"].value
    if stuck:
        return f"{_SWAPPED} In {stuck:.0%} of them you took the same side, not the same response."
    return f"{_SWAPPED} This is how often you said the same again."


def _together(figure: Figure) -> str:
    if figure.value is None:
        return _LATER
    return "On comparisons you have answered. Others may be wrong together: a good reason is worth more than agreeing."


_LATER = "There is not enough to tell yet."
_SWAPPED = "Some items came back with the sides swapped."
_SIDE = {
    0: "Between equally good responses you take the first about as often as the second.",
    1: "Between equally good responses you lean to the one shown first. Now and then, read the second one first.",
    -1: "Between equally good responses you lean to the one shown second. Going back to the first one helps.",
}
_LENGTH = {
    0: "Between equally good responses you take the longer about as often as the shorter.",
    1: "Between equally good responses you lean to the longer one. Ask of each what it says that was asked for.",
    -1: "Between equally good responses you lean to the shorter one. Ask of each what is missing that was asked for.",
}
