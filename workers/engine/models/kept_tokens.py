"""Conversations as a server's token ids, kept on disk: asked for once, also where a run begins anew."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

import numpy as np

from workers.engine.texts.store import Kept, keep, kept_in, open_store

# So many are written together; what was not yet is asked for again after a kill.
TOGETHER = 256


class KeptTokens:
    """Used by several threads, each with a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._fresh: dict[bytes, Kept] = {}
        self._lock = threading.Lock()

    def find(self, asked: str) -> tuple[int, ...] | None:
        key = _key(asked)
        found = self._fresh.get(key) or kept_in(self._store(), [key]).get(key)
        return None if found is None else tuple(np.frombuffer(found[0], np.int32).tolist())

    def add(self, asked: str, ids: tuple[int, ...]) -> None:
        with self._lock:
            self._fresh[_key(asked)] = (np.array(ids, np.int32).tobytes(), False)
            is_due = len(self._fresh) >= TOGETHER
        if is_due:
            self.write()

    def write(self) -> None:
        with self._lock:
            if self._fresh:
                keep(self._store(), self._fresh)
                self._fresh = {}

    def _store(self) -> sqlite3.Connection:
        if not hasattr(self._own, "store"):
            self._own.store = open_store(self._path)
        store: sqlite3.Connection = self._own.store
        return store


def _key(asked: str) -> bytes:
    return hashlib.sha256(asked.encode()).digest()
