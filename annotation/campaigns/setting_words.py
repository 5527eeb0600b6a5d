"""What a campaign asks, setting by setting, in words."""

from __future__ import annotations

from typing import Any

from annotation.kinds.presets import presets
from annotation.models import Campaign

LABELS = {"min_reason_characters": "Least characters of a reason", "ideal": "Ideal response"}


def setting_words(campaign: Campaign) -> list[tuple[str, str]]:
    """Label and value, those that are off last."""
    said = [(_label(name), _value(value)) for name, value in sorted(campaign.settings.items())]
    return sorted(said, key=lambda pair: pair[1] in {"no", "none", "off", "0"})


def preset_words(campaign: Campaign) -> str:
    if not campaign.preset:
        return ""
    known = presets().get(campaign.preset)
    return f"from the preset {known.label}" if known else "votes of a file" if campaign.preset == "imported" else ""


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(held)}" for name, held in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_entry(entry) for entry in value) or "none"
    return str(value) if value not in {None, ""} else "none"


def _entry(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    return str(entry.get("name") or entry.get("text") or entry.get("id") or _value(entry))
