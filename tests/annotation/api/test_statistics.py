from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Project, Scope, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim
from annotation.desk.judge import submit
from annotation.models import Assignment, Campaign
from tests.annotation.conftest import Api

Judge = Callable[[User, int], None]


@pytest.fixture
def judge(campaign: Campaign) -> Judge:
    """Somebody answers that many items with the same choice."""

    def give(person: User, count: int) -> None:
        call = Api(person)
        held = call("POST", f"campaigns/{campaign.id}/claim").json()
        for _ in range(count):
            path = f"assignments/{held['assignment']['id']}/judgment"
            held = call("POST", path, {"choice": 2, "seconds": 3}).json()["next"]

    return give


def test_agreement_is_told_with_n_and_reason(campaign: Campaign, annotator: User, curator: User, judge: Judge) -> None:
    judge(annotator, 4)
    judge(curator, 4)
    (told,) = Api(curator)("GET", "projects/demo/agreement").json()["campaigns"]
    assert told["raw_agreement"]["value"] == 1.0 and told["raw_agreement"]["n"] == 4
    assert told["fleiss_kappa"]["value"] is None and "same answer" in told["fleiss_kappa"]["reason"]


def test_under_the_three_most_similar_votes_kappa_is_told_before_and_after(
    project: Project, grow: Callable[[int], Any], people: Callable[[int], list[User]], curator: User
) -> None:
    grow(24)
    method = "three_most_similar"
    campaign = create_campaign(project=project, name="Four each", overlap=4, consensus_method=method)
    for number, person in enumerate(people(4)):
        item = claim(campaign=campaign, annotator=person)
        while item is not None:
            good = 1 if item.item_id % 2 else -1
            choice = -3 * good if item.item_id % 4 == number else 2 * good
            assignment = Assignment.objects.select_related("campaign").get(id=item.assignment_id)
            item = submit(assignment=assignment, payload={"choice": choice}).next
    call = Api(curator)
    (told,) = call("GET", f"projects/demo/agreement?campaign={campaign.id}").json()["campaigns"]
    kappa = told["three_most_similar"]
    assert (kappa["n_asked"], kappa["n_kept"]) == (24, 24)
    assert kappa["before"]["high"] < kappa["after"]["value"] == 1.0
    assert kappa["before"]["n"] == 24
    assert "three_most_similar" not in call("GET", "projects/demo/agreement").json()["campaigns"][0]


def test_a_curator_reads_everybodys_figures_page_by_page(
    campaign: Campaign, people: Callable[[int], list[User]], curator: User, judge: Judge
) -> None:
    three = people(3)
    for person in three[:2]:
        judge(person, 2)
    judge(three[2], 1)
    first: dict[str, Any] = Api(curator)("GET", f"campaigns/{campaign.id}/people?limit=2").json()
    rest = Api(curator)("GET", f"campaigns/{campaign.id}/people?limit=2&cursor={first['next']}").json()
    assert [row["id"] for row in first["items"] + rest["items"]] == [person.id for person in three]
    assert rest["next"] is None
    figures = first["items"][0]["figures"]
    assert figures["answers"]["n"] == 2
    assert figures["first"]["value"] is None and figures["first"]["reason"]
    assert Api(curator)("GET", f"campaigns/{campaign.id}/people?cursor=nonsense").status_code == 422


def test_an_annotator_reads_their_own_figures_only(
    campaign: Campaign, annotator: User, curator: User, judge: Judge
) -> None:
    assert Api(annotator)("GET", f"campaigns/{campaign.id}/my-work").status_code == 204
    judge(annotator, 4)
    judge(curator, 4)
    own = Api(annotator)("GET", f"campaigns/{campaign.id}/my-work").json()
    assert own["answers"] == 4
    assert sorted(own["figures"]) == ["agreement", "consistency", "first", "longer", "seconds"]
    assert own["figures"]["agreement"]["value"] is None
    for scope in (Scope.READ, Scope.ADMIN):
        assert Api(annotator, scope)("GET", f"campaigns/{campaign.id}/people").status_code == 403


def test_a_stranger_reads_nothing(campaign: Campaign, stranger: User) -> None:
    for path in ("people", "my-work"):
        assert Api(stranger)("GET", f"campaigns/{campaign.id}/{path}").status_code == 404
    assert Api(stranger)("GET", "projects/demo/agreement").status_code == 404
