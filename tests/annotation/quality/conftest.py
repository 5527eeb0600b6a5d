"""A campaign with known answers, and somebody who answers as told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, User
from accounts.problems import Problem
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import Submitted, submit
from annotation.models import Assignment, Campaign, GoldAnswer, Purpose
from annotation.quality.gold import mark_gold
from annotation.quality.settings import checked_quality


def given(item: ClaimedItem) -> Assignment:
    return Assignment.objects.select_related("campaign", "task__comparison", "annotator").get(id=item.assignment_id)


def answer(item: ClaimedItem, choice: int | str = 1, **more: Any) -> Submitted:
    return submit(assignment=given(item), payload={"choice": choice}, **more)


def work_through(
    campaign: Campaign, person: User, most: int, choice: Callable[[ClaimedItem], int | str] = lambda item: 1
) -> list[ClaimedItem]:
    """Answers up to so many items; what came, in order."""
    campaign.refresh_from_db()
    seen: list[ClaimedItem] = []
    try:
        item = claim(campaign=campaign, annotator=person)
    except Problem:
        return seen
    while item is not None and len(seen) < most:
        seen.append(item)
        item = answer(item, choice(item)).next
    return seen


def purposes(items: list[ClaimedItem]) -> list[str]:
    return [item.purpose.value for item in items]


Marked = Callable[..., list[GoldAnswer]]


@pytest.fixture
def quality(project: Project, grow: Callable[[int], object]) -> Callable[..., Campaign]:
    """A campaign of so many comparisons with these quality settings; B is right in all that is known."""

    def make(count: int = 30, *, known: dict[str, int] | None = None, overlap: int = 3, **parts: Any) -> Campaign:
        grow(count)
        campaign = create_campaign(project=project, name="Known", overlap=overlap, quality=checked_quality(parts))
        free = campaign.tasks.order_by("-id").values_list("comparison_id", flat=True)
        numbers = iter(list(free))
        items = [
            {"comparison": next(numbers), "phase": phase, "expected": {"better": "b"}, "explanation": "B is right."}
            for phase, count in (known or {}).items()
            for _ in range(count)
        ]
        if items:
            mark_gold(campaign=campaign, items=items, by=None)
        return campaign

    return make


@pytest.fixture
def wrong_in() -> Callable[[Purpose, int], Callable[[ClaimedItem], int | str]]:
    """Answers everything right but the first so many items of one purpose."""

    def make(purpose: Purpose, mistakes: int) -> Callable[[ClaimedItem], int | str]:
        left = [mistakes]

        def choose(item: ClaimedItem) -> int | str:
            if item.purpose == purpose and left[0] > 0:
                left[0] -= 1
                return -1
            return 1

        return choose

    return make
