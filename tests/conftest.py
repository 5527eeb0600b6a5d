"""The people every test knows, and the project they share."""

from __future__ import annotations

import pytest

from accounts.models import Membership, Project, Role, User


def _person(email: str) -> User:
    return User.objects.create_user(email, "correct horse battery")


@pytest.fixture
def owner(db: None) -> User:
    return _person("owner@example.org")


@pytest.fixture
def project(owner: User) -> Project:
    project = Project.objects.create(slug="demo", name="Demo", created_by=owner)
    Membership.objects.create(user=owner, project=project, role=Role.OWNER)
    return project


@pytest.fixture
def curator(project: Project) -> User:
    user = _person("curator@example.org")
    Membership.objects.create(user=user, project=project, role=Role.CURATOR)
    return user


@pytest.fixture
def annotator(project: Project) -> User:
    user = _person("annotator@example.org")
    Membership.objects.create(user=user, project=project, role=Role.ANNOTATOR)
    return user


@pytest.fixture
def stranger(db: None) -> User:
    """Has an account, and no place in the project."""
    return _person("stranger@example.org")
