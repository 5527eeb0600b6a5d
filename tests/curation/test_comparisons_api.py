from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from annotation.models import Consensus
from corpus.models import Comparison
from curation.models import Decision, Signal

MakeComparison = Callable[..., Comparison]
LIST = "/api/v1/projects/demo/comparisons"


def get(client: Client, path: str = LIST, **query: Any) -> Any:
    return client.get(path, query)


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


@pytest.fixture
def scale(make_comparison: MakeComparison, vote: Callable[..., Signal]) -> list[Comparison]:
    """Seven rows: six of strengths -1.5 to 1.0 in no order of their numbers, and one without votes."""
    rows = []
    for label, mean in ((-1, 1.5), (1, 1.0), (-2, -0.5), (2, -1.0), (-1, 0.5), (1, -0.5)):
        rows.append(make_comparison(label))
        vote(rows[-1], mean)
    return [*rows, make_comparison(-1)]


def walk(client: Client, **query: Any) -> list[dict[str, Any]]:
    """Every page of the list."""
    items, cursor = [], None
    while True:
        page = get(client, **query, **({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_a_row_has_the_shape_of_the_contract(
    logged_in: Client, comparison: Comparison, vote: Callable[..., Signal], agree: Callable[..., Consensus]
) -> None:
    vote(comparison, 1.5, share_b=0.9)
    agree(comparison, 2, posterior={"b": 1.0}, effective_votes=2.4)
    item = get(logged_in).json()["items"][0]
    assert item["prompt"] == {"id": comparison.prompt_id, "messages": comparison.prompt.messages}
    assert item["response_a"] == {"id": comparison.response_a_id, "content": comparison.response_a.content}
    people = {"label": 2, "method": "majority", "votes": 3, "confidence": 1.0, "both_bad": False}
    weighed = {"posterior": {"b": 1.0}, "effective_votes": 2.4}
    assert item["consensus"] == {**people, **weighed, "simulated_votes": 0}
    votes = item["signals"]["model_vote"]
    assert set(votes) >= {"mean", "spread", "strength", "share", "z", "band", "n"}
    assert (votes["mean"], votes["strength"], votes["n"], votes["band"]) == (1.5, -1.5, 10, "incorrect")
    assert (item["label"], item["contradicted"], item["decision"], item["source"]) == (-2, False, None, "helpful")
    assert get(logged_in, f"/api/v1/comparisons/{comparison.pk}").json() == item


def test_without_a_label_nothing_is_toward_it(
    logged_in: Client, make_comparison: MakeComparison, vote: Callable[..., Signal]
) -> None:
    vote(make_comparison(labels=[-1, 1]), 1.5)
    item = get(logged_in).json()["items"][0]
    votes = item["signals"]["model_vote"]
    assert item["contradicted"] and item["imported_labels"] == [-1, 1]
    assert (votes["strength"], votes["share"], votes["z"], votes["band"], votes["mean"]) == (None,) * 4 + (1.5,)


@pytest.mark.parametrize("order", ["id", "strength", "-strength"])
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_paging_gives_every_row_once_in_order(
    logged_in: Client, scale: list[Comparison], order: str, limit: int
) -> None:
    items = walk(logged_in, order=order, limit=limit)
    assert sorted(item["id"] for item in items) == sorted(row.pk for row in scale)
    strengths = [item["signals"].get("model_vote", {}).get("strength") for item in items]
    if order == "id":
        assert [item["id"] for item in items] == sorted(item["id"] for item in items)
    else:
        assert strengths[-1] is None
        assert strengths[:-1] == sorted(strengths[:-1], reverse=order.startswith("-"))


def test_rows_of_equal_strength_come_once(
    logged_in: Client, make_comparison: MakeComparison, vote: Callable[..., Signal]
) -> None:
    rows = [make_comparison(label) for label in (1, -1, 1, -1, 1)]
    for row in rows:
        vote(row, -0.5 if row.label == 1 else 0.5)
    assert [item["id"] for item in walk(logged_in, order="strength", limit=2)] == [row.pk for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"min_strength": 0.5}, [1, 2]),
        ({"max_strength": -1}, [0, 3]),
        ({"min_strength": -0.6, "max_strength": 0.6}, [2, 4, 5]),
        ({"label": "a"}, [0, 2, 4, 6]),
        ({"label": "2"}, [3]),
        ({"label": "none"}, []),
        ({"band": "incorrect"}, [0, 3, 4, 5]),
        ({"voted": "false"}, [6]),
        ({"source": "elsewhere"}, []),
        ({"source": "helpful", "label": "b"}, [1, 3, 5]),
        ({"q": "ROW-7"}, [6]),
        ({"decision": "none", "q": "row-1"}, [0]),
        ({"decision": "any"}, []),
        ({"contradicted": "false", "duplicate": "false", "judged": "false", "people_disagree": "false"}, range(7)),
    ],
)
def test_a_filter_leaves_the_rows_that_are_like_it(
    logged_in: Client, scale: list[Comparison], query: dict[str, Any], expected: list[int]
) -> None:
    assert [item["id"] for item in walk(logged_in, **query)] == [scale[place].pk for place in expected]


