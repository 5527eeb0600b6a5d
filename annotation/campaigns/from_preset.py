"""What a campaign asks, put together from a preset and from what was given beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import Project
from annotation.campaigns.consensus_method import DEFAULT_METHOD
from annotation.kinds.presets import Preset, presets, with_preset
from annotation.models import Campaign

DEFAULTS: dict[str, Any] = {"kind": "pairwise", "overlap": 1, "consensus_method": DEFAULT_METHOD}


@dataclass(frozen=True)
class Asked:
    kind: str
    unit: str | None
    overlap: int
    settings: dict[str, Any]
    guidelines: str | None
    consensus_method: str


def filled_in(preset: str, **given: Any) -> Asked:
    """Of the fields above; what is None comes from the preset, or has its default.

    Settings of another kind than the preset's own start from that kind's defaults.
    """
    chosen = with_preset({"preset": preset, "settings": None, "unit": None, "guidelines": None, **given})
    filled = DEFAULTS | {name: value for name, value in chosen.items() if value is not None}
    return Asked(
        kind=filled["kind"],
        unit=filled.get("unit"),
        overlap=filled["overlap"],
        settings=filled.get("settings", {}),
        guidelines=filled.get("guidelines"),
        consensus_method=filled["consensus_method"],
    )


def presets_of(_project: Project) -> list[Preset]:
    return list(presets().values())


def shown_preset(project: Project, preset: Preset) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the form begins with: its own fields, and the settings."""
    fields = {"kind": preset.kind, "unit": preset.unit, "overlap": preset.overlap, "guidelines": preset.guidelines}
    return {"name": free_name(project, preset.label), **fields}, preset.settings


def free_name(project: Project, label: str) -> str:
    """The label, with a number behind it where a campaign is called so already."""
    taken = set(Campaign.objects.filter(project=project, name__startswith=label).values_list("name", flat=True))
    names = [label, *(f"{label} ({number})" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)
