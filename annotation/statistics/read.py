"""The answers of one campaign as columns of numbers, read at once.

A million answers as Python objects would take seconds and gigabytes; PostgreSQL's binary COPY has rows of one size
when no column is null and none varies in length, so numpy reads it as it comes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from annotation.models import Campaign, Purpose
from annotation.statements import first_row
from annotation.statistics.estimates import Floats, Ints

Bools = NDArray[np.bool_]
Found = TypeVar("Found")

A, TIE, B, BOTH_BAD = 0, 1, 2, 3
PURPOSES = tuple(Purpose)
_NO_CHOICE, _BOTH_BAD_CHOICE = 99, 100
# An answer whose transaction ended after a later one's is seen after this long at the latest.
SECONDS_KEPT = 60
CAMPAIGNS_KEPT = 8


@dataclass(frozen=True)
class Votes:
    """A row per standing answer, oldest first; `comparison` is 0 where none was asked about."""

    id: Ints
    comparison: Ints
    annotator: Ints
    # Place in PURPOSES.
    purpose: Ints
    # -3..3, nan where there is no such number.
    choice: Floats
    is_both_bad: Bools
    is_b_first: Bools
    # log2(length of response_b / length of response_a) in characters; one empty side counts as one character.
    log2_lengths: Floats
    # Active seconds by the browser's clock, nan without.
    seconds: Floats
    # When it was given, in seconds since 1970.
    at: Floats

    def __len__(self) -> int:
        return len(self.id)

    def where(self, kept: Bools) -> Votes:
        return Votes(**{name: column[kept] for name, column in vars(self).items()})

    @property
    def counting(self) -> Votes:
        """What was given as work and says which of two responses is better, or neither."""
        return self.where((self.purpose == PURPOSES.index(Purpose.WORK)) & self.has_direction)

    @property
    def has_direction(self) -> Bools:
        return (self.comparison > 0) & (self.is_both_bad | ~np.isnan(self.choice))

    @property
    def direction(self) -> Ints:
        """A, TIE, B or BOTH_BAD; meaningless where has_direction is false."""
        sign = np.sign(np.nan_to_num(self.choice)).astype(np.int64) + 1
        return np.where(self.is_both_bad, BOTH_BAD, sign)


def kept_until_answered(compute: Callable[[Campaign], Found]) -> Callable[[Campaign], Found]:
    """Keeps what was computed of a campaign for as long as no answer comes in, a minute at most."""
    held: OrderedDict[tuple[int, int, int], Found] = OrderedDict()
    lock = threading.Lock()

    @wraps(compute)
    def look_up(campaign: Campaign) -> Found:
        key = (campaign.id, newest_judgment(campaign), int(time.time() / SECONDS_KEPT))
        with lock:
            if key in held:
                return held[key]
        found = compute(campaign)
        with lock:
            held[key] = found
            while len(held) > CAMPAIGNS_KEPT:
                held.popitem(last=False)
        return found

    return look_up


def newest_judgment(campaign: Campaign) -> int:
    """Its id; 0 without any. One look into the index per annotator, whatever the number of answers."""
    row = first_row(_NEWEST, {"campaign": campaign.id})
    return int(row[0]) if row and row[0] else 0


def votes_of(campaign: Campaign) -> Votes:
    with connection.cursor() as cursor, cursor.copy(_COPY, {"campaign": campaign.id}) as copy:
        content = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(content[_HEADER_BYTES:-_TRAILER_BYTES], dtype=_ROW)
    choice = rows["choice"].astype(np.float64)
    return Votes(
        id=rows["id"].astype(np.int64),
        comparison=rows["comparison"].astype(np.int64),
        annotator=rows["annotator"].astype(np.int64),
        purpose=rows["purpose"].astype(np.int64) - 1,
        choice=np.where(choice >= _NO_CHOICE, np.nan, choice),
        is_both_bad=choice == _BOTH_BAD_CHOICE,
        is_b_first=rows["is_b_first"] == 1,
        log2_lengths=rows["log2_lengths"].astype(np.float64),
        seconds=np.where(rows["seconds"] < 0, np.nan, rows["seconds"]).astype(np.float64),
        at=rows["at"].astype(np.float64),
    )


_COLUMNS = {
    "id": ">i8", "comparison": ">i8", "annotator": ">i8", "purpose": ">i2", "choice": ">i2", "is_b_first": ">i2",
    "log2_lengths": ">f8", "seconds": ">f8", "at": ">f8",
}  # fmt: skip
# Before each row the number of its columns, before each column its bytes.
_ROW = np.dtype(
    [("columns", ">i2")]
    + [field for name, kind in _COLUMNS.items() for field in ((f"bytes of {name}", ">i4"), (name, kind))]
)
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_NEWEST = """
WITH RECURSIVE people AS (
    (SELECT annotator_id, id FROM annotation_judgment WHERE campaign_id = %(campaign)s
     ORDER BY annotator_id, id DESC LIMIT 1)
    UNION ALL
    SELECT next.annotator_id, next.id FROM people, LATERAL (
        SELECT annotator_id, id FROM annotation_judgment
        WHERE campaign_id = %(campaign)s AND annotator_id > people.annotator_id
        ORDER BY annotator_id, id DESC LIMIT 1
    ) AS next
)
SELECT max(id) FROM people
"""
_PURPOSE_LIST = ", ".join(f"'{purpose}'" for purpose in PURPOSES)
_COPY = f"""
COPY (
    WITH answers AS MATERIALIZED (
        SELECT id, comparison_id, annotator_id, purpose, choice, is_both_bad, order_shown, active_seconds, created_at
        FROM annotation_judgment WHERE campaign_id = %(campaign)s AND superseded_by_id IS NULL
    ), asked AS MATERIALIZED (
        SELECT c.id, c.response_b_id,
               ln(greatest(char_length(b.content), 1)::float8 / greatest(char_length(a.content), 1)) / ln(2::float8)
                   AS log2_lengths
        FROM (SELECT DISTINCT comparison_id FROM answers) AS d
        JOIN corpus_comparison c ON c.id = d.comparison_id
        JOIN corpus_response a ON a.id = c.response_a_id
        JOIN corpus_response b ON b.id = c.response_b_id
    )
    SELECT j.id::bigint, coalesce(j.comparison_id, 0)::bigint, j.annotator_id::bigint,
           coalesce(array_position(ARRAY[{_PURPOSE_LIST}], j.purpose::text), 0)::smallint,
           CASE WHEN is_both_bad THEN {_BOTH_BAD_CHOICE} ELSE coalesce(choice, {_NO_CHOICE}) END::smallint,
           coalesce(order_shown[1] = response_b_id, false)::int::smallint,
           coalesce(log2_lengths, 0)::float8, coalesce(active_seconds, -1)::float8,
           extract(epoch FROM created_at)::float8
    FROM answers j LEFT JOIN asked ON asked.id = j.comparison_id
    ORDER BY j.id
) TO STDOUT (FORMAT binary)
"""  # noqa: S608 - the names are the constants above