def test_people_against_the_label_are_found(
    logged_in: Client, make_comparison: MakeComparison, agree: Callable[..., Consensus]
) -> None:
    against, along = make_comparison(-1), make_comparison(1)
    agree(against, 2)
    agree(along, 2)
    assert [item["id"] for item in walk(logged_in, people_disagree="true")] == [against.pk]
    assert len(walk(logged_in, judged="true")) == 2


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 1001}, {"cursor": "nonsense"}, {"band": "loud"}, {"min_strength": "nan"}, {"order": "x"}],
)
def test_what_cannot_be_read_is_refused_with_its_field(
    logged_in: Client, scale: list[Comparison], query: dict[str, Any]
) -> None:
    response = get(logged_in, **query)
    assert response.status_code == 422
    assert response.json()["error"]["fields"]


def test_a_cursor_of_another_order_is_refused(logged_in: Client, scale: list[Comparison]) -> None:
    cursor = get(logged_in, limit=2).json()["next"]
    assert get(logged_in, cursor=cursor, order="strength").status_code == 422


def test_a_longer_page_costs_no_more_statements(
    logged_in: Client, scale: list[Comparison], agree: Callable[..., Consensus], django_assert_num_queries: Any
) -> None:
    for row in scale:
        agree(row, 1)
    with CaptureQueriesContext(connection) as short:
        get(logged_in, limit=1)
    with django_assert_num_queries(len(short)):
        assert len(get(logged_in, limit=1000).json()["items"]) == 7
    assert len(short) <= 15


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def test_deciding_and_undoing_over_the_api(logged_in: Client, comparison: Comparison) -> None:
    made = post(
        logged_in,
        "/api/v1/projects/demo/decisions",
        comparison_ids=[comparison.pk],
        action="flip",
        reason="B answers",
    )
    assert made.status_code == 201
    batch = made.json()
    assert (batch["action"], batch["comparisons"], batch["author"]) == ("flip", 1, "curator@example.org")
    item = get(logged_in, f"/api/v1/comparisons/{comparison.pk}").json()
    assert (item["label"], item["decision"]["action"], item["decision"]["reason"]) == (2, "flip", "B answers")
    undone = post(logged_in, f"/api/v1/decisions/{batch['id']}/undo")
    assert undone.status_code == 200 and undone.json()["undone_at"]
    assert get(logged_in, f"/api/v1/comparisons/{comparison.pk}").json()["decision"] is None


@pytest.mark.parametrize("body", [{"action": "burn"}, {"action": "keep", "label": 9}, {"action": "soften"}])
def test_a_senseless_decision_is_refused(logged_in: Client, comparison: Comparison, body: dict[str, Any]) -> None:
    response = post(logged_in, "/api/v1/projects/demo/decisions", comparison_ids=[comparison.pk], **body)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "undecidable")


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403)])
def test_others_see_and_decide_nothing(
    client: Client, comparison: Comparison, request: pytest.FixtureRequest, who: str, status: int
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert get(client).status_code == status
    assert get(client, f"/api/v1/comparisons/{comparison.pk}").status_code == status
    body = {"comparison_ids": [comparison.pk], "action": "drop"}
    assert post(client, "/api/v1/projects/demo/decisions", **body).status_code == status
    assert not Decision.objects.exists()


def test_nobody_sees_anything_without_a_token(client: Client, project: Project) -> None:
    assert get(client).status_code == 401


def test_a_reading_token_reads_and_does_not_decide(client: Client, comparison: Comparison, curator: User) -> None:
    _, clear = issue_token(user=curator, scope=Scope.READ)
    header = {"authorization": f"Bearer {clear}"}
    assert client.get(LIST, headers=header).status_code == 200
    body = json.dumps({"comparison_ids": [comparison.pk], "action": "drop"})
    refused = client.post("/api/v1/projects/demo/decisions", body, content_type="application/json", headers=header)
    assert refused.status_code == 403
