"""WINNOW_MAIL_URL as Django's mail settings; without it mails are printed where the server runs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SCHEMES = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Mail:
    backend: str = "django.core.mail.backends.console.EmailBackend"
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    # TLS from the first byte (smtps), or asked for after the greeting.
    is_tls: bool = False
    is_starttls: bool = False


def mail_settings(url: str) -> Mail:
    if not url:
        return Mail()
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise ValueError("WINNOW_MAIL_URL must read smtp://user:password@host:587 or smtps://user:password@host:465")
    return Mail(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=parts.port or SCHEMES[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls=parts.scheme == "smtps",
        is_starttls=parts.scheme == "smtp" and bool(parts.username),
    )
