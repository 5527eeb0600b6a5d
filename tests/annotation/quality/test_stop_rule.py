"""One more only while undecided."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from django.db import close_old_connections, connections
from django.db.models import F

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import revise, submit
from annotation.models import Assignment, Campaign, Judgment, Task
from annotation.quality.stop_rule import apply_stop_rule, posterior, votes_needed

Grow = Callable[[int], list[object]]
People = Callable[[int], list[User]]


@pytest.mark.parametrize(
    ("votes", "chance"),
    [((1, 0), ".75"), ((2, 0), ".875"), ((3, 0), ".9375"), ((1, 1), ".5"), ((2, 1), ".6875"), ((3, 1), ".8125")],
)
def test_the_posterior_is_that_of_a_beta_with_a_uniform_prior(votes: tuple[int, int], chance: str) -> None:
    assert posterior(*votes) == float(Fraction(chance))


def test_the_posterior_is_the_mass_of_the_beta_above_one_half() -> None:
    p = (np.arange(200_000) + 0.5) / 200_000
    for leading in range(8):
        for runner_up in range(leading + 1):
            mass = p**leading * (1 - p) ** runner_up
            assert posterior(leading, runner_up) == pytest.approx(mass[p > 0.5].sum() / mass.sum(), abs=1e-5)


def test_how_many_votes_the_leader_needs() -> None:
    assert votes_needed(0.85, 5) == [2, 4, 5, 6, 6, 6]
    assert votes_needed(0.5, 3) == [0, 1, 2, 3]


def _campaign(project: Project, grow: Grow, tasks: int, most: int, until: float, overlap: int = 2) -> Campaign:
    grow(tasks)
    rule = {"max": most, "until": until}
    return create_campaign(project=project, name="Stops", overlap=overlap, stop_rule=rule)


def _votes(campaign: Campaign, person: User, choice: int | str) -> int:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
    return submit(assignment=assignment, payload={"choice": choice}, with_next=False).judgment_id


@pytest.mark.parametrize(
    ("answers", "caps"),
    [
        ([1, 3], [2, 2]),
        ([1, -1], [2, 3]),
        ([1, -1, 1, 1], [2, 3, 4, 5]),
        ([1, -1, 1, 1, 1], [2, 3, 4, 5, 5]),
        (["both_bad", "both_bad"], [2, 2]),
        (["both_bad", 0, "both_bad"], [2, 3, 4]),
        ([0, 0], [2, 2]),
        ([1, -1, 0], [2, 3, 4]),
    ],
)
def test_a_task_takes_one_more_only_while_undecided(
    project: Project, grow: Grow, people: People, answers: list[int | str], caps: list[int]
) -> None:
    campaign = _campaign(project, grow, 1, most=5, until=0.85)
    seen = []
    for person, choice in zip(people(len(answers)), answers, strict=True):
        _votes(campaign, person, choice)
        seen.append(Task.objects.get().cap)
    assert seen == caps


def test_a_task_is_left_undecided_at_the_most(project: Project, grow: Grow, people: People) -> None:
    campaign = _campaign(project, grow, 1, most=3, until=0.95)
    crowd = people(4)
    for person, choice in zip(crowd, (1, -1, 0), strict=False):
        _votes(campaign, person, choice)
    assert Task.objects.get().cap == 3
    assert claim(campaign=campaign, annotator=crowd[3]) is None


def test_nobody_who_was_told_that_nothing_is_left_misses_a_task_that_grew(
    project: Project, grow: Grow, people: People
) -> None:
    campaign = _campaign(project, grow, 2, most=3, until=0.85)
    first, second, third = people(3)
    for person in (first, second):
        for _ in range(2):
            _votes(campaign, person, 1 if person == first else 2)
    assert claim(campaign=campaign, annotator=third) is None
    _change(Judgment.objects.filter(annotator=second).latest("id"), -1)
    assert claim(campaign=campaign, annotator=third) is not None


def _change(judgment: Judgment, choice: int) -> None:
    revise(judgment=judgment, payload={"choice": choice})


def test_a_rule_that_comes_later_holds_for_what_is_in_already(project: Project, grow: Grow, people: People) -> None:
    grow(3)
    campaign = create_campaign(project=project, name="Later", overlap=2)
    for person, choice in zip(people(2), (1, -1), strict=True):
        for _ in range(2):
            _votes(campaign, person, choice)
    campaign.stop_rule = {"max": 3, "until": 0.8}
    campaign.save()
    assert apply_stop_rule(campaign) == 2
    assert sorted(Task.objects.values_list("cap", flat=True)) == [2, 3, 3]


def _work_on(campaign: Campaign, person: User) -> None:
    item = claim(campaign=campaign, annotator=person)
    while item is not None:
        assignment = Assignment.objects.select_related("campaign", "task__comparison").get(id=item.assignment_id)
        choice = (-1) ** ((person.pk + item.item_id) % 3)
        item = submit(assignment=assignment, payload={"choice": choice}).next


@pytest.mark.django_db(transaction=True)
def test_under_sixteen_racing_people_no_task_passes_its_cap_and_none_is_left_undecided(
    project: Project, grow: Grow, people: People
) -> None:
    campaign = _campaign(project, grow, 40, most=4, until=0.85)

    crowd = people(16)

    def work(person: User) -> None:
        close_old_connections()
        try:
            _work_on(campaign, person)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, crowd))
    # Whoever was told that nothing is left comes back for what the last answers left undecided.
    for person in crowd:
        _work_on(campaign, person)
    needed = votes_needed(0.85, 4)
    assert not Task.objects.filter(cap__gt=4).exists()
    assert not Task.objects.exclude(judged=F("cap")).exists()
    assert not Task.objects.exclude(judged=F("slots_a_first") + F("slots_b_first")).exists()
    for task in Task.objects.all():
        choices = list(Judgment.objects.filter(comparison=task.comparison_id).values_list("choice", flat=True))
        assert len(choices) == task.judged
        leading = max(choices.count(1), choices.count(-1))
        is_decided = leading >= needed[len(choices) - leading]
        assert is_decided or task.cap == 4
        assert task.cap > 2 or is_decided


def simulated(
    *, accuracy: float, most: int, until: float, least: int, items: int, seed: int
) -> tuple[float, float, float]:
    """Annotators who are right that often, on items with two answers; ties of the votes are broken by chance.
    The share right under a fixed overlap of `most` and under the rule, and votes per item under the rule."""
    rng = np.random.default_rng(seed)
    right = rng.random((items, most)) < accuracy
    needed = np.array(votes_needed(until, most))
    used = np.full(items, least)
    for votes in range(least, most):
        ahead = right[:, :votes].sum(axis=1)
        leading = np.maximum(ahead, votes - ahead)
        used[(used == votes) & (leading < needed[votes - leading])] += 1
    ahead = np.where(np.arange(most) < used[:, None], right, False).sum(axis=1)
    coin = rng.random(items) < 0.5
    stopped = (2 * ahead > used) | ((2 * ahead == used) & coin)
    fixed = right.sum(axis=1)
    full = (2 * fixed > most) | ((2 * fixed == most) & coin)
    return float(full.mean()), float(stopped.mean()), float(used.mean())


@pytest.mark.parametrize(
    ("accuracy", "until", "loses_at_most", "saves_at_least"),
    [
        (0.7, 0.9, 0.0, 0.14),
        (0.8, 0.9, 0.0, 0.2),
        (0.9, 0.9, 0.0, 0.28),
        (0.8, 0.85, 0.02, 0.4),
        (0.9, 0.85, 0.01, 0.48),
    ],
)
def test_the_rule_reaches_the_accuracy_of_a_fixed_overlap_with_fewer_votes(
    accuracy: float, until: float, loses_at_most: float, saves_at_least: float
) -> None:
    for seed in (1, 2, 3):
        full, stopped, votes = simulated(accuracy=accuracy, most=5, until=until, least=2, items=20_000, seed=seed)
        assert stopped >= full - loses_at_most
        assert 1 - votes / 5 >= saves_at_least
