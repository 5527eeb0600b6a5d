"""What every API route shares: who calls, how fast, and errors in one shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Caller
from accounts.models import ApiToken, Membership, Project, Role, Scope, User
from winnow.api import answer
from winnow.throttle import PerCaller

Bearer = Callable[..., dict[str, str]]


def _error(response: Any) -> dict[str, Any]:
    body = json.loads(response.content)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"].strip()
    error: dict[str, Any] = body["error"]
    return error


def test_a_token_makes_and_lists_projects(client: Client, owner: User, bearer: Bearer) -> None:
    headers = bearer(owner)
    made = client.post("/api/v1/projects", {"slug": "tea", "name": "Tea"}, "application/json", headers=headers)
    assert made.status_code == 201
    assert made.json()["slug"] == "tea" and made.json()["name"] == "Tea"
    listed = client.get("/api/v1/projects", headers=headers).json()
    assert [item["slug"] for item in listed["items"]] == ["tea"] and listed["next"] is None
    assert Membership.objects.get(user=owner).role == Role.OWNER


def test_lists_page_by_cursor(client: Client, owner: User, bearer: Bearer) -> None:
    headers = bearer(owner)
    for number in range(5):
        client.post("/api/v1/projects", {"slug": f"p{number}", "name": "P"}, "application/json", headers=headers)
    seen, cursor = [], ""
    while True:
        body = client.get(f"/api/v1/projects?limit=2{cursor}", headers=headers).json()
        seen += [item["slug"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert seen == [f"p{number}" for number in range(5)]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", ""])
def test_a_limit_outside_1_to_1000_is_refused(client: Client, owner: User, bearer: Bearer, limit: str) -> None:
    refused = client.get(f"/api/v1/projects?limit={limit}", headers=bearer(owner))
    assert refused.status_code == 422 and list(_error(refused)["fields"]) == ["limit"]


def test_a_cursor_of_ones_own_making_is_refused(client: Client, owner: User, bearer: Bearer) -> None:
    refused = client.get("/api/v1/projects?cursor=eyJpZCI6ICJ4In0", headers=bearer(owner))
    assert refused.status_code == 422 and "cursor" in _error(refused)["fields"]


def test_a_taken_slug_is_a_conflict(client: Client, owner: User, project: Project, bearer: Bearer) -> None:
    refused = client.post("/api/v1/projects", {"slug": "demo", "name": "X"}, "application/json", headers=bearer(owner))
    assert refused.status_code == 409
    assert _error(refused)["code"] == "slug_taken" and "slug" in _error(refused)["fields"]


@pytest.mark.parametrize("slug", ["", "a b", "../x", "a/b", "x" * 65, "é"])
def test_a_slug_that_no_address_takes_is_refused(client: Client, owner: User, bearer: Bearer, slug: str) -> None:
    refused = client.post("/api/v1/projects", {"slug": slug, "name": "X"}, "application/json", headers=bearer(owner))
    assert refused.status_code == 422 and "slug" in _error(refused)["fields"]


@pytest.mark.parametrize("name", ["a\0b", "x" * 201, 3, None, ["x"]])
def test_a_name_that_cannot_be_kept_is_refused(client: Client, owner: User, bearer: Bearer, name: Any) -> None:
    body = json.dumps({"slug": "tea", "name": name})
    refused = client.post("/api/v1/projects", body, "application/json", headers=bearer(owner))
    assert refused.status_code == 422 and list(_error(refused)["fields"]) == ["name"]


def test_a_lone_surrogate_in_a_body_is_refused_not_broken(client: Client, owner: User, bearer: Bearer) -> None:
    body = '{"slug": "tea", "name": "a\\ud800b"}'
    refused = client.post("/api/v1/projects", body, "application/json", headers=bearer(owner))
    assert refused.status_code == 422
    _error(refused)


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"\xff\xfe", b'"x"', b"null", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused_in_words(
    client: Client, owner: User, bearer: Bearer, body: bytes
) -> None:
    refused = client.post("/api/v1/projects", body, "application/json", headers=bearer(owner))
    assert refused.status_code in {400, 422}
    _error(refused)


def test_a_body_beyond_the_bound_is_413(client: Client, owner: User, bearer: Bearer, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    body = json.dumps({"slug": "tea", "name": "x" * 2000})
    refused = client.post("/api/v1/projects", body, "application/json", headers=bearer(owner))
    assert refused.status_code == 413 and _error(refused)["code"] == "too_large"


def test_json_lines_are_streamed_past_that_bound(
    client: Client, owner: User, project: Project, bearer: Bearer, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    row = {"prompt": "p", "response_a": "a", "response_b": "b", "label": "a"}
    body = "\n".join(json.dumps({**row, "id": str(number)}) for number in range(100))
    sent = client.post("/api/v1/projects/demo/imports?source=x", body, "application/x-ndjson", headers=bearer(owner))
    assert sent.status_code == 202, sent.content


def test_nobody_is_asked_to_log_in(client: Client, db: None) -> None:
    refused = client.get("/api/v1/projects")
    assert refused.status_code == 401 and _error(refused)["code"] == "unauthenticated"


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "Basic b3duZXI6eA==", "wrong", "Bearer \u00e9"])
def test_a_header_without_a_good_token_is_401(client: Client, db: None, header: str) -> None:
    refused = client.get("/api/v1/projects", headers={"Authorization": header})
    assert refused.status_code == 401
    _error(refused)


def test_a_bad_token_is_not_helped_by_a_session(client: Client, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/api/v1/projects", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_token_ends_by_expiry_revocation_or_its_person(client: Client, owner: User, bearer: Bearer) -> None:
    headers = bearer(owner)
    assert client.get("/api/v1/projects", headers=headers).status_code == 200
    now = timezone.now()
    for change in ({"expires_at": now - timedelta(seconds=1)}, {"expires_at": None, "revoked_at": now}):
        ApiToken.objects.update(**change)
        assert client.get("/api/v1/projects", headers=headers).status_code == 401
    ApiToken.objects.update(revoked_at=None)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert client.get("/api/v1/projects", headers=headers).status_code == 401


def test_knowing_a_token_costs_one_query(client: Client, owner: User, bearer: Bearer) -> None:
    headers = bearer(owner)
    client.get("/api/v1/projects", headers=headers)
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/v1/projects", headers=headers)
    assert len(queries) == 2


def test_last_used_is_written_once_a_minute(client: Client, owner: User, bearer: Bearer) -> None:
    headers = bearer(owner)
    client.get("/api/v1/projects", headers=headers)
    first = ApiToken.objects.get().last_used_at
    client.get("/api/v1/projects", headers=headers)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    client.get("/api/v1/projects", headers=headers)
    assert ApiToken.objects.get().last_used_at > first  # type: ignore[operator]


def test_the_browser_may_call_with_its_session(client: Client, owner: User, project: Project) -> None:
    client.force_login(owner)
    assert client.get("/api/v1/projects").json()["items"][0]["slug"] == "demo"


def test_a_session_needs_the_csrf_token_to_change_something(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(owner)
    body = {"slug": "tea", "name": "Tea"}
    refused = strict.post("/api/v1/projects", body, "application/json")
    assert refused.status_code == 403 and "CSRF" in _error(refused)["message"]
    strict.get("/tokens/")
    token = strict.cookies["csrftoken"].value
    made = strict.post("/api/v1/projects", body, "application/json", headers={"X-CSRFToken": token})
    assert made.status_code == 201


def test_a_token_needs_no_csrf_token(owner: User, bearer: Bearer) -> None:
    strict = Client(enforce_csrf_checks=True)
    made = strict.post("/api/v1/projects", {"slug": "tea", "name": ""}, "application/json", headers=bearer(owner))
    assert made.status_code == 201 and made.json()["name"] == "tea"


@pytest.mark.parametrize(("scope", "status"), [("read", 403), ("annotate", 403), ("curate", 201), ("admin", 201)])
def test_a_token_has_the_lesser_of_its_scope_and_its_users_rights(
    client: Client, owner: User, bearer: Bearer, scope: str, status: int
) -> None:
    headers = bearer(owner, Scope(scope))
    made = client.post("/api/v1/projects", {"slug": "tea", "name": "Tea"}, "application/json", headers=headers)
    assert made.status_code == status


def test_a_bound_token_sees_no_other_project(client: Client, owner: User, project: Project, bearer: Bearer) -> None:
    client.post("/api/v1/projects", {"slug": "tea"}, "application/json", headers=bearer(owner))
    bound = bearer(owner, project=project)
    assert [p["slug"] for p in client.get("/api/v1/projects", headers=bound).json()["items"]] == ["demo"]
    assert client.get("/api/v1/projects/tea", headers=bound).status_code == 404
    assert client.post("/api/v1/projects", {"slug": "x"}, "application/json", headers=bound).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/", "/api/", "/api/v2/projects", "/api/v1/projects/"])
def test_an_unknown_route_is_a_404_in_the_one_shape(client: Client, owner: User, bearer: Bearer, path: str) -> None:
    missing = client.get(path, headers=bearer(owner))
    assert missing.status_code == 404
    _error(missing)


def test_a_wrong_method_is_a_405_that_names_the_right_ones(client: Client, owner: User, bearer: Bearer) -> None:
    refused = client.delete("/api/v1/projects", headers=bearer(owner))
    assert refused.status_code == 405 and _error(refused)["code"] == "method_not_allowed"
    assert "POST" in refused["Allow"]


def test_a_foreign_host_name_is_refused_in_the_one_shape(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    refused = client.get("/api/v1/projects", headers={"Host": "evil.example"})
    assert refused.status_code == 400
    _error(refused)


def test_what_nobody_expected_is_a_500_with_an_id_to_quote(caplog: pytest.LogCaptureFixture) -> None:
    broken = answer(RequestFactory().get("/api/v1/projects"), RuntimeError("secret inside"))
    assert broken.status_code == 500 and b"secret" not in broken.content
    error_id = _error(broken)["fields"]["id"]
    assert error_id in _error(broken)["message"] and error_id in caplog.text


def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    client: Client, owner: User, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(owner)

    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("django.db.models.query.QuerySet.first", away)
    refused = client.get("/api/v1/projects", headers=headers)
    assert refused.status_code == 503 and int(refused["Retry-After"]) > 0
    assert "database" in _error(refused)["message"]


def _request_of(token_id: int) -> HttpRequest:
    request = RequestFactory().get("/")
    request.auth = Caller(user=User(pk=1), token_id=token_id)  # type: ignore[attr-defined]
    return request


def test_a_bucket_empties_and_fills_again() -> None:
    times: Iterator[float] = iter([0.0] * 11 + [0.1, 0.1])
    bucket = PerCaller(rate=10, burst=10, clock=lambda: next(times))
    allowed = [bucket.allow_request(_request_of(1)) for _ in range(13)]
    assert allowed == [True] * 10 + [False, True, False]


def test_one_token_never_slows_another() -> None:
    bucket = PerCaller(rate=1, burst=1, clock=lambda: 0.0)
    assert [bucket.allow_request(_request_of(n)) for n in (1, 1, 2)] == [True, False, True]


def test_twenty_requests_a_second_are_far_from_the_throttle(settings: Any) -> None:
    assert settings.API_REQUESTS_PER_SECOND >= 50


def test_too_fast_is_a_429_that_says_when_to_come_back(
    client: Client, owner: User, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(owner)
    monkeypatch.setattr(PerCaller, "allow_request", lambda self, request: False)
    refused = client.get("/api/v1/projects", headers=headers)
    assert refused.status_code == 429 and refused["Retry-After"] == "1"
    assert _error(refused)["code"] == "too_many_requests"


def test_the_documentation_is_served_offline(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json")
    assert schema.json()["openapi"].startswith("3.") and "/api/v1/projects" in schema.json()["paths"]
    docs: HttpResponse = client.get("/api/v1/docs")  # type: ignore[assignment]
    assert docs.status_code == 200
    assert b"http://" not in docs.content and b"https://" not in docs.content
