"""Make a project; whoever makes it owns it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import Membership, Project, Role, User
from accounts.problems import Conflict, Invalid


class SlugTaken(Conflict):
    code = "slug_taken"


class BadSlug(Invalid):
    code = "bad_slug"


def create_project(*, slug: str, name: str, by: User | None) -> Project:
    """`by` None is a command on the machine: then superusers own it until they invite somebody."""
    _check(slug)
    try:
        with transaction.atomic():
            project = Project.objects.create(slug=slug, name=name.strip() or slug, created_by=by)
            if by is not None:
                Membership.objects.create(user=by, project=project, role=Role.OWNER)
            audit.record(
                actor=by, project=project, action="create project", subject=project, details={"name": project.name}
            )
    except IntegrityError as taken:
        message = f"The address {slug!r} is taken; choose another one."
        raise SlugTaken(message, fields={"slug": message}) from taken
    return project


def _check(slug: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError as bad:
        message = "Use letters, digits, hyphens and underscores only."
        raise BadSlug(f"The address {slug!r} cannot be used. {message}", fields={"slug": message}) from bad
    longest = Project._meta.get_field("slug").max_length or 0
    if len(slug) > longest:
        message = f"Use at most {longest} letters."
        raise BadSlug(f"The address is too long. {message}", fields={"slug": message})
