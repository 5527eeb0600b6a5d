"""Votes in the database without the desk, and the published ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.models import Assignment, Campaign, Judgment, Purpose, Task

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the real data beside the checkout (../shared/data)")


def pandalm_rows() -> list[list[int]]:
    rows = json.loads((DATA / "pandalm" / "testset-v1.json").read_text())
    return [[row[f"annotator{number}"] for number in (1, 2, 3)] for row in rows]


def ukp_pairs() -> list[dict[str, Any]]:
    with gzip.open(DATA / "ukpconvarg1" / "pairs.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


Vote = Callable[..., Judgment]


@pytest.fixture
def vote(campaign: Campaign) -> Vote:
    """One answer of one person on one comparison, as the desk would have stored it."""

    def give(
        person: User,
        comparison: Any,
        choice: int | str,
        *,
        is_b_first: bool = False,
        purpose: Purpose = Purpose.WORK,
        seconds: float | None = None,
        at: datetime | None = None,
    ) -> Judgment:
        task = Task.objects.get(campaign=campaign, comparison=comparison)
        sides = [comparison.response_a_id, comparison.response_b_id]
        order = sides[::-1] if is_b_first else sides
        assignment = Assignment.objects.create(
            task=task, campaign=campaign, annotator=person, state="submitted", purpose=purpose,
            order_shown=order, is_b_first=is_b_first, lease_expires_at=timezone.now(),
        )  # fmt: skip
        is_both_bad = choice == "both_bad"
        return Judgment.objects.create(
            campaign=campaign, comparison=comparison, assignment=assignment, annotator=person, kind="pairwise",
            purpose=purpose, payload={"choice": choice}, choice=None if is_both_bad else choice,
            is_both_bad=is_both_bad, order_shown=order, active_seconds=seconds, created_at=at or timezone.now(),
        )  # fmt: skip

    return give


@pytest.fixture
def vote_all(vote: Vote) -> Callable[[Mapping[User, Sequence[int | str | None]], Sequence[Any]], None]:
    """A row of answers per person, one place per comparison."""

    def give(answers: Mapping[User, Sequence[int | str | None]], comparisons: Sequence[Any]) -> None:
        for person, row in answers.items():
            for comparison, choice in zip(comparisons, row, strict=True):
                if choice is not None:
                    vote(person, comparison, choice)

    return give
