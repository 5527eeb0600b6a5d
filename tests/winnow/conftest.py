"""For tests over all areas: a header for the API, and one object of every kind that the areas keep."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts.models import Membership, Project, Role, Scope, User
from accounts.tokens import issue_token

AREAS = ("accounts", "ledger", "corpus", "annotation", "curation")
# The id of each of them, far from any id that a sequence gives; and its name, where it has one.
THE_ID = 1_000_001
THE_NAME = "sample"


@pytest.fixture
def bearer(db: None) -> Callable[..., dict[str, str]]:
    """The header of a fresh token, as Django's test client takes it."""

    def header(user: User, scope: Scope = Scope.ADMIN, project: Project | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue_token(user=user, scope=scope, project=project)[1]}"}

    return header


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def one_of_each(project: Project) -> set[str]:
    """An object of every model, all in the project `demo` and all with the id THE_ID, so that any route finds one.

    The names of the models come back; a model that a later hand adds is filled by the types of its fields.
    """
    made: dict[type[models.Model], models.Model | None] = {Project: project}
    for area in AREAS:
        for model in apps.get_app_config(area).get_models():
            _make(model, made)
    return {model.__name__ for model, row in made.items() if row is not None}


def _make(model: type[models.Model], made: dict[type[models.Model], models.Model | None]) -> models.Model | None:
    if model in made:
        return made[model]
    values = {field.attname: _value(field, made) for field in model._meta.concrete_fields if _needs_value(field)}
    row = model(**values)
    if model is Membership:
        row.role = Role.ANNOTATOR  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        made[model] = None
    else:
        made[model] = row
    return made[model]


def _needs_value(field: models.Field[Any, Any]) -> bool:
    # A task is of a comparison or of something else; here it is of the comparison.
    return field.primary_key or field.name == "comparison" or not (field.null or field.has_default() or field.blank)


def _value(field: models.Field[Any, Any], made: dict[type[models.Model], models.Model | None]) -> Any:
    if isinstance(field, models.ForeignKey):
        related = _make(field.related_model, made)
        return related.pk if related is not None else THE_ID
    if field.primary_key:
        return uuid.UUID(int=THE_ID) if isinstance(field, models.UUIDField) else THE_ID
    if field.choices:
        return next(iter(field.flatchoices))[0]
    for kind, value in VALUES:
        if isinstance(field, kind):
            return value
    raise AssertionError(f"say in VALUES what {field} may hold")


VALUES: list[tuple[type[models.Field[Any, Any]], Any]] = [
    (models.BooleanField, False),
    (models.DateTimeField, timezone.now()),
    (models.FloatField, 0.0),
    (models.IntegerField, 1),
    (models.JSONField, {}),
    (models.BinaryField, b"s" * 32),
    (models.UUIDField, uuid.UUID(int=THE_ID)),
    (models.EmailField, "sample@example.org"),
    (models.CharField, THE_NAME),
    (models.TextField, THE_NAME),
    (ArrayField, [THE_ID]),
]
