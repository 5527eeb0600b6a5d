"""Small corpora, and people to judge them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Membership, Project, Role, Scope, User
from accounts.tokens import issue_token
from annotation.campaigns.create import create_campaign
from annotation.models import Campaign
from corpus.models import Comparison, Prompt, Response, Source


def add_comparisons(project: Project, count: int, *, source: str = "hand made", start: int = 0) -> list[Comparison]:
    held, _ = Source.objects.get_or_create(project=project, name=source, defaults={"format": "generic"})
    return [_comparison(project, held, number) for number in range(start, start + count)]


def _comparison(project: Project, source: Source, number: int) -> Comparison:
    messages = [{"role": "user", "content": f"Question {number}: what is **{number}** squared?"}]
    prompt = Prompt.objects.create(project=project, messages=messages, content_hash=_hash(f"{source.id} {messages}"))
    a, b = (
        Response.objects.create(prompt=prompt, content=content, generator="secret-model", content_hash=_hash(content))
        for content in (f"It is `{number * number}`.", f"Let me think: about {number * number + 1}.")
    )
    return Comparison.objects.create(
        project=project, source=source, prompt=prompt, response_a=a, response_b=b, row_number=number
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def grow(project: Project) -> Callable[[int], list[Comparison]]:
    """Adds that many comparisons to the project."""
    return lambda count: add_comparisons(project, count, start=1000)


@pytest.fixture
def comparisons(project: Project) -> list[Comparison]:
    return add_comparisons(project, 4)


@pytest.fixture
def campaign(project: Project, comparisons: list[Comparison], owner: User) -> Campaign:
    return create_campaign(project=project, name="First look", overlap=2, created_by=owner)


@pytest.fixture
def people(project: Project) -> Callable[[int], list[User]]:
    """Any number of annotators."""

    def make(count: int) -> list[User]:
        users = [User.objects.create(email=f"person-{number}@example.org") for number in range(count)]
        Membership.objects.bulk_create(Membership(user=u, project=project, role=Role.ANNOTATOR) for u in users)
        return users

    return make


class Api:
    """The API as one person's program calls it."""

    def __init__(self, user: User, scope: Scope = Scope.ADMIN) -> None:
        self.client = Client()
        _, self.token = issue_token(user=user, scope=scope)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )


@pytest.fixture
def api() -> type[Api]:
    return Api
