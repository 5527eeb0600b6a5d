"""UKPConvArg1 (Habernal and Gurevych, ACL 2016): two files, the arguments and the pairs with their workers' votes.

Workers were asked which of two arguments for the same side of a debate is more convincing. The times are those of a
whole HIT, which held several pairs: the later one dates the vote, and neither says how long somebody looked at a pair.
The gold label is the origin's own aggregate of these votes, and comes in as the imported label of the pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.votes.importers._base import Known, ParsedVote, VotedItem, annotator_name, moment
from corpus.importers._base import ParsedRow, Row, RowRejected, identifier, kind, share, text

LABEL = "UKPConvArg1"
DOCUMENTATION = (
    "Two files together: the arguments (`id`, `text`, `stance`, `debateMetaData`) and the pairs (`id`, `file`, `arg1`, "
    "`arg2`, `goldLabel`, `mTurkAssignments` with `turkID`, `value`, `reason` and the times of the HIT)."
)
SOURCE = "UKPConvArg1"
SETTINGS = {"scale": "3-way", "both_bad": False, "reason": "optional"}
NAMES_ARE_IDS = True

CHOICES = {"a1": -1, "equal": 0, "a2": 1}
KEPT = ("hitID", "assignmentId", "turkRank", "turkCompetence", "workerStance")


def recognises(rows: Sequence[Row]) -> float:
    return share(rows, lambda row: "mTurkAssignments" in row and "arg1" in row and "arg2" in row)


def is_lookup(rows: Sequence[Row]) -> bool:
    return share(rows, lambda row: "stance" in row and "text" in row and "mTurkAssignments" not in row) > 0.5


def learn(row: Row, known: Known) -> None:
    debate = row.get("debateMetaData")
    if not isinstance(debate, Mapping):
        raise RowRejected("missing_field", "The argument has no `debateMetaData`.")
    known[text(row, "id")] = (question(text(debate, "title"), text(row, "stance")), text(row, "text"))


def question(title: str, stance: str) -> str:
    return f"{title.strip()}\n\nGive one argument for this side: {stance}"


def read(row: Row, known: Known) -> VotedItem:
    (asked, first), (asked_too, second) = (_argument(row, side, known) for side in ("arg1", "arg2"))
    if asked != asked_too:
        raise RowRejected("differing_prompts", "The two arguments are not for the same side of the same debate.")
    votes = row.get("mTurkAssignments")
    if not isinstance(votes, list):
        raise RowRejected("wrong_type", f"`mTurkAssignments` should be a list, not {kind(votes)}.")
    subject = identifier(row.get("file"))
    pair = ParsedRow(
        messages=[{"role": "user", "content": asked}],
        response_a=first,
        response_b=second,
        label=_gold(row.get("goldLabel")),
        external_id=identifier(row.get("id")),
        source="",
        generator_a="",
        generator_b="",
        metadata={"topic": subject, "goldLabel": row.get("goldLabel")},
    )
    return VotedItem(pair, [_vote_or_rejection(vote) for vote in votes], subject)


def _argument(row: Row, side: str, known: Known) -> tuple[str, str]:
    named = row.get(side)
    number = named.get("id") if isinstance(named, Mapping) else None
    found: tuple[str, str] | None = known.get(number) if isinstance(number, str) else None
    if found is None:
        raise RowRejected("unknown_argument", f"`{side}` is {number!r:.60}, which no file of arguments has.")
    return found


def _gold(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in CHOICES:
        raise RowRejected("bad_label", "`goldLabel` should be a1, a2, equal or null.")
    return CHOICES[value]


def _vote_or_rejection(vote: Any) -> ParsedVote | RowRejected:
    try:
        return _vote(vote)
    except RowRejected as rejected:
        return rejected


def _vote(vote: Any) -> ParsedVote:
    if not isinstance(vote, Mapping):
        raise RowRejected("not_an_object", f"A vote is {kind(vote)}, not an object.")
    annotator, value = annotator_name(vote.get("turkID")), vote.get("value")
    if not isinstance(value, str) or value not in CHOICES:
        raise RowRejected("bad_choice", f"The vote of {annotator} is {value!r:.40}; it should be a1, a2 or equal.")
    accepted = moment(vote.get("assignmentAcceptTime"), "assignmentAcceptTime")
    submitted = moment(vote.get("assignmentSubmitTime"), "assignmentSubmitTime")
    return ParsedVote(
        annotator=annotator,
        choice=CHOICES[value],
        reason=identifier(vote.get("reason")),
        at=submitted,
        begun_at=accepted,
        details={name: vote[name] for name in KEPT if name in vote} | {"times_are_of": "the whole HIT"},
    )
