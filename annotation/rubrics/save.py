"""Keeping a rubric: a changed text is a new version, and what was judged keeps the version it was judged under."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from annotation.kinds._texts import problem_with_text
from annotation.models import Rubric
from annotation.rubrics.document import Criteria, InvalidRubric, checked

MAX_NAME_CHARACTERS = 120
MAX_ORIGIN_CHARACTERS = 200


class InvalidRubricName(Invalid):
    code = "invalid_name"


class RubricMovedOn(Conflict):
    code = "rubric_moved_on"


def save_rubric(
    *,
    project: Project,
    name: str,
    criteria: Any,
    by: User | None,
    origin: str = "",
    after_version: int | None = None,
) -> Rubric:
    """A new version if the criteria differ from the newest ones, else that version.

    With `after_version`, only if that one is still the newest: what somebody else saved meanwhile is not overwritten
    by who has not seen it. 0 stands for a rubric that is not there yet.
    """
    name = name.strip()
    if problem := problem_with_text(name, most=MAX_NAME_CHARACTERS, least=1):
        raise InvalidRubricName("A rubric needs a name.", {"name": problem})
    shaped = checked(criteria)
    with transaction.atomic():
        # One writer per project, so that two savers cannot take the same version number.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        versions = list(Rubric.objects.filter(project=project, name=name).order_by("version"))
        newest = versions[-1].version if versions else 0
        if after_version is not None and after_version != newest:
            raise RubricMovedOn(_moved_on(name, newest), {"name": "is taken"} if after_version == 0 else {})
        if versions and versions[-1].criteria == shaped:
            return versions[-1]
        _refuse_other_answers(shaped, versions)
        saved = Rubric.objects.create(
            project=project,
            name=name,
            version=newest + 1,
            criteria=shaped,
            origin=origin[:MAX_ORIGIN_CHARACTERS],
            created_by=by,
        )
        details = {"name": name, "version": saved.version, "criteria": len(shaped)}
        record(actor=by, project=project, action="save rubric", subject=saved, details=details)
    return saved


def _moved_on(name: str, newest: int) -> str:
    if newest == 0:
        return f"There is no rubric {name!r} in this project any more."
    return f"There is a version {newest} of {name!r} by now, which this text was not made from."


def _refuse_other_answers(criteria: Criteria, versions: list[Rubric]) -> None:
    """The answers to a criterion are counted over all versions, so they must mean the same."""
    earlier = {given["id"]: (given, rubric.version) for rubric in versions for given in rubric.criteria}
    problems = {}
    for place, given in enumerate(criteria):
        before, version = earlier.get(given["id"], (given, 0))
        if any(given.get(name) != before.get(name) for name in ("answers", "least", "most")):
            problems[f"criteria.{place}.id"] = (
                f"was answered otherwise in version {version}; a criterion with other answers needs an id of its own"
            )
    if problems:
        raise InvalidRubric("This rubric cannot be a version of the one before.", problems)
