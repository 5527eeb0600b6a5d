"""Means, rates, agreement and correlation of ratings and criteria, on data small enough to check by hand."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign
from annotation.rubrics.of_campaign import change_rubric
from annotation.rubrics.save import save_rubric
from annotation.statistics.ratings import Sums, clustered_mean, correlation, ratings_summary, t_quantile

WIT = [{"name": "wit", "least": 0, "most": 4}]


def judge_all(campaign: Campaign, annotator: User, answer: Any) -> None:
    """`answer` makes the payload of each item."""
    while (item := claim(campaign=campaign, annotator=annotator)) is not None:
        submit(assignment=Assignment.objects.get(id=item.assignment_id), payload=answer(item), with_next=False)


def by_side(a: Any, b: Any, **more: Any) -> Any:
    """Ratings of "wit" in a/b orientation."""
    return lambda item: {
        "ratings": {str(item.response_a_id): {"wit": a}, str(item.response_b_id): {"wit": b}},
        **more,
    }


@pytest.mark.parametrize(("degrees", "expected"), [(9, 2.2622), (19, 2.0930), (99, 1.9842), (10_000, 1.9602)])
def test_students_t_is_the_tabled_one(degrees: int, expected: float) -> None:
    assert t_quantile(degrees) == pytest.approx(expected, abs=1e-3)


def test_the_interval_over_items_is_the_textbooks_one_where_every_item_has_one_answer() -> None:
    values = [1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 0.0, 1.0, 2.0, 3.0]
    n, mean = len(values), sum(values) / len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    sums = Sums(n, n, sum(values), sum(value**2 for value in values), float(n), sum(values))
    found = clustered_mean(sums, is_rate=False)
    assert found.value == pytest.approx(mean)
    assert found.low == pytest.approx(mean - t_quantile(n - 1) * deviation / math.sqrt(n))


def test_the_interval_covers_the_truth_when_answers_of_an_item_hang_together() -> None:
    """400 simulated campaigns of 40 items; 95 % of the intervals should hold the true mean of 2."""
    chance, hits = random.Random(7), 0
    for _ in range(400):
        items = []
        for _ in range(40):
            centre, count = chance.gauss(2, 1), chance.choice([2, 4, 6])
            items.append([chance.gauss(centre, 0.3) for _ in range(count)])
        s, n = [sum(item) for item in items], [len(item) for item in items]
        sums = Sums(
            40, sum(n), sum(s), sum(x * x for x in s), float(sum(k * k for k in n)),
            sum(x * k for x, k in zip(s, n, strict=True)),
        )  # fmt: skip
        found = clustered_mean(sums, is_rate=False)
        assert found.low is not None and found.high is not None
        hits += found.low <= 2 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_a_rate_without_any_no_still_has_an_interval_and_a_mean_has_none() -> None:
    all_yes = Sums(20, 20, 20.0, 20.0, 20.0, 20.0)
    rate = clustered_mean(all_yes, is_rate=True)
    assert rate.value == 1 and rate.low == pytest.approx(0.839, abs=0.001) and rate.high == 1
    assert "same mean" in clustered_mean(all_yes, is_rate=False).reason
    assert "10 items" in clustered_mean(Sums(9, 9, 5.0, 5.0, 9.0, 5.0), is_rate=True).reason


def test_ratings_are_summed_up_per_attribute(project: Project, grow: Any, people: Any) -> None:
    grow(12)
    first, second = people(2)
    campaign = create_campaign(project=project, name="Wit", kind="rating", overlap=2, settings={"attributes": WIT})
    judge_all(campaign, first, by_side(1, 3))
    judge_all(campaign, second, by_side(1, 4))
    summary = ratings_summary(campaign)
    wit = summary.questions[0]
    assert summary.n_judgments == 24
    assert (wit.mean.value, wit.mean.n_items, wit.mean.n_answers) == (2.25, 12, 48)
    assert {bar.value: bar.count for bar in wit.bars} == {"0": 0, "1": 24, "2": 0, "3": 12, "4": 12}
    # Half of the responses agree fully, the other half never, always by one step of the used ones.
    assert wit.alpha.n_items == 24
    assert wit.alpha.value is not None and 0.5 < wit.alpha.value < 1
    assert wit.correlation is None


def test_an_attribute_follows_the_choice(project: Project, grow: Any, annotator: User) -> None:
    grow(30)
    settings = {"attributes": [*WIT, {"name": "dull", "most": 4}], "compare": "7-step"}
    campaign = create_campaign(project=project, name="Wit", kind="rating", settings=settings)
    chance = random.Random(3)

    def answer(item: Any) -> Any:
        a, b = chance.randint(0, 4), chance.randint(0, 4)
        noise = chance.choice([-1, 0, 0, 1])
        choice = max(-3, min(3, b - a + noise))
        return {
            "ratings": {str(item.response_a_id): {"wit": a, "dull": 2}, str(item.response_b_id): {"wit": b, "dull": 2}},
            "choice": choice,
        }

    judge_all(campaign, annotator, answer)
    wit, dull = ratings_summary(campaign).questions
    assert wit.correlation is not None and wit.correlation.n_items == 30
    assert wit.correlation.value is not None and wit.correlation.value > 0.8
    assert wit.correlation.low is not None and wit.correlation.low < wit.correlation.value
    assert dull.correlation is not None and "never varies" in dull.correlation.reason


def test_the_interval_of_a_correlation_is_fishers() -> None:
    found = correlation(0.5, 28, 28)
    assert found.low == pytest.approx(0.156, abs=0.001)
    assert found.high == pytest.approx(0.736, abs=0.001)
    assert correlation(1.0, 28, 28).low is None
    assert correlation(0.5, 4, 4).low is None


def test_criteria_have_rates_and_what_does_not_apply_is_counted_apart(project: Project, grow: Any, people: Any) -> None:
    grow(12)
    first, second = people(2)
    rubric = [{"id": "honest", "text": "Honest?", "kind": "hard"}, {"id": "apart", "text": "?", "applies_to": "pair"}]
    campaign = create_campaign(project=project, name="Checks", kind="rubric", overlap=2, rubric=rubric)

    def answers(a: str, b: str) -> Any:
        return lambda item: {
            "criteria": {str(item.response_a_id): {"honest": a}, str(item.response_b_id): {"honest": b}}
        }

    judge_all(campaign, first, answers("yes", "no"))
    judge_all(campaign, second, answers("yes", "n/a"))
    (honest,) = ratings_summary(campaign).questions
    assert honest.question.is_yes_no and honest.question.is_hard
    assert honest.mean.value == pytest.approx(2 / 3)
    assert (honest.mean.n_answers, honest.not_applicable) == (36, 12)
    # Of 24 responses 12 are answered alike, 12 are "no" against "n/a".
    assert honest.alpha.n_items == 24
    assert honest.alpha.value == pytest.approx(1 - 0.5 / (1 - (24 * 23 + 2 * 12 * 11) / (48 * 47)))


def test_a_criterion_that_is_no_longer_asked_keeps_its_figures(project: Project, grow: Any, annotator: User) -> None:
    grow(2)
    campaign = create_campaign(project=project, name="Checks", kind="rubric", rubric=["Polite?", "Short?"])
    judge_all(campaign, annotator, lambda item: {
        "criteria": {str(number): {"polite": "yes", "short": "no"} for number in item.order}
    })  # fmt: skip
    save_rubric(project=project, name="Checks", criteria=["Polite?", "True?"], by=None)
    change_rubric(campaign=campaign, version=2, by=None)
    found = {one.question.name: one.question.last_version for one in ratings_summary(campaign).questions}
    assert found == {"polite": None, "true": None, "short": 1}


def test_comparative_criteria_are_signed_numbers(project: Project, grow: Any, annotator: User) -> None:
    grow(12)
    settings = {"mode": "comparative", "compare": "7-step"}
    campaign = create_campaign(project=project, name="Checks", kind="rubric", rubric=["Polite?"], settings=settings)
    steps = iter([-3, -2, -1, 0, 1, 2, 3, 1, 1, -1, 2, "n/a"])

    def answer(item: Any) -> Any:
        step = next(steps)
        return {"criteria": {"polite": step}, "choice": step if isinstance(step, int) else 0}

    judge_all(campaign, annotator, answer)
    (polite,) = ratings_summary(campaign).questions
    assert polite.mean.value == pytest.approx(3 / 11)
    assert polite.not_applicable == 1
    assert polite.correlation is not None and polite.correlation.value == pytest.approx(1)


def test_other_kinds_and_empty_campaigns_have_no_figures(project: Project, campaign: Campaign) -> None:
    assert ratings_summary(campaign).questions == []
    empty = create_campaign(project=project, name="Rate", kind="rating")
    summary = ratings_summary(empty)
    assert [one.mean.reason for one in summary.questions] == ["No answer yet."] * 5
    assert summary.as_dict()["n_judgments"] == 0


def test_a_curator_sees_the_figures_on_the_campaigns_page(
    project: Project, grow: Any, annotator: User, curator: User, client: Client
) -> None:
    grow(12)
    campaign = create_campaign(project=project, name="Wit", kind="rating", settings={"attributes": WIT})
    client.force_login(curator)
    address = f"/p/demo/campaigns/{campaign.id}/"
    assert "No ratings yet" in client.get(address).content.decode()
    judge_all(campaign, annotator, by_side(1, 4))
    page = client.get(address).content.decode()
    assert "How were responses rated?" in page
    assert "n = 12 items. No interval: every item has the same mean." in page
    assert 'aria-label="0: 0, 1: 12, 2: 0, 3: 0, 4: 12"' in page
