"""Reads of rubrics; each list has a total order."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Project
from annotation.models import Campaign, Rubric


def newest_rubrics(project: Project) -> list[Rubric]:
    """The newest version of each, by name."""
    return list(Rubric.objects.filter(project=project).order_by("name", "-version").distinct("name"))


def versions_of(rubric: Rubric) -> list[Rubric]:
    """Newest first."""
    same = Rubric.objects.filter(project=rubric.project_id, name=rubric.name)
    return list(same.select_related("created_by").order_by("-version"))


def newest_named(project: Project, name: str) -> Rubric | None:
    return Rubric.objects.filter(project=project, name=name).order_by("-version").first()


def version_named(project: Project, name: str, version: int) -> Rubric | None:
    return Rubric.objects.filter(project=project, name=name, version=version).first()


@dataclass(frozen=True)
class RubricRow:
    """A rubric in the list: its newest version and how many campaigns ask by any version of it."""

    rubric: Rubric
    campaigns: int

    @property
    def hard(self) -> int:
        return sum(given["kind"] == "hard" for given in self.rubric.criteria)


def rubric_rows(project: Project) -> list[RubricRow]:
    names = list(Campaign.objects.filter(project=project, rubric__isnull=False).values_list("rubric__name", flat=True))
    return [RubricRow(rubric, names.count(rubric.name)) for rubric in newest_rubrics(project)]


def campaigns_asking(rubric: Rubric) -> list[Campaign]:
    """By any version of it, newest campaign first."""
    asking = Campaign.objects.filter(project=rubric.project_id, rubric__name=rubric.name)
    return list(asking.select_related("rubric").order_by("-id"))
