"""What a parameter names: a server by its URL, a folder by its path, or one of Winnow's own models by its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workers.engine.bench import Unworkable


@dataclass(frozen=True)
class Served:
    """A model of an OpenAI-compatible server; `model` is empty where the server has but one."""

    url: str
    model: str


def located(name: str, models: Path) -> Path | Served:
    """`models` holds the folders that go by name alone. Unworkable where there is nothing; nothing is downloaded."""
    if name.startswith(("http://", "https://")):
        url, _, model = name.partition("#")
        return Served(url.rstrip("/"), model)
    folder = Path(name).expanduser() if _is_path(name) else models / name
    if name and (folder / "config.json").is_file():
        return folder
    known = sorted(one.name for one in models.iterdir() if (one / "config.json").is_file()) if models.is_dir() else []
    here = f" Models by name here: {', '.join(known)}." if known else " `manage.py make_tiny_models` makes two toys."
    raise Unworkable(
        f"There is no model {name!r}: give the path of a folder on the worker's machine (config.json, safetensors, "
        f"tokenizer), the name of a folder in {models}, or the URL of a model server. Nothing is downloaded.{here}"
    )


def _is_path(name: str) -> bool:
    return os.sep in name or name.startswith(("~", "."))
