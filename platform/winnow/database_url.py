"""DATABASE_URL, or the embedded cluster of WINNOW_HOME, as Django's database settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from winnow.environment import Environment


def django_database(env: Environment) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "winnow",
        "USER": "winnow",
        "HOST": str(env.socket_dir),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {},
    }
    if env.database_url:
        settings |= _parsed(env.database_url)
    if env.database_pool_size:
        # Django's pool and persistent connections exclude each other.
        settings |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
        settings["OPTIONS"] |= {"pool": {"min_size": 1, "max_size": env.database_pool_size, "timeout": 10}}
    return settings


def _parsed(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme!r}")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")) or "winnow",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
