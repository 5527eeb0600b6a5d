"""What the operator may set from outside, read once and checked at boot."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]


class Environment(BaseSettings):
    """The environment variables of Winnow; every one has a default that runs on a laptop."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    home: Path = Field(default=ROOT / "var", alias="WINNOW_HOME")
    port: int = Field(default=8000, alias="WINNOW_PORT", ge=1, le=65535)
    host: str = Field(default="127.0.0.1", alias="WINNOW_HOST")
    database_url: str = Field(default="", alias="DATABASE_URL")
    redis_url: str = Field(default="", alias="REDIS_URL")
    secret_key: str = Field(default="", alias="WINNOW_SECRET_KEY")
    debug: bool = Field(default=False, alias="WINNOW_DEBUG")
    allowed_hosts: str = Field(default="*", alias="WINNOW_ALLOWED_HOSTS")
    trusted_origins: str = Field(default="", alias="WINNOW_TRUSTED_ORIGINS")
    database_pool_size: int = Field(default=0, alias="WINNOW_DATABASE_POOL_SIZE", ge=0)
    max_row_bytes: int = Field(default=8 * 2**20, alias="WINNOW_MAX_ROW_BYTES", ge=1)
    max_upload_bytes: int = Field(default=2**30, alias="WINNOW_MAX_UPLOAD_BYTES", ge=1)
    max_unpack_ratio: int = Field(default=100, alias="WINNOW_MAX_UNPACK_RATIO", ge=1)

    @property
    def uses_embedded_postgres(self) -> bool:
        return not self.database_url

    @property
    def uses_embedded_redis(self) -> bool:
        return not self.redis_url

    @property
    def socket_dir(self) -> Path:
        """Where the embedded servers listen: short, since a Unix socket path ends at about 107 bytes."""
        digest = hashlib.sha256(str(self.home.resolve()).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"winnow-{os.getuid()}-{digest}"

    @property
    def redis_socket(self) -> Path:
        return self.socket_dir / "redis.sock"


@lru_cache
def environment() -> Environment:
    return Environment()
