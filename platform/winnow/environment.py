"""What the operator may set from outside, read once and checked at boot."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import tempfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]
HOST_PORT = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


class Environment(BaseSettings):
    """The environment variables of Winnow; every one has a default that runs on a laptop."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    home: Path = Field(default=ROOT / "var", alias="WINNOW_HOME")
    port: int = Field(default=8000, alias="WINNOW_PORT", ge=1, le=65535)
    host: str = Field(default="127.0.0.1", alias="WINNOW_HOST")
    database_url: str = Field(default="", alias="DATABASE_URL")
    redis_url: str = Field(default="", alias="REDIS_URL")
    secret_key: str = Field(default="", alias="WINNOW_SECRET_KEY")
    debug: bool = Field(default=False, alias="WINNOW_DEBUG")
    # Host names by which browsers may call this server; empty: this machine's own names.
    allowed_hosts: str = Field(default="", alias="WINNOW_ALLOWED_HOSTS")
    trusted_origins: str = Field(default="", alias="WINNOW_TRUSTED_ORIGINS")
    # True behind a proxy that ends TLS: cookies travel by https only, links are https.
    https: bool = Field(default=False, alias="WINNOW_HTTPS")
    hsts_seconds: int = Field(default=0, alias="WINNOW_HSTS_SECONDS", ge=0)
    # How many proxies of our own stand before the server and append to X-Forwarded-For.
    proxies: int = Field(default=0, alias="WINNOW_PROXIES", ge=0)
    # smtp://user:password@host:587 (smtps:// for TLS from the start); empty: mail is printed on the console.
    mail_url: str = Field(default="", alias="WINNOW_MAIL_URL")
    mail_from: str = Field(default="winnow@localhost", alias="WINNOW_MAIL_FROM")
    api_requests_per_second: int = Field(default=100, alias="WINNOW_API_REQUESTS_PER_SECOND", ge=1)
    max_body_bytes: int = Field(default=32 * 2**20, alias="WINNOW_MAX_BODY_BYTES", ge=2**20)
    web_processes: int = Field(default=2, alias="WINNOW_WEB_PROCESSES", ge=1)
    web_threads: int = Field(default=4, alias="WINNOW_WEB_THREADS", ge=1)
    database_pool_size: int = Field(default=0, alias="WINNOW_DATABASE_POOL_SIZE", ge=0)
    max_row_bytes: int = Field(default=8 * 2**20, alias="WINNOW_MAX_ROW_BYTES", ge=1)
    max_upload_bytes: int = Field(default=2**30, alias="WINNOW_MAX_UPLOAD_BYTES", ge=1)
    max_unpack_ratio: int = Field(default=100, alias="WINNOW_MAX_UNPACK_RATIO", ge=1)

    # host:port of model servers that may have private addresses, separated by commas.
    private_model_servers: str = Field(default="", alias="WINNOW_PRIVATE_MODEL_SERVERS")
    # URL=KEY of model servers that want one, separated by spaces or commas; the key goes to that very URL only.
    model_server_keys: SecretStr = Field(default=SecretStr(""), alias="WINNOW_MODEL_SERVER_KEYS")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        # The parts of the process tree have other working folders.
        return home.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: str) -> str:
        return _with_scheme(url, {"postgres", "postgresql"}, "postgresql://user:password@host:5432/name")

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        return _with_scheme(url, {"redis", "rediss", "redis+socket"}, "redis://host:6379/0")

    @field_validator("private_model_servers")
    @classmethod
    def _are_hosts_with_ports(cls, text: str) -> str:
        if not all(HOST_PORT.fullmatch(part) for part in _parts(text)):
            raise ValueError("write each as host:port, separated by commas")
        return text

    @field_validator("model_server_keys")
    @classmethod
    def _are_urls_with_keys(cls, text: SecretStr) -> SecretStr:
        for part in _parts(text.get_secret_value()):
            url, _, key = part.partition("=")
            if not (url.startswith(("http://", "https://")) and key.isascii() and key.isprintable() and key):
                raise ValueError("write each as https://host/v1=KEY, separated by commas")
        return text

    @property
    def allowed_private(self) -> frozenset[str]:
        return frozenset(part.lower() for part in _parts(self.private_model_servers))

    @property
    def keys_of_model_servers(self) -> dict[str, str]:
        """By URL."""
        parts = (part.partition("=") for part in _parts(self.model_server_keys.get_secret_value()))
        return {url: key for url, _, key in parts}

    @property
    def uses_embedded_postgres(self) -> bool:
        return not self.database_url

    @property
    def uses_embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def hosts(self) -> list[str]:
        """Never "*" unless asked: links in mails are built from the host a request names."""
        if self.allowed_hosts:
            return [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        own = {"localhost", "127.0.0.1", "[::1]", socket.gethostname(), self.host}
        return sorted(own - {"0.0.0.0", "::", ""})  # noqa: S104 - taken out, not bound to

    @property
    def run_dir(self) -> Path:
        """Locks of the processes that use this home."""
        return self.home / "run"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    @property
    def socket_dir(self) -> Path:
        """Where the embedded servers listen: short, since a Unix socket path ends at about 107 bytes.

        The same for every process of a home, whatever its TMPDIR, and for root in another user's home."""
        digest = hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:12]
        owner = self.home.stat().st_uid if self.home.exists() else os.getuid()
        return _temporary_folder() / f"winnow-{owner}-{digest}"

    @property
    def redis_socket(self) -> Path:
        return self.socket_dir / "redis.sock"


class HomeUnusable(Exception):
    """WINNOW_HOME cannot hold the data; the message says why and what to do."""


def make_home(env: Environment) -> None:
    for folder in (env.home, *(env.home / name for name in ("cache", "run", "storage", "tmp"))):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(
                f"Cannot make {folder}: {error.strerror}. Set WINNOW_HOME to a folder of yours."
            ) from None
    if not os.access(env.home, os.W_OK | os.X_OK):
        raise HomeUnusable(f"Cannot write in {env.home}. Set WINNOW_HOME to a folder of yours.")


def _parts(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _temporary_folder() -> Path:
    common = Path("/tmp")  # noqa: S108 - the folder made in it is checked to be ours
    return common if os.access(common, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


def _with_scheme(url: str, schemes: set[str], example: str) -> str:
    if url and urlsplit(url).scheme not in schemes:
        raise ValueError(f"write it like {example}")
    return url


def mistakes_of(error: ValidationError) -> list[str]:
    """A sentence per variable that cannot be used; a value may hold a password, so it is not repeated."""
    return [f"{mistake['loc'][0]}: {mistake['msg'].removeprefix('Value error, ')}." for mistake in error.errors()]


@lru_cache
def environment() -> Environment:
    return Environment()
