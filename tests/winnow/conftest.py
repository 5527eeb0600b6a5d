from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache

from accounts.models import Project, Scope, User
from accounts.tokens import issue_token


@pytest.fixture
def bearer(db: None) -> Callable[..., dict[str, str]]:
    """The header of a fresh token, as Django's test client takes it."""

    def header(user: User, scope: Scope = Scope.ADMIN, project: Project | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_token(user=user, scope=scope, project=project)[1]}"}

    return header


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()
