"""What a model said of a text, kept by the hash of the content: one SQLite file per model and way of using it.

Safe for two processes and after kill -9, since an answer is written whole or not at all. The files can be deleted.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

LOOKUP = 500
# The answer as bytes, and whether the model read only a part of the text.
Kept = tuple[bytes, bool]


def open_store(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    store = sqlite3.connect(path, timeout=60, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=NORMAL")
    store.execute(
        "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL, truncated INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    return store


def kept_in(store: sqlite3.Connection, keys: list[bytes]) -> dict[bytes, Kept]:
    found: dict[bytes, Kept] = {}
    for start in range(0, len(keys), LOOKUP):
        some = keys[start : start + LOOKUP]
        marks = ",".join("?" * len(some))
        rows = store.execute(f"SELECT key, vector, truncated FROM vectors WHERE key IN ({marks})", some)  # noqa: S608
        found |= {key: (vector, bool(truncated)) for key, vector, truncated in rows}
    return found


def keep(store: sqlite3.Connection, fresh: dict[bytes, Kept]) -> None:
    rows = [(key, answer, int(truncated)) for key, (answer, truncated) in fresh.items()]
    store.execute("BEGIN IMMEDIATE")
    store.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)", rows)
    store.execute("COMMIT")
