from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token


@pytest.fixture
def logged_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def token_of(db: None) -> Callable[..., str]:
    def clear(user: User, scope: Scope = Scope.ADMIN, project: Project | None = None) -> str:
        return issue_token(user=user, scope=scope, project=project)[1]

    return clear
