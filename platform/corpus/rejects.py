"""The rows that did not come in: a JSON line each, and how many there are of each reason."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import IO

import orjson
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from corpus.importers._base import RowRejected


class RejectLog:
    """Written beside the import and put into the storage at its end; use it as a context."""

    def __init__(self, *, names_files: bool = False) -> None:
        self.reasons: Counter[str] = Counter()
        self._names_files = names_files
        folder = Path(settings.WINNOW_HOME) / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - __exit__ closes it

    def __enter__(self) -> RejectLog:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()

    @property
    def count(self) -> int:
        return self.reasons.total()

    def add(self, line: int, rejected: RowRejected, file: str) -> None:
        self.reasons[rejected.reason] += 1
        record: dict[str, int | str] = {"line": line, "reason": rejected.reason, "message": rejected.message}
        if self._names_files:
            record["file"] = file
        # Column names come from the file and may hold what JSON cannot.
        text = orjson.dumps({key: _encodable(value) for key, value in record.items()})
        self._file.write(text + b"\n")

    def store(self, name: str) -> str | None:
        """The name in the storage, or None without rejects. What an earlier attempt left is replaced."""
        if default_storage.exists(name):
            default_storage.delete(name)
        if not self.count:
            return None
        self._file.flush()
        self._file.seek(0)
        return default_storage.save(name, File(self._file))


def _encodable(value: int | str) -> int | str:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
