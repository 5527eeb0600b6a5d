"""How much of a file Winnow will hold or unpack, and what it says of a file that it cannot read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings

from accounts.problems import Problem


@dataclass(frozen=True)
class Limits:
    row_bytes: int
    unpack_ratio: int

    @classmethod
    def from_settings(cls) -> Limits:
        return cls(row_bytes=settings.WINNOW_MAX_ROW_BYTES, unpack_ratio=settings.WINNOW_MAX_UNPACK_RATIO)


class UnreadableFile(Problem):
    """The file as a whole, not one of its rows."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "unreadable_file"

    def __init__(self, message: str, *, is_bomb: bool = False) -> None:
        super().__init__(message, {"file": message})
        self.is_bomb = is_bomb


def too_long(limits: Limits) -> str:
    return f"The row is longer than {limits.row_bytes:,} bytes (WINNOW_MAX_ROW_BYTES)."
