"""Campaigns that others are known by, ready to be opened: a file here each, named as the campaign stores it.

A file says what people choose it by (label, asks), and what the campaign gets where nothing else was chosen: kind,
unit, settings, overlap, consensus_method, guidelines. Settings that it leaves out have the defaults of the kind.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from accounts.problems import NotFound


class UnknownPreset(NotFound):
    code = "unknown_preset"


@dataclass(frozen=True)
class Preset:
    name: str
    label: str
    # One paragraph: what is asked, and after whom.
    asks: str
    kind: str
    unit: str
    settings: dict[str, Any]
    overlap: int
    consensus_method: str
    # Markdown, to be changed before it is shown to anybody.
    guidelines: str


@lru_cache
def _read() -> dict[str, Preset]:
    paths = sorted(Path(__file__).parent.glob("*.yaml"))
    return {path.stem: Preset(name=path.stem, **yaml.safe_load(path.read_text(encoding="utf-8"))) for path in paths}


def presets() -> dict[str, Preset]:
    """Every preset by its file name."""
    return deepcopy(_read())


def preset_named(name: str) -> Preset:
    try:
        return presets()[name]
    except KeyError:
        raise UnknownPreset(f"There is no preset {name[:60]!r}; there are {', '.join(_read())}.") from None


def with_preset(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a new campaign with what its `preset` gives in the place of what is None or missing.

    Settings are filled in one by one. Of another kind than the preset's, a campaign gets nothing but overlap from it.
    """
    if not arguments.get("preset"):
        return arguments
    preset = preset_named(arguments["preset"])
    given = {name: value for name, value in arguments.items() if value is not None}
    if given.get("kind", preset.kind) != preset.kind:
        return {"overlap": preset.overlap, **given}
    settings = preset.settings | given.pop("settings", {})
    filled = {name: getattr(preset, name) for name in ("kind", "unit", "overlap", "consensus_method", "guidelines")}
    return {**arguments, **filled, **given, "settings": settings}
