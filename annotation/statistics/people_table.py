"""The people of a campaign as a table that is sorted and turned by its address."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from accounts.models import User
from annotation.models import Campaign
from annotation.statistics.columns import Column
from annotation.statistics.people import CampaignPeople, people_of_campaign
from annotation.statistics.reliability import Reliability, reliability_of
from annotation.statistics.words import Cell, cell, count_cell

ROWS = 50
HEADS = {
    "answers": "Answers",
    "reliability": "Reliability",
    "agreement": "Agrees with others",
    "gold": "Right on gold",
    "first": "Chooses the first",
    "longer": "Chooses the longer",
    "consistency": "Same at a second look",
    "seconds": "Time for one",
}
# Shown whether or not anybody has the figure.
ALWAYS = {"answers", "reliability", "agreement"}
DETAILS = {
    **HEADS,
    "stuck_to_side": "Same side at a second look, sides swapped",
    "took_first": "Took the first, nothing taken out",
    "took_longer": "Took the longer, nothing taken out",
    "ties": "Ties",
    "both_bad": "Both bad",
    "strongest": "Strongest step, of preferences",
    "per_hour": "Answers in an hour of work",
}


@dataclass(frozen=True)
class Asked:
    sort: str
    is_descending: bool
    page: int

    @classmethod
    def of(cls, sort: str, order: str, page: str) -> Asked:
        """What an address says; anything else is the first page, most answers first."""
        number = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
        return cls(sort if sort in HEADS else "answers", order != "up", max(1, number))


@dataclass(frozen=True)
class Head:
    name: str
    label: str
    # The query that sorts by it, the other way round if it is sorted by it already.
    query: str
    # What the column is sorted by, for aria-sort.
    sorted: str


@dataclass(frozen=True)
class Row:
    user: User
    cells: list[Cell]


@dataclass(frozen=True)
class Table:
    heads: list[Head]
    rows: list[Row]
    n_people: int
    first_row: int
    earlier: str
    later: str
    # Of all people together.
    whole: list[Cell]
    reliability_by: str
    # Figures that nobody has here: label and reason.
    missing: list[tuple[str, str]]


def table_of(campaign: Campaign, asked: Asked) -> Table:
    people = people_of_campaign(campaign)
    reliability = reliability_of(campaign, people)
    columns = people.columns | {"reliability": reliability.column}
    shown = CampaignPeople(people.annotators, columns, people.whole)
    n = len(people.annotators)
    first = min((asked.page - 1) * ROWS, max(0, (n - 1) // ROWS * ROWS))
    ranked = shown.ranked(asked.sort, descending=asked.is_descending)[first : first + ROWS]
    heads = {name: label for name, label in HEADS.items() if name in ALWAYS or _is_known(columns[name])}
    users = User.objects.in_bulk([int(people.annotators[place]) for place in ranked])
    rows = [
        Row(users[int(people.annotators[place])], cells_of(columns, int(place), heads, reliability)) for place in ranked
    ]
    here = first // ROWS + 1
    return Table(
        heads=[_head(name, label, asked) for name, label in heads.items()],
        rows=rows,
        n_people=n,
        first_row=first + 1,
        earlier=_query(asked, here - 1) if first else "",
        later=_query(asked, here + 1) if first + ROWS < n else "",
        whole=[
            cell("first", "choose the first at equal quality", people.whole.first),
            cell("longer", "choose the longer of two equally good, one twice as long", people.whole.longer),
        ],
        reliability_by=reliability.by,
        missing=[(label, _why(columns[name])) for name, label in HEADS.items() if name not in heads],
    )


def _is_known(column: Column) -> bool:
    return not bool(np.isnan(column.value).all())


def _why(column: Column) -> str:
    """In words that hold for all of them."""
    said = column.reason.split(";")[0].rstrip(".")
    return said[:1].lower() + said[1:]


def person_cells(campaign: Campaign, people: CampaignPeople, place: int) -> list[Cell]:
    reliability = reliability_of(campaign, people)
    return cells_of(people.columns | {"reliability": reliability.column}, place, DETAILS, reliability)


def cells_of(columns: dict[str, Column], place: int, labels: dict[str, str], reliability: Reliability) -> list[Cell]:
    return [
        count_cell(name, label, columns[name].figure(place))
        if name == "answers"
        else cell(name, label, columns[name].figure(place), is_share=name != "reliability" or reliability.is_share)
        for name, label in labels.items()
    ]


def _head(name: str, label: str, asked: Asked) -> Head:
    if name != asked.sort:
        return Head(name, label, f"?sort={name}", "none")
    way = "descending" if asked.is_descending else "ascending"
    return Head(name, label, f"?sort={name}&order={'up' if asked.is_descending else 'down'}", way)


def _query(asked: Asked, page: int) -> str:
    return f"?sort={asked.sort}&order={'down' if asked.is_descending else 'up'}&page={page}"
