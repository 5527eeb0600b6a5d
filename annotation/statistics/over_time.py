"""How one person's judging went, in blocks of as many answers in the order they were given.

Blocks and not days, so that each point rests on as much as the next, whether the person works in one evening or over a
year: learning, drift and tiredness show by what was done, and the dates stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from annotation.models import Purpose
from annotation.statistics.columns import Column, Figure, shares
from annotation.statistics.estimates import Ints
from annotation.statistics.pace import median_seconds
from annotation.statistics.people import agreed_with_others
from annotation.statistics.read import PURPOSES, A, B, Votes

MIN_BLOCK = 20
MOST_BLOCKS = 20
LEAST = 5


@dataclass(frozen=True)
class Block:
    """Answers number `first` to `last` of the person, from 1."""

    first: int
    last: int
    start: datetime
    end: datetime
    agreement: Figure
    took_first: Figure
    seconds: Figure


def person_over_time(votes: Votes, annotator_id: int) -> list[Block]:
    """Of standing answers given as work; the last block may be short."""
    work = votes.where(votes.purpose == PURPOSES.index(Purpose.WORK))
    with_direction = work.has_direction
    has_majority, is_same = np.zeros(len(work), dtype=np.int64), np.zeros(len(work), dtype=np.int64)
    has_majority[with_direction], is_same[with_direction] = agreed_with_others(work.where(with_direction))
    is_own = work.annotator == annotator_id
    own, has_majority, is_same = work.where(is_own), has_majority[is_own], is_same[is_own]
    if not len(own):
        return []
    size = max(MIN_BLOCK, -(-len(own) // MOST_BLOCKS))
    block = np.arange(len(own)) // size
    count = int(block[-1]) + 1
    is_preference = own.has_direction & np.isin(own.direction, (A, B))
    took_first = is_preference & ((own.direction == B) == own.is_b_first)
    columns = (
        _shares(block, is_same, has_majority, count),
        _shares(block, took_first.astype(np.int64), is_preference.astype(np.int64), count),
        median_seconds(block, own.seconds, count),
    )
    return [_block(own, size, number, columns) for number in range(count)]


def _shares(block: Ints, hits: Ints, counted: Ints, count: int) -> Column:
    n = np.bincount(block, counted, count).astype(np.int64)
    reason = f"Fewer than {LEAST} to count; there are {{n}}."
    return shares(np.bincount(block, hits, count), n, least=LEAST, reason=reason)


def _block(own: Votes, size: int, number: int, columns: tuple[Column, Column, Column]) -> Block:
    first, last = number * size, min((number + 1) * size, len(own))
    agreement, took_first, seconds = (column.figure(number) for column in columns)
    return Block(
        first=first + 1,
        last=last,
        start=datetime.fromtimestamp(own.at[first], UTC),
        end=datetime.fromtimestamp(own.at[last - 1], UTC),
        agreement=agreement,
        took_first=took_first,
        seconds=seconds,
    )
