from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Project, Role, User
from annotation.campaigns.create import create_campaign
from annotation.models import AnnotatorReliability, Assignment, Campaign, Judgment, Task
from corpus.models import Comparison


def _as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def judged(project: Project, grow: Callable[[int], list[Comparison]], people: Callable[[int], list[User]]) -> Campaign:
    """Sixty comparisons judged by three: two careful ones, and one who takes what is shown first."""
    items = grow(60)
    campaign = create_campaign(project=project, name="Looked at", overlap=3)
    tasks = {task.comparison_id: task for task in Task.objects.filter(campaign=campaign)}
    rng, now = random.Random(1), timezone.now()
    for number, comparison in enumerate(items):
        truth = rng.choice([-1, 1])
        for place, person in enumerate(people(3) if not number else User.objects.filter(email__startswith="person")):
            is_b_first = bool((number + place) % 2)
            _vote(
                tasks[comparison.id], person, truth if place < 2 else (1 if is_b_first else -1), is_b_first,
                now + timedelta(seconds=30 * number),
            )  # fmt: skip
    return campaign


def _vote(task: Task, person: User, choice: int, is_b_first: bool, at: datetime) -> None:
    comparison = task.comparison
    assert comparison is not None
    sides = [comparison.response_a_id, comparison.response_b_id]
    order = sides[::-1] if is_b_first else sides
    assignment = Assignment.objects.create(
        task=task, campaign_id=task.campaign_id, annotator=person, state="submitted", order_shown=order,
        is_b_first=is_b_first, lease_expires_at=timezone.now(),
    )  # fmt: skip
    Judgment.objects.create(
        campaign_id=task.campaign_id, comparison=comparison, assignment=assignment, annotator=person, kind="pairwise",
        payload={"choice": choice}, choice=choice, order_shown=order, active_seconds=12.0, created_at=at,
    )  # fmt: skip


def _person(number: int) -> User:
    return User.objects.get(email=f"person-{number}@example.org")


def test_a_curator_sees_everybody_with_n_interval_and_a_word(judged: Campaign, curator: User) -> None:
    page = _as(curator).get(f"/p/demo/campaigns/{judged.id}/people/").content.decode()
    assert page.count('<th scope="row">') == 3
    biased = page[page.index("person-2@") :]
    assert "prefers the first shown" in biased
    assert re.search(r"0\.\d\d to \d\.\d\d, <span class=\"measure__n\">n = 60", biased)
    assert page[page.index("<tbody>") :].count("prefers the first shown") == 1
    assert "choose the first at equal quality" in page


def test_the_table_is_sorted_and_turned_by_its_address(judged: Campaign, curator: User) -> None:
    address = f"/p/demo/campaigns/{judged.id}/people/"
    down = _as(curator).get(address + "?sort=first").content.decode()
    up = _as(curator).get(address + "?sort=first&order=up").content.decode()
    assert re.findall(r"person-(\d)@", down)[0] == "2" and re.findall(r"person-(\d)@", up)[-1] == "2"
    assert 'aria-sort="descending"' in down and 'aria-sort="ascending"' in up
    for strange in ("?sort=password&order=x&page=-1", "?page=99999999999", "?page=7", "?page=٣"):
        assert _as(curator).get(address + strange).status_code == 200


def test_one_person_has_a_page_with_their_course(judged: Campaign, curator: User) -> None:
    page = _as(curator).get(f"/p/demo/campaigns/{judged.id}/people/{_person(2).id}/").content.decode()
    assert "prefers the first shown" in page and "answers 1 to 20: 1.00" in page
    assert "needs" in page.lower() and "second looks; there are 0" in page
    assert _as(curator).get(f"/p/demo/campaigns/{judged.id}/people/{curator.id}/").status_code == 404


def test_simulated_and_imported_people_are_marked(judged: Campaign, curator: User) -> None:
    User.objects.filter(id=_person(0).id).update(is_simulated=True)
    User.objects.filter(id=_person(1).id).update(is_imported=True, is_active=False)
    page = _as(curator).get(f"/p/demo/campaigns/{judged.id}/people/").content.decode()
    assert page.count("chip--simulated") == 1 and page.count(">imported<") == 1


def test_a_fitted_consensus_tells_the_reliability(judged: Campaign, curator: User) -> None:
    row = {"value": 0.91, "low": 0.84, "high": 0.95, "n": 60}
    AnnotatorReliability.objects.create(campaign=judged, annotator=_person(0), method="dawid_skene", **row)
    page = _as(curator).get(f"/p/demo/campaigns/{judged.id}/people/?sort=reliability").content.decode()
    assert "By Dawid-Skene." in page and re.search(r"0\.84 to 0\.95, <span[^>]*>n = 60", page)


def test_a_campaign_nobody_judged_says_so(campaign: Campaign, curator: User) -> None:
    assert "Nobody has judged yet" in _as(curator).get(f"/p/demo/campaigns/{campaign.id}/people/").content.decode()


def test_i_see_my_own_work_and_nobody_elses(judged: Campaign) -> None:
    page = _as(_person(2)).get("/p/demo/my-work/").content.decode()
    assert "Looked at" in page and "60 answers" in page
    assert "you lean to the one shown first" in page
    assert "person-0" not in page and "person-1" not in page
    assert _as(_person(2)).get(f"/p/demo/my-work/?user={_person(0).id}").content.decode().count("lean to the one") == 1


def test_before_the_first_answer_my_work_says_what_will_be_here(judged: Campaign, annotator: User) -> None:
    page = _as(annotator).get("/p/demo/my-work/").content.decode()
    assert "No answers yet" in page and "Looked at" not in page


def test_agreement_with_others_moves_in_steps_of_ten(
    project: Project, grow: Callable[[int], list[Comparison]], people: Callable[[int], list[User]]
) -> None:
    items = grow(31)
    campaign = create_campaign(project=project, name="Stepwise", overlap=2)
    tasks = {task.comparison_id: task for task in Task.objects.filter(campaign=campaign)}
    one, two = people(2)
    for comparison in items:
        _vote(tasks[comparison.id], two, 1, False, timezone.now())
    told = []
    for number, comparison in enumerate(items):
        _vote(tasks[comparison.id], one, 1 if number < 25 else -1, True, timezone.now())
        page = _as(one).get("/p/demo/my-work/").content.decode()
        told += re.findall(r"Same answer as most others</dt>.*?n = (\d+)</span>", page, re.DOTALL)
    assert told == ["20"] * 10 + ["30"] * 2


@pytest.mark.parametrize("page", ["people/", "people/{id}/"])
def test_people_are_for_curators(judged: Campaign, curator: User, owner: User, stranger: User, page: str) -> None:
    path = f"/p/demo/campaigns/{judged.id}/{page.format(id=_person(2).id)}"
    assert Client().get(path).status_code == 302
    assert _as(stranger).get(path).status_code == 404
    # Not even one's own row.
    assert _as(_person(2)).get(path).status_code == 403
    assert {_as(person).get(path).status_code for person in (curator, owner)} == {200}
    assert _as(owner).post(path).status_code == 405


def test_my_work_is_for_members(judged: Campaign, stranger: User) -> None:
    assert Client().get("/p/demo/my-work/").status_code == 302
    assert _as(stranger).get("/p/demo/my-work/").status_code == 404


def test_people_of_another_projects_campaign_are_not_here(judged: Campaign, curator: User) -> None:
    other = Project.objects.create(slug="other", name="Other")
    Membership.objects.create(user=curator, project=other, role=Role.CURATOR)
    assert _as(curator).get(f"/p/other/campaigns/{judged.id}/people/").status_code == 404
