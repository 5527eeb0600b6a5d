"""Which answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import AuditEvent, Project, User
from annotation.campaigns.create import create_campaign, extend_overlap
from annotation.models import Campaign, GoldAnswer, Purpose, Task
from annotation.quality.gold import InvalidGold, mark_gold, unmark_gold
from annotation.quality.known_from import mark_own_judgments, mark_unanimous
from annotation.quality.right import NoGoldHere
from corpus.models import Comparison
from tests.annotation.quality.conftest import work_through

Make = Callable[..., Campaign]
People = Callable[[int], list[User]]


def test_a_list_of_known_answers_is_kept_whole(campaign: Campaign, comparisons: list[Comparison], owner: User) -> None:
    items: list[dict[str, Any]] = [
        {"comparison": comparisons[0].id, "expected": {"better": "a"}},
        {"comparison": comparisons[1].id, "expected": {"accept": [0]}, "phase": "training", "explanation": "Look. "},
    ]
    kept = mark_gold(campaign=campaign, items=items, by=owner)
    assert [(gold.phase, gold.explanation) for gold in kept] == [("gold", ""), ("training", "Look.")]
    assert list(Task.objects.order_by("id").values_list("cap", flat=True)) == [0, 0, 2, 2]
    assert campaign.task_count == 2
    assert AuditEvent.objects.latest("id").action == "mark gold"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"comparison": 0}, "items.1.comparison"),
        ({"comparison": "1"}, "items.1.comparison"),
        ({"expected": {"better": "left"}}, "items.1.expected.better"),
        ({"expected": None}, "items.1.expected"),
        ({"phase": "work"}, "items.1.phase"),
        ({"explanation": 7}, "items.1.explanation"),
        ({"note": "x"}, "items.1.note"),
    ],
)
def test_one_that_cannot_be_kept_keeps_them_all_out(
    campaign: Campaign, comparisons: list[Comparison], change: dict[str, Any], path: str
) -> None:
    items = [{"comparison": one.id, "expected": {"better": "a"}} for one in comparisons[:2]]
    with pytest.raises(InvalidGold) as problem:
        mark_gold(campaign=campaign, items=[items[0], {**items[1], **change}], by=None)
    assert list(problem.value.fields) == [path]
    assert not GoldAnswer.objects.exists()


def test_a_comparison_of_another_campaign_is_not_known_here(campaign: Campaign, project: Project, grow: Any) -> None:
    [elsewhere] = grow(1)
    with pytest.raises(InvalidGold):
        mark_gold(campaign=campaign, items=[{"comparison": elsewhere.id, "expected": {"better": "a"}}], by=None)


def test_marking_again_changes_the_answer(campaign: Campaign, comparisons: list[Comparison]) -> None:
    for better, phase in (("a", "gold"), ("b", "qualification")):
        item = {"comparison": comparisons[0].id, "expected": {"better": better}, "phase": phase}
        mark_gold(campaign=campaign, items=[item], by=None)
    gold = GoldAnswer.objects.get()
    assert (gold.expected, gold.phase, campaign.task_count) == ({"better": "b"}, Purpose.QUALIFICATION, 3)


def test_votes_that_were_given_before_stay_votes(quality: Make, people: People) -> None:
    campaign = quality(3, overlap=3)
    work_through(campaign, people(1)[0], 3)
    judged = campaign.tasks.earliest("id")
    mark_gold(campaign=campaign, items=[{"comparison": judged.comparison_id, "expected": {"better": "a"}}], by=None)
    judged.refresh_from_db()
    assert (judged.cap, judged.judged) == (1, 1)
    unmark_gold(gold=GoldAnswer.objects.get(), by=None)
    judged.refresh_from_db()
    assert judged.cap == 3


def test_more_overlap_leaves_known_answers_alone(quality: Make, people: People) -> None:
    campaign = quality(6, known={"gold": 2}, overlap=1)
    work_through(campaign, people(1)[0], 1)
    judged = campaign.tasks.get(judged=1)
    mark_gold(campaign=campaign, items=[{"comparison": judged.comparison_id, "expected": {"better": "a"}}], by=None)
    extend_overlap(campaign=campaign, overlap=4, by=None)
    assert sorted(campaign.tasks.values_list("cap", flat=True)) == [0, 0, 1, 4, 4, 4]


def test_what_curators_judged_becomes_known_with_one_click(quality: Make, curator: User, owner: User) -> None:
    campaign = quality(6)
    work_through(campaign, curator, 4, lambda item: -2)
    work_through(campaign, owner, 2, lambda item: 2)
    assert mark_own_judgments(campaign=campaign, phase=Purpose.TRAINING, by=curator) == 2
    assert set(GoldAnswer.objects.values_list("phase", flat=True)) == {"training"}
    assert [gold.expected for gold in GoldAnswer.objects.all()] == [{"better": "a"}] * 2
    with pytest.raises(InvalidGold, match="not gold yet"):
        mark_own_judgments(campaign=campaign, phase=Purpose.TRAINING, by=curator)


def test_an_annotators_judgments_are_no_known_answers(quality: Make, annotator: User, curator: User) -> None:
    campaign = quality(3)
    work_through(campaign, annotator, 3)
    with pytest.raises(InvalidGold):
        mark_own_judgments(campaign=campaign, phase=Purpose.GOLD, by=curator)


def test_what_the_project_is_unanimous_about_becomes_known(
    quality: Make, project: Project, people: People, owner: User
) -> None:
    earlier = quality(5, overlap=3)
    crowd = people(3)
    for person in crowd:
        work_through(earlier, person, 3, lambda item: 3)
    campaign = create_campaign(project=project, name="Next")
    assert mark_unanimous(campaign=campaign, phase=Purpose.GOLD, by=owner, limit=2) == 2
    assert [gold.expected for gold in campaign.gold.all()] == [{"better": "b"}] * 2
    assert mark_unanimous(campaign=campaign, phase=Purpose.GOLD, by=owner, limit=9) == 1


def test_a_campaign_of_single_responses_knows_answers_by_response(project: Project, grow: Any) -> None:
    grow(2)
    campaign = create_campaign(project=project, name="Rated", kind="rating", unit="response")
    task = campaign.tasks.earliest("id")
    assert task.response_ids is not None
    [response] = task.response_ids
    item = {"response": response, "expected": {"ratings": {str(response): {"helpfulness": [3, 4]}}}}
    mark_gold(campaign=campaign, items=[item], by=None)
    task.refresh_from_db()
    assert task.cap == 0


def test_a_ranking_has_no_known_answers_yet(project: Project, grow: Any) -> None:
    grow(2)
    campaign = create_campaign(project=project, name="Ranked", kind="ranking")
    prompt = campaign.tasks.earliest("id").prompt_id
    with pytest.raises(NoGoldHere, match="ranking"):
        mark_gold(campaign=campaign, items=[{"prompt": prompt, "expected": {"ranking": []}}], by=None)
