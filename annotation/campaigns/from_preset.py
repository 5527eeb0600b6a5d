"""What a campaign asks, put together from a preset and from what was given beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Project
from accounts.problems import NotFound
from annotation.models import Campaign

DEFAULT_KIND = "pairwise"


class UnknownPreset(NotFound):
    code = "unknown_preset"


@dataclass(frozen=True)
class Asked:
    kind: str
    unit: str | None
    overlap: int
    settings: dict[str, Any]
    guidelines: str | None


def filled_in(
    preset: str,
    *,
    kind: str | None,
    unit: str | None,
    overlap: int | None,
    settings: dict[str, Any] | None,
    guidelines: str | None,
) -> Asked:
    """Settings of another kind than the preset's own start from that kind's defaults."""
    return Asked(kind or DEFAULT_KIND, unit, 1 if overlap is None else overlap, settings or {}, guidelines)


def presets_of(project: Project) -> list[Any]:
    return []


def preset_named(name: str) -> Any:
    raise UnknownPreset(f"There is no preset {name[:60]!r}.")


def shown_preset(project: Project, preset: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {}, {}


def free_name(project: Project, label: str) -> str:
    """The label, with a number behind it where a campaign is called so already."""
    taken = set(Campaign.objects.filter(project=project, name__startswith=label).values_list("name", flat=True))
    names = [label, *(f"{label} ({number})" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)
