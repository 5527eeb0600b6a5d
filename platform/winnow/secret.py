"""The signing key of an installation that was not given one: made once, kept in WINNOW_HOME."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_key(home: Path) -> str:
    path = home / "secret_key"
    if not path.exists():
        _write_once(path)
    return path.read_text().strip()


def _write_once(path: Path) -> None:
    """Several processes may boot at once: the first link wins and all read the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret_key.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
