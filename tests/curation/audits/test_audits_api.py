"""Audits over the API: drawn, answered blind, finished; and who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token
from curation.models import Audit, Recipe

AUDITS = "/api/v1/projects/demo/audits"
POLICY = "/api/v1/projects/demo/audit-policy"


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


@pytest.fixture
def logged_in(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def test_from_the_sample_to_the_bound(logged_in: Client, recipe: Recipe, voted_rows: list[Any]) -> None:
    body = {"recipe": "mine", "rule": "flip", "per_band": 8, "bands": 2, "seed": 5}
    answer = post(logged_in, AUDITS, body)
    assert answer.status_code == 201
    drawn = answer.json()
    assert (drawn["size"], drawn["population"], drawn["state"], drawn["threshold"]) == (16, 30, "open", 0.5)
    path = f"/api/v1/audits/{drawn['id']}"
    while (asked := logged_in.get(f"{path}/next")).status_code == 200:
        item = asked.json()
        assert set(item) == {"position", "prompt", "responses"}
        better = next(side for side in item["responses"] if side["content"] == "no")
        answered = post(logged_in, f"{path}/answers", {"position": item["position"], "answer": better["answer"]})
        assert answered.status_code == 201 and answered.json()["findings"] == {}
    assert asked.status_code == 204
    # Every row is labelled for "yes", which is response a here.
    finished = post(logged_in, f"{path}/finish").json()
    assert (finished["state"], finished["findings"]["wrong"]) == ("audited", 16)
    assert logged_in.get(AUDITS).json()["items"][0]["id"] == drawn["id"]
    rule = post(logged_in, "/api/v1/projects/demo/recipes/preview", {"recipe": "mine"}).json()["rules"][0]
    assert rule["unaudited"] is False and rule["audit"]["wrong"] == 16


def test_an_answer_is_undone_and_an_audit_cancelled(logged_in: Client, recipe: Recipe, voted_rows: list[Any]) -> None:
    drawn = post(logged_in, AUDITS, {"recipe": "mine", "rule": "flip"}).json()
    path = f"/api/v1/audits/{drawn['id']}"
    assert post(logged_in, f"{path}/answers", {"position": 0, "answer": "tie"}).json()["answered"] == 1
    assert post(logged_in, f"{path}/undo").json()["answered"] == 0
    assert post(logged_in, f"{path}/finish").status_code == 409
    assert post(logged_in, f"{path}/cancel").json()["state"] == "cancelled"
    assert post(logged_in, f"{path}/answers", {"position": 0, "answer": "a"}).status_code == 409


def test_all_labels_are_sampled_without_a_rule(logged_in: Client, voted_rows: list[Any]) -> None:
    drawn = post(logged_in, AUDITS, {"per_band": 5, "bands": 1}).json()
    assert (drawn["rule"], drawn["size"], drawn["population"], drawn["threshold"]) == (None, 5, 40, None)
    assert logged_in.get("/api/v1/projects/demo/noise").json()["sampled"]["value"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"recipe": "mine"}, 422),
        ({"rule": "flip"}, 422),
        ({"recipe": "mine", "rule": "rest"}, 422),
        ({"recipe": "nobody", "rule": "flip"}, 404),
        ({"recipe": "mine", "rule": "flip", "per_band": 0}, 422),
        ({"recipe": "mine", "rule": "flip", "seed": 2**40}, 422),
        ({"recipe": "mine\u0000", "rule": "flip"}, 404),
    ],
)
def test_what_cannot_be_drawn_is_told(
    logged_in: Client, recipe: Recipe, voted_rows: list[Any], body: Any, status: int
) -> None:
    assert post(logged_in, AUDITS, body).status_code == status and not Audit.objects.exists()


def test_only_an_owner_sets_the_policy(client: Client, curator: User, owner: User, recipe: Recipe) -> None:
    body = {"unaudited": "refuse", "drop_threshold": 0.4}
    client.force_login(curator)
    assert client.get(POLICY).json() == {"unaudited": "mark", "drop_threshold": 0.35, "claim_threshold": 0.8}
    assert client.put(POLICY, body, content_type="application/json").status_code == 403
    client.force_login(owner)
    assert client.put(POLICY, body, content_type="application/json").json() == body
    assert client.put(POLICY, {"unaudited": "x"}, content_type="application/json").status_code == 422
    answer = post(client, "/api/v1/projects/demo/recipes/mine/apply")
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "unaudited_rules"
    answer = post(client, "/api/v1/projects/demo/releases", {"name": "v1", "recipe": "mine"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("annotator", 403), (None, 401)])
def test_nobody_else_sees_or_answers_an_audit(
    client: Client, request: pytest.FixtureRequest, draw: Any, who: str | None, status: int
) -> None:
    audit = draw()
    if who:
        client.force_login(request.getfixturevalue(who))
    for path in (AUDITS, f"/api/v1/audits/{audit.pk}", f"/api/v1/audits/{audit.pk}/next", POLICY):
        assert client.get(path).status_code == status
    assert post(client, f"/api/v1/audits/{audit.pk}/answers", {"position": 0, "answer": "a"}).status_code == status


def test_a_token_that_reads_answers_nothing(client: Client, curator: User, draw: Any, project: Project) -> None:
    audit = draw()
    secret = issue_token(user=curator, scope=Scope.READ)[1]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(f"/api/v1/audits/{audit.pk}", headers=headers).status_code == 200
    assert client.get(f"/api/v1/audits/{audit.pk}/next", headers=headers).status_code == 403
