"""Write a batch of votes: tasks, assignments and judgments, by COPY, each vote once however often it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import psycopg
from django.db import connection

from annotation.kinds._base import Asked, InvalidPayload, kind_named
from annotation.models import AssignmentState, Campaign, Purpose
from annotation.votes.importers._base import ParsedVote
from annotation.votes.people import ImportedPeople
from annotation.votes.place import Place
from annotation.votes.read_votes import Item
from corpus.importers._base import RowRejected

MAX_PAYLOAD_BYTES = 32 * 1024
# The cap of a task is a smallint.
MAX_VOTES_OF_A_COMPARISON = 32_000


class Said(NamedTuple):
    """What a vote comes to: its item in the file, and its answer in a/b orientation."""

    item: str
    choice: int | None
    is_both_bad: bool


class Ready(NamedTuple):
    """A vote that is new and valid."""

    place: Place
    annotator_id: int
    said: Said
    payload: bytes
    is_b_first: bool
    given_at: datetime
    begun_at: datetime
    seconds: float | None


@dataclass
class Stored:
    accepted: int = 0
    unchanged: int = 0
    # Whether every accepted vote came with the order in which its author saw the sides.
    is_order_known: bool = True
    rejects: list[tuple[int, RowRejected]] = field(default_factory=list)


class VoteWriter:
    """Writes batches into one campaign; the caller holds a transaction and the lock of the project's imports."""

    def __init__(self, campaign: Campaign, people: ImportedPeople, *, now: datetime) -> None:
        self._campaign = campaign
        self._people = people
        self._now = now
        self._kind = kind_named(campaign.kind)

    def write(self, placed: Sequence[tuple[Item, Place]]) -> Stored:
        stored = Stored()
        people = self._people.ids(
            (item.space, vote.annotator, vote.is_simulated) for item, _ in placed for vote in item.votes
        )
        met = _standing(self._campaign.pk, {place.comparison_id for _, place in placed})
        counts = Counter(comparison_id for comparison_id, _ in met)
        new: list[Ready] = []
        for item, place in placed:
            for vote in item.votes:
                annotator_id = people[item.space, vote.annotator]
                try:
                    ready = self._ready(item, place, vote, annotator_id)
                    is_new = _is_new(ready, met, counts)
                except RowRejected as rejected:
                    stored.rejects.append((item.number, rejected))
                    continue
                if is_new:
                    new.append(ready)
                    stored.is_order_known &= vote.is_first_shown_first is not None
                else:
                    stored.unchanged += 1
        stored.accepted = len(new)
        if new:
            self._copy(new)
        return stored

    def _ready(self, item: Item, place: Place, vote: ParsedVote, annotator_id: int) -> Ready:
        choice = -vote.choice if item.is_flipped and isinstance(vote.choice, int) else vote.choice
        given: dict[str, Any] = {"choice": choice} | ({"reason": vote.reason} if vote.reason else {})
        asked = Asked((place.response_a_id, place.response_b_id), place.response_a_id, place.response_b_id)
        try:
            answer = self._kind.validate(given, self._campaign.settings, asked)
        except InvalidPayload as invalid:
            what = "; ".join(f"{name} {problem}" for name, problem in invalid.fields.items())
            raise RowRejected("bad_vote", f"The vote of {vote.annotator}: {what or invalid.message}.") from invalid
        given_at = vote.at or self._now
        return Ready(
            place,
            annotator_id,
            Said(_item_id(item), answer.choice, answer.is_both_bad),
            _payload(answer.payload, item, vote),
            # Where nobody knows, response_a first is written down and the payload says that it is not known.
            vote.is_first_shown_first is not None and vote.is_first_shown_first == item.is_flipped,
            given_at,
            min(vote.begun_at or given_at, given_at),
            vote.seconds,
        )

    def _copy(self, new: list[Ready]) -> None:
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            tasks = self._tasks(cursor, new)
            cursor.execute(_ALLOCATE, ["annotation_assignment", len(new)])
            numbered = list(zip((id_ for (id_,) in cursor.fetchall()), new, strict=True))
            with cursor.copy(_COPY_ASSIGNMENTS) as copy:
                for assignment_id, vote in numbered:
                    copy.write_row(self._assignment(assignment_id, tasks[vote.place.comparison_id], vote))
            with cursor.copy(_COPY_JUDGMENTS) as copy:
                for assignment_id, vote in numbered:
                    copy.write_row(self._judgment(assignment_id, vote))

    def _tasks(self, cursor: psycopg.Cursor[Any], new: list[Ready]) -> dict[int, int]:
        """A slot per vote, by comparison; and what the campaign says of itself."""
        slots: dict[int, list[int]] = {}
        for vote in new:
            slots.setdefault(vote.place.comparison_id, [0, 0])[vote.is_b_first] += 1
        firsts, seconds = [a for a, _ in slots.values()], [b for _, b in slots.values()]
        names = {"campaign": self._campaign.pk, "comparisons": list(slots), "a": firsts, "b": seconds}
        cursor.execute(_ADD_TASKS, names)
        rows = cursor.fetchall()
        most, added = max(row[2] for row in rows), sum(row[3] for row in rows)
        counted = {"campaign": self._campaign.pk, "added": added, "most": most}
        cursor.execute(_COUNT_TASKS, counted)
        return {row[0]: row[1] for row in rows}

    def _assignment(self, id_: int, task_id: int, vote: Ready) -> tuple[Any, ...]:
        return (
            id_, task_id, self._campaign.pk, vote.annotator_id, AssignmentState.SUBMITTED.value, Purpose.WORK.value,
            _shown(vote), vote.is_b_first, vote.begun_at, vote.given_at, "",
        )  # fmt: skip

    def _judgment(self, assignment_id: int, vote: Ready) -> tuple[Any, ...]:
        return (
            self._campaign.pk, vote.place.comparison_id, assignment_id, vote.annotator_id, self._campaign.kind,
            Purpose.WORK.value, vote.payload.decode(), vote.said.choice, vote.said.is_both_bad, _shown(vote),
            vote.seconds, vote.given_at,
        )  # fmt: skip


