"""Small files of votes in each shape, and what is made of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage

from annotation.models import Judgment

BringVotes = Callable[..., dict[str, Any]]

QUESTION = "How do I boil an egg?"
WATER, OIL = "In water.", "In oil."


def argument(number: int, text: str = "", stance: str = "Yes") -> dict[str, Any]:
    debate = {"title": " Should eggs be boiled? ", "url": "http://debate.example/eggs"}
    text = text or f"Argument {number}."
    return {"id": f"arg{number}", "stance": stance, "text": text, "file": "eggs_yes", "debateMetaData": debate}


def ukp_vote(worker: str, value: Any = "a1", **more: Any) -> dict[str, Any]:
    return {
        "turkID": worker,
        "hitID": "h1",
        "assignmentId": "a1",
        "assignmentAcceptTime": "2016-02-01 20:00:46.0 UTC",
        "assignmentSubmitTime": "2016-02-01 20:06:14.0 UTC",
        "value": value,
        "reason": f"{worker} says so",
        "turkRank": 7,
        "turkCompetence": 0.5,
    } | more


def ukp_pair(first: int, second: int, *votes: Any, gold: str | None = "a1") -> dict[str, Any]:
    return {
        "id": f"arg{first}_arg{second}",
        "file": "eggs_yes",
        "arg1": {"id": f"arg{first}"},
        "arg2": {"id": f"arg{second}"},
        "goldLabel": gold,
        "mTurkAssignments": list(votes),
    }


def panda(number: int, *votes: Any, a: str = WATER, b: str = OIL, **more: Any) -> dict[str, Any]:
    return {
        "idx": number,
        "motivation_app": "Kitchen",
        "cmp_key": "hen-7b_duck-7b",
        "instruction": QUESTION,
        "input": "",
        "response1": a,
        "response2": b,
        **{f"annotator{place}": vote for place, vote in enumerate(votes, start=1)},
    } | more


def vote(annotator: Any = "ann", choice: Any = "a", **more: Any) -> dict[str, Any]:
    pair = {"prompt": QUESTION, "response_a": WATER, "response_b": OIL}
    return {**pair, "annotator": annotator, "choice": choice} | more


def lines(*rows: Any) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


def packed(*rows: Any) -> bytes:
    return gzip.compress(lines(*rows), mtime=0)


def rejects_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    if not result["rejects"]:
        return []
    with default_storage.open(result["rejects"]) as file:
        return [json.loads(line) for line in file]


def counts(result: dict[str, Any]) -> tuple[int, int, int]:
    return result["accepted"], result["unchanged"], result["rejected"]


def preferred_texts() -> dict[str, str | None]:
    """What each annotator preferred, by its text, so that no test has to know which side became a."""
    found: dict[str, str | None] = {}
    for judgment in Judgment.objects.select_related("annotator", "comparison__response_a", "comparison__response_b"):
        comparison = judgment.comparison
        assert comparison is not None
        if judgment.choice:
            side = comparison.response_a if judgment.choice < 0 else comparison.response_b
            found[judgment.annotator.name] = side.content
        else:
            found[judgment.annotator.name] = None
    return found
