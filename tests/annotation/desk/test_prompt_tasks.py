"""Tasks that show all responses to a prompt, or one of them: how they are made, dealt, judged and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations

import pytest

from accounts.models import Project, User
from annotation.campaigns.create import create_campaign
from annotation.desk.assign import claim, release
from annotation.desk.items import ClaimedItem
from annotation.desk.judge import revise, submit
from annotation.kinds._base import InvalidPayload
from annotation.models import Assignment, Campaign, Consensus, Judgment, Task, Unit
from corpus.models import Comparison, Prompt, Response, Source
from tests.annotation.conftest import Api

People = Callable[[int], list[User]]


def ranked_prompt(project: Project, number: int, count: int) -> list[Response]:
    """A prompt with that many responses, and a comparison for every two of them."""
    source, _ = Source.objects.get_or_create(project=project, name="to rank", defaults={"format": "generic"})
    messages = [{"role": "user", "content": f"Prompt {number}"}]
    prompt = Prompt.objects.create(project=project, messages=messages, content_hash=b"%032d" % number)
    responses = [
        Response.objects.create(
            prompt=prompt, content=f"{number} {place}", content_hash=b"%016d%016d" % (number, place)
        )
        for place in range(count)
    ]
    for row, (a, b) in enumerate(combinations(responses, 2)):
        Comparison.objects.create(
            project=project, source=source, prompt=prompt, response_a=a, response_b=b, row_number=number * 100 + row
        )
    return responses


def _claim(campaign: Campaign, person: User) -> ClaimedItem:
    item = claim(campaign=campaign, annotator=person)
    assert item is not None
    return item


def _submit(item: ClaimedItem, ranking: list[list[int]]) -> int:
    assignment = Assignment.objects.select_related("campaign", "annotator").get(id=item.assignment_id)
    return submit(assignment=assignment, payload={"ranking": ranking}).judgment_id


def test_a_prompt_with_two_or_more_responses_is_a_task(project: Project) -> None:
    four, thirteen = ranked_prompt(project, 1, 4), ranked_prompt(project, 2, 13)
    campaign = create_campaign(project=project, name="Rank", kind="ranking")
    assert (campaign.unit, campaign.task_count) == (Unit.PROMPT, 2)
    first, second = Task.objects.filter(campaign=campaign).order_by("id")
    assert first.response_ids == [response.id for response in four]
    assert second.response_ids == [response.id for response in thirteen[:12]]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_response_is_shown_at_every_place_equally_often(project: Project, people: People, count: int) -> None:
    responses = ranked_prompt(project, 1, count)
    campaign = create_campaign(project=project, name="Rank", kind="ranking", overlap=2 * count)
    orders = []
    for person in people(2 * count):
        item = _claim(campaign, person)
        _submit(item, [[response] for response in item.order])
        orders.append(item.order)
    places = Counter((response, place) for order in orders for place, response in enumerate(order))
    assert set(places.values()) == {2}
    assert len(places) == count * count
    before = Counter((one, other) for order in orders for one, other in combinations(order, 2))
    assert set(before.values()) == {count}
    assert {response for order in orders for response in order} == {response.id for response in responses}


def test_with_one_ranking_a_prompt_no_place_belongs_to_what_was_imported_first(
    project: Project, annotator: User
) -> None:
    firsts = [ranked_prompt(project, number, 4)[0].id for number in range(60)]
    campaign = create_campaign(project=project, name="Rank", kind="ranking")
    places: Counter[int] = Counter()
    for _ in firsts:
        item = _claim(campaign, annotator)
        places[next(place for place, response in enumerate(item.order) if response in firsts)] += 1
        _submit(item, [[response] for response in item.order])
    # 15 are expected at each place; 2 or fewer at one of them happens once in 30,000 times by chance.
    assert min(places[place] for place in range(4)) > 2


def test_an_order_that_was_given_back_may_come_again(project: Project, people: People) -> None:
    ranked_prompt(project, 1, 4)
    campaign = create_campaign(project=project, name="Rank", kind="ranking", overlap=2)
    one, other = people(2)
    item = _claim(campaign, one)
    release(assignment=Assignment.objects.get(id=item.assignment_id))
    assert _claim(campaign, other).order == item.order
    assert _claim(campaign, one).order == item.order[::-1]


def test_what_was_shown_is_stored_in_the_order_shown(project: Project, people: People) -> None:
    ranked_prompt(project, 1, 3)
    campaign = create_campaign(project=project, name="Rank", kind="ranking", overlap=2)
    for person in people(2):
        item = _claim(campaign, person)
        contents = dict(Response.objects.values_list("id", "content"))
        assert [shown.content for shown in item.responses] == [contents[shown.id] for shown in item.responses]
        judgment = Judgment.objects.get(id=_submit(item, [item.order]))
        assert judgment.order_shown == item.order == Assignment.objects.get(id=item.assignment_id).order_shown
        assert judgment.comparison_id is None


def test_rankings_decide_the_comparisons_among_their_responses(project: Project, people: People) -> None:
    a, b, c = (response.id for response in ranked_prompt(project, 1, 3))
    campaign = create_campaign(project=project, name="Rank", kind="ranking", overlap=3)
    rankings = [[[a], [b, c]], [[a], [b], [c]], [[b], [a], [c]]]
    items = [_claim(campaign, person) for person in people(3)]
    judgments = [_submit(item, ranking) for item, ranking in zip(items, rankings, strict=True)]

    def held(one: int, other: int) -> tuple[int | None, int, dict[str, float]]:
        row = Consensus.objects.get(comparison__response_a=one, comparison__response_b=other)
        return row.label, row.votes, row.posterior

    assert held(a, b) == (-1, 3, {"a": 0.666667, "b": 0.333333})
    assert held(a, c) == (-1, 3, {"a": 1})
    assert held(b, c) == (-1, 3, {"a": 0.666667, "tie": 0.333333})
    revise(judgment=Judgment.objects.get(id=judgments[1]), payload={"ranking": [[b], [c], [a]]})
    assert held(a, b) == (1, 3, {"a": 0.333333, "b": 0.666667})
    assert Consensus.objects.filter(campaign=campaign).count() == 3


def test_two_rankings_that_differ_leave_their_comparison_undecided(project: Project, people: People) -> None:
    a, b = (response.id for response in ranked_prompt(project, 1, 2))
    campaign = create_campaign(project=project, name="Rank", kind="ranking", overlap=2)
    for person, ranking in zip(people(2), [[[a], [b]], [[b], [a]]], strict=True):
        _submit(_claim(campaign, person), ranking)
    assert Consensus.objects.get().label is None


def test_a_ranking_leaves_comparisons_of_other_sources_alone(project: Project, annotator: User) -> None:
    a, b = ranked_prompt(project, 1, 2)
    other = Source.objects.create(project=project, name="elsewhere", format="generic")
    Comparison.objects.create(project=project, source=other, prompt=a.prompt, response_a=a, response_b=b, row_number=1)
    campaign = create_campaign(project=project, name="Rank", kind="ranking", sources=["to rank"])
    _submit(_claim(campaign, annotator), [[a.id], [b.id]])
    assert Consensus.objects.get().comparison.source.name == "to rank"


def test_a_response_of_another_prompt_is_refused(project: Project, annotator: User) -> None:
    ranked_prompt(project, 1, 2)
    ranked_prompt(project, 2, 2)
    campaign = create_campaign(project=project, name="Rank", kind="ranking")
    item = _claim(campaign, annotator)
    strange = Response.objects.exclude(id__in=item.order).first()
    assert strange is not None
    with pytest.raises(InvalidPayload):
        _submit(item, [[item.order[0]], [strange.id]])


def test_a_program_ranks_over_the_api(project: Project, curator: User, annotator: User, api: type[Api]) -> None:
    ranked_prompt(project, 1, 4)
    body = {"name": "Rank", "kind": "ranking", "overlap": 1}
    campaign = api(curator)("POST", "projects/demo/campaigns", body).json()
    assert (campaign["unit"], campaign["tasks"]) == ("prompt", 1)
    call = api(annotator)
    claimed = call("POST", f"campaigns/{campaign['id']}/claim").json()
    shown = [response["id"] for response in claimed["item"]["responses"]]
    assert shown == claimed["assignment"]["order"]
    assert claimed["item"]["response_a"] is None
    path = f"assignments/{claimed['assignment']['id']}/judgment"
    refused = call("POST", path, {"ranking": [[shown[0]]]})
    assert (refused.status_code, set(refused.json()["error"]["fields"])) == (422, {"ranking"})
    ranking = [[shown[2]], shown[:2], [shown[3]]]
    taken = call("POST", path, {"ranking": ranking, "seconds": 12})
    assert (taken.status_code, taken.json()["next"]) == (201, None)
    again = call("POST", path, {"ranking": [[shown[2]], shown[1::-1], [shown[3]]]})
    assert again.json()["judgment"] == taken.json()["judgment"]


def test_a_single_response_is_a_task_of_its_own(project: Project, annotator: User) -> None:
    responses = ranked_prompt(project, 1, 3)
    campaign = create_campaign(project=project, name="One by one", kind="rating", unit="response")
    assert campaign.task_count == 3
    item = _claim(campaign, annotator)
    assert item.unit == Unit.RESPONSE
    assert item.order == [item.item_id]
    assert item.item_id in {response.id for response in responses}
    assert item.comparison_id is None
