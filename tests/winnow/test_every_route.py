"""Default deny: every page and every API operation, walked as nobody, as a stranger and as an annotator.

The routes are read from the URL patterns and from the OpenAPI document, so a new one is covered by itself. Whoever adds
one that is meant to be open to more people says so in the lists below; forgetting it fails here, never in production.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import Project, Scope, User
from winnow.api import api

THE_ID = 1_000_001
THE_NAME = "sample"
# Seen from elsewhere: what loopback may read is not public.
ELSEWHERE = "203.0.113.7"

# Pages, by path, that nobody needs to log in for.
PUBLIC_PAGES = {
    "/healthz",
    "/readyz",
    "/accounts/login/",
    "/accounts/logout/",
    "/accounts/inactive/",
    "/accounts/password/reset/",
    "/accounts/password/reset/done/",
    "/accounts/password/reset/key/done/",
    "/api/v1/openapi.json",
    "/api/v1/docs",
}
# Pages that are about the person who opens them, whoever that is.
ANYBODYS_PAGES = {"/", "/palette/", "/projects/new/", "/tokens/", "/keys/", "/accounts/password/change/"}
# Patterns that are no route templates; tests/accounts/test_login.py has them.
REGEX_PAGES = {"account_reset_password_from_key"}
# API operations that are about the caller, whoever that is.
ANYBODYS_OPERATIONS = {
    "GET /projects",
    "POST /projects",
    "GET /tokens",
    "POST /tokens",
    "GET /methods",
    "GET /export-formats",
}
# Sent by POST for the size of what is asked; they read, and write nothing.
READING_OPERATIONS = {"POST /projects/{slug}/recipes/preview"}
# What a role as small as annotator opens in a project.
ANNOTATORS_PAGES = ("annotation:",)
CURATORS_PAGES = ("annotation:campaign", "annotation:rubric")
ANNOTATORS_OPERATIONS = {
    "GET /projects/{slug}",
    "POST /campaigns/{campaign_id}/claim",
    "GET /campaigns/{campaign_id}/mine",
    "GET /campaigns/{campaign_id}/my-work",
    "GET /projects/{slug}/campaigns",
}
# Whatever one does with a claim of one's own.
ANNOTATORS_ADDRESSES = ("/assignments/", "/judgments/")

REFUSED = {401, 403, 404}
NOT_THIS_WAY = 405


@dataclass(frozen=True)
class Page:
    path: str
    name: str


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    path: str
    body: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.template}"


def _pages() -> list[Page]:
    return list(_walk(get_resolver().url_patterns, "/", ""))


def _walk(patterns: Iterable[URLPattern | URLResolver], before: str, namespace: str) -> Iterator[Page]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry.url_patterns, before + _filled(entry.pattern), inner)
        elif isinstance(entry.pattern, RoutePattern):
            name = f"{namespace}{entry.name or ''}"
            if not (name.startswith("api:") and entry.name not in {"openapi-json", "openapi-view", "api-root"}):
                yield Page(before + _filled(entry.pattern), name)
        else:
            assert entry.name in REGEX_PAGES, f"{entry} is a regular expression; walk it by hand"


def _filled(pattern: Any) -> str:
    def example(match: re.Match[str]) -> str:
        kind, name = match["kind"] or "str", match["name"]
        return {"int": str(THE_ID), "slug": "demo" if name == "slug" else THE_NAME}.get(kind, THE_NAME)

    return re.sub(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>", example, str(pattern))


def _operations() -> list[Operation]:
    schema = api.get_openapi_schema()
    found = []
    for full, methods in schema["paths"].items():
        template = full.removeprefix("/api/v1")
        for method, described in methods.items():
            path, query = full, []
            for parameter in described.get("parameters", []):
                example = _example_of(parameter["schema"], parameter["name"], schema)
                if parameter["in"] == "path":
                    path = path.replace(f"{{{parameter['name']}}}", str(example))
                elif parameter.get("required"):
                    query.append(f"{parameter['name']}={example}")
            content = described.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = json.dumps(_example_of(content["schema"], "", schema)) if content else ""
            found.append(Operation(method.upper(), template, "?".join([path, "&".join(query)]).rstrip("?"), body))
    return found


def _example_of(schema: dict[str, Any], name: str, document: Any) -> Any:
    """The smallest value that the schema takes."""
    if "$ref" in schema:
        return _example_of(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name, document)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _example_of(schema[several][0], name, document)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    match schema.get("type"):
        case "object":
            inner = schema.get("properties", {})
            return {key: _example_of(inner[key], key, document) for key in schema.get("required", [])}
        case "array":
            return [_example_of(schema.get("items", {}), name, document)] * max(1, schema.get("minItems", 0))
        case "integer":
            return THE_ID if name == "id" or name.endswith(("_id", "_ids")) else max(1, schema.get("minimum", 1))
        case "number":
            return 1.0
        case "boolean":
            return True
        case "string" if schema.get("format") == "date-time":
            return "2040-01-01T00:00:00Z"
    return "demo" if name == "slug" else THE_NAME


def _send(client: Client, operation: Operation, headers: dict[str, str]) -> Any:
    return client.generic(
        operation.method, operation.path, operation.body.encode(), "application/json", headers=headers
    )


def _complain(failures: list[str]) -> None:
    assert not failures, "\n".join(["these let somebody in:", *failures])


def _elsewhere(user: User | None = None) -> Client:
    client = Client(REMOTE_ADDR=ELSEWHERE)
    if user is not None:
        client.force_login(user)
    return client


def test_the_walk_sees_the_whole_house(one_of_each: set[str]) -> None:
    """If this fails, the other tests here might pass by walking past closed doors that are not there."""
    assert len(_pages()) > 20 and len(_operations()) > 15
    assert {"Run", "Comparison", "Campaign", "Assignment", "Recipe", "Release", "DecisionBatch", "Audit"} <= one_of_each


def test_nobody_opens_a_page_without_logging_in(one_of_each: set[str]) -> None:
    failures = []
    for page in _pages():
        if page.path in PUBLIC_PAGES:
            continue
        for method in ("GET", "POST"):
            answer = _elsewhere().generic(method, page.path)
            is_led_to_login = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
            if not is_led_to_login and answer.status_code not in REFUSED | {NOT_THIS_WAY}:
                failures.append(f"{method} {page.path} ({page.name}): {answer.status_code}")
    _complain(failures)


def test_nobody_uses_the_api_without_a_token(one_of_each: set[str]) -> None:
    client = _elsewhere()
    answers = {operation.key: _send(client, operation, {}) for operation in _operations()}
    _complain([f"{key}: {answer.status_code}" for key, answer in answers.items() if answer.status_code != 401])


def test_a_stranger_opens_no_page_of_a_project(one_of_each: set[str], stranger: User) -> None:
    client, failures = _elsewhere(stranger), []
    for page in _pages():
        if page.path in PUBLIC_PAGES | ANYBODYS_PAGES:
            continue
        for method in ("GET", "POST"):
            answer = client.generic(method, page.path)
            if answer.status_code not in {404, NOT_THIS_WAY}:
                failures.append(f"{method} {page.path} ({page.name}): {answer.status_code}")
    _complain(failures)


def test_a_stranger_does_nothing_by_api(
    one_of_each: set[str], stranger: User, bearer: Callable[..., dict[str, str]]
) -> None:
    _refused_everywhere(bearer(stranger), {404}, lambda operation: operation.key not in ANYBODYS_OPERATIONS)


def test_an_owner_elsewhere_is_a_stranger_here(
    one_of_each: set[str], stranger: User, bearer: Callable[..., dict[str, str]]
) -> None:
    other = Project.objects.create(slug="other", name="Other", created_by=stranger)
    other.memberships.create(user=stranger, role="owner")
    _refused_everywhere(bearer(stranger), {404}, lambda operation: operation.key not in ANYBODYS_OPERATIONS)


def test_a_token_of_another_project_opens_nothing_here(
    one_of_each: set[str], owner: User, bearer: Callable[..., dict[str, str]]
) -> None:
    other = Project.objects.create(slug="other", name="Other", created_by=owner)
    other.memberships.create(user=owner, role="owner")
    headers = bearer(owner, Scope.ADMIN, other)
    _refused_everywhere(headers, {404}, lambda operation: operation.key not in ANYBODYS_OPERATIONS)


def test_an_annotator_opens_no_curators_page(one_of_each: set[str], annotator: User) -> None:
    client, failures = _elsewhere(annotator), []
    for page in _pages():
        is_theirs = page.name.startswith(ANNOTATORS_PAGES) and not page.name.startswith(CURATORS_PAGES)
        if is_theirs or page.path in PUBLIC_PAGES | ANYBODYS_PAGES:
            continue
        for method in ("GET", "POST"):
            answer = client.generic(method, page.path)
            if answer.status_code not in {403, 404, NOT_THIS_WAY}:
                failures.append(f"{method} {page.path} ({page.name}): {answer.status_code}")
    _complain(failures)


def test_an_annotator_does_no_curators_work_by_api(
    one_of_each: set[str], annotator: User, bearer: Callable[..., dict[str, str]]
) -> None:
    def is_curators(operation: Operation) -> bool:
        is_theirs = operation.key in ANNOTATORS_OPERATIONS or operation.template.startswith(ANNOTATORS_ADDRESSES)
        return not is_theirs and operation.key not in ANYBODYS_OPERATIONS

    _refused_everywhere(bearer(annotator), {403, 404}, is_curators)


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ANNOTATE])
def test_a_small_token_of_an_owner_changes_nothing(
    one_of_each: set[str], owner: User, bearer: Callable[..., dict[str, str]], scope: Scope
) -> None:
    def changes(operation: Operation) -> bool:
        is_judging = operation.template.startswith(ANNOTATORS_ADDRESSES) or operation.template.endswith("/claim")
        if operation.key in READING_OPERATIONS:
            return False
        return operation.method != "GET" and not (is_judging and scope == Scope.ANNOTATE)

    _refused_everywhere(bearer(owner, scope), {403, 404}, changes)


def _refused_everywhere(headers: dict[str, str], expected: set[int], is_meant: Callable[[Operation], bool]) -> None:
    client, failures = _elsewhere(), []
    for operation in filter(is_meant, _operations()):
        answer = _send(client, operation, headers)
        if answer.status_code not in expected:
            failures.append(f"{operation.key} {operation.body[:200]}: {answer.status_code} {answer.content[:200]!r}")
    _complain(failures)