def _is_new(vote: Ready, met: dict[tuple[int, int], Said], counts: Counter[int]) -> bool:
    """False = here already; a second answer of one person to one comparison is refused."""
    key = (vote.place.comparison_id, vote.annotator_id)
    before = met.get(key)
    if before is None:
        if counts[key[0]] >= MAX_VOTES_OF_A_COMPARISON:
            raise RowRejected("too_many_votes", f"A comparison takes at most {MAX_VOTES_OF_A_COMPARISON:,} votes.")
        counts[key[0]] += 1
        met[key] = vote.said
        return True
    is_same_item = not before.item or not vote.said.item or before.item == vote.said.item
    if is_same_item and before[1:] == vote.said[1:]:
        return False
    if is_same_item:
        raise RowRejected("voted_otherwise", "This person has given another answer to this comparison; it stands.")
    message = f"This person has voted on this comparison already, as item {before.item[:60]}; the first vote stands."
    raise RowRejected("voted_twice", message)


def _item_id(item: Item) -> str:
    external_id = item.pair.external_id
    return external_id.decode() if isinstance(external_id, bytes) else external_id


def _shown(vote: Ready) -> str:
    """An array as COPY reads it."""
    a, b = vote.place.response_a_id, vote.place.response_b_id
    return f"{{{b},{a}}}" if vote.is_b_first else f"{{{a},{b}}}"


def _payload(payload: Mapping[str, Any], item: Item, vote: ParsedVote) -> bytes:
    """The answer, and under `imported` what else the file says: its item, the side it names first, what is unknown."""
    imported = {**vote.details, "item": _item_id(item), "first": "b" if item.is_flipped else "a"}
    if vote.is_first_shown_first is None:
        imported["order_known"] = False
    if vote.at is None:
        imported["time_known"] = False
    try:
        encoded = orjson.dumps({**payload, "imported": imported})
    except orjson.JSONEncodeError as error:
        raise RowRejected("lone_surrogate", "The vote holds half of a surrogate pair, which no text may.") from error
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise RowRejected("vote_too_long", f"The vote is longer than {MAX_PAYLOAD_BYTES:,} bytes.")
    if b"\\u0000" in encoded and any(_texts_with_nul(imported)):
        raise RowRejected("nul_character", "The vote holds a NUL character, which PostgreSQL cannot store.")
    return encoded


def _texts_with_nul(value: Any) -> Iterable[str]:
    if isinstance(value, str) and "\0" in value:
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts_with_nul(key)
            yield from _texts_with_nul(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_with_nul(inner)


def _standing(campaign_id: int, comparisons: set[int]) -> dict[tuple[int, int], Said]:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [campaign_id, list(comparisons)])
        return {(row[0], row[1]): Said(*row[2:]) for row in cursor.fetchall()}


_STANDING = """
SELECT t.comparison_id, a.annotator_id, coalesce(j.payload->'imported'->>'item', ''), j.choice, j.is_both_bad
FROM annotation_task t
JOIN annotation_assignment a ON a.task_id = t.id AND a.purpose = 'work'
JOIN annotation_judgment j ON j.assignment_id = a.id AND j.superseded_by_id IS NULL
WHERE t.campaign_id = %s AND t.comparison_id = ANY(%s)
"""
_ALLOCATE = "SELECT nextval(pg_get_serial_sequence(%s, 'id')::regclass) FROM generate_series(1, %s)"
_ADD_TASKS = """
INSERT INTO annotation_task AS held
    (campaign_id, comparison_id, priority, cap, slots_a_first, slots_b_first, judged)
SELECT %(campaign)s, comparison, 0, a + b, a, b, a + b
FROM unnest(%(comparisons)s::bigint[], %(a)s::smallint[], %(b)s::smallint[]) AS w (comparison, a, b)
ORDER BY comparison
ON CONFLICT (campaign_id, comparison_id) DO UPDATE
    SET cap = held.cap + excluded.cap, judged = held.judged + excluded.judged,
        slots_a_first = held.slots_a_first + excluded.slots_a_first,
        slots_b_first = held.slots_b_first + excluded.slots_b_first
RETURNING comparison_id, id, cap, (xmax = 0)::int
"""
_COUNT_TASKS = """
UPDATE annotation_campaign
SET task_count = task_count + %(added)s, overlap = greatest(overlap, %(most)s)
WHERE id = %(campaign)s
"""
_COPY_ASSIGNMENTS = """
COPY annotation_assignment (id, task_id, campaign_id, annotator_id, state, purpose, order_shown, is_b_first,
    claimed_at, lease_expires_at, skip_reason) FROM STDIN
"""
_COPY_JUDGMENTS = """
COPY annotation_judgment (campaign_id, comparison_id, assignment_id, annotator_id, kind, purpose, payload, choice,
    is_both_bad, order_shown, active_seconds, created_at) FROM STDIN
"""
